"""Define the values that keys of an environment file may have.

Each description completes the message "<value> is not <description>".
"""

from typing import Annotated, Literal

from msgspec import Meta

from aftersend.events import Kind

EventType = Annotated[Kind, Meta(description="an SES event type")]
NotificationType = Literal["Bounce", "Complaint", "Delivery"]

Account = Annotated[str, Meta(pattern=r"^\d{12}$", description="a 12-digit AWS account ID in quotes")]
Region = Annotated[str, Meta(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description='an AWS Region such as "eu-west-1"')]
SesName = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="an SES name: 1 to 64 ASCII letters, digits, _ or -")
]
TagName = Annotated[
    str,
    Meta(
        pattern=r"^(ses:)?[A-Za-z0-9_-]{1,256}$",
        description="a message tag name: 1 to 256 ASCII letters, digits, _ or - (SES rejects mail with any other name)",
    ),
]
CustomTagName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,256}$",
        description="the name of a tag of your own: 1 to 256 ASCII letters, digits, _ or -",
    ),
]
HeaderName = Annotated[
    str,
    Meta(
        pattern=r"^[!-9;-~]{1,126}$", description="the name of a header: 1 to 126 ASCII characters without : and blanks"
    ),
]
DimensionName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_:-]{1,256}$",
        description="a dimension name: 1 to 256 ASCII letters, digits, _, - or : (SES silently drops any other)",
    ),
]
DimensionValue = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,256}$",
        description="a dimension value: 1 to 256 ASCII letters, digits, _ or - (CloudFormation rejects any other)",
    ),
]
Domain = Annotated[
    str, Meta(pattern=r"^([a-z0-9-]+\.)+[a-z0-9-]{2,}$", description='a domain such as "mail.bookshop.example"')
]
Email = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", description="an e-mail address")]
IdentityName = Annotated[
    str, Meta(pattern=r"^([^@\s]+@)?([A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}$", description="a domain or an e-mail address")
]
TopicArn = Annotated[
    str, Meta(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+$", description="the ARN of an Amazon SNS topic")
]
StreamArn = Annotated[
    str,
    Meta(
        pattern=r"^arn:aws[a-z-]*:firehose:[a-z0-9-]+:\d{12}:deliverystream/[\w.-]+$",
        description="the ARN of an Amazon Data Firehose stream",
    ),
]
MailArchiveArn = Annotated[
    str,
    Meta(
        pattern=r"^arn:aws[a-z-]*:ses:[a-z0-9-]+:\d{12}:mailmanager-archive/[\w-]+$",
        description="the ARN of a Mail Manager archive",
    ),
]
TableName = Annotated[str, Meta(pattern=r"^[\w.-]{3,255}$", description="the name of a DynamoDB table")]
TableStreamArn = Annotated[
    str,
    Meta(
        pattern=r"^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table/[\w.-]+/stream/[\w.:-]+$",
        description="the ARN of the stream of a DynamoDB table",
    ),
]
BucketName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="the name of an S3 bucket")]
SecretArn = Annotated[
    str,
    Meta(
        pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$",
        description="the ARN of an AWS Secrets Manager secret, with the six characters at its end",
    ),
]
WebAddress = Annotated[
    str,
    Meta(pattern=r"^https?://[^\s#]{1,500}$", description="a URL that begins with https:// or http://, without a #"),
]
MaxConcurrency = Annotated[int, Meta(ge=2, le=1000, description="a whole number from 2 to 1000")]
AtLeastOne = Annotated[int, Meta(ge=1, description="a whole number of at least 1")]
LogDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]
ResourceTags = dict[str, str]
