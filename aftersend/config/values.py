"""Define the values that keys of an environment file may have.

Each description completes the message "<value> is not <description>".
"""

from typing import Annotated, Literal

from msgspec import Meta

from aftersend.events import Kind


def _text(pattern: str, description: str) -> Meta:
    return Meta(pattern=f"^{pattern}$", description=description)


def _arn(service: str, resource: str, what: str) -> Meta:
    return _text(rf"arn:aws[a-z-]*:{service}:[a-z0-9-]+:\d{{12}}:{resource}", f"the ARN of {what}")


EventType = Annotated[Kind, Meta(description="an SES event type")]
NotificationType = Literal["Bounce", "Complaint", "Delivery"]

Account = Annotated[str, _text(r"\d{12}", "a 12-digit AWS account ID in quotes")]
Region = Annotated[str, _text(r"[a-z]{2}(-[a-z]+)+-\d", 'an AWS Region such as "eu-west-1"')]
SesName = Annotated[str, _text(r"[A-Za-z0-9_-]{1,64}", "an SES name: 1 to 64 ASCII letters, digits, _ or -")]
TagName = Annotated[
    str,
    _text(
        r"(ses:)?[A-Za-z0-9_-]{1,256}",
        "a message tag name: 1 to 256 ASCII letters, digits, _ or - (SES rejects mail with any other name)",
    ),
]
CustomTagName = Annotated[
    str, _text(r"[A-Za-z0-9_-]{1,256}", "the name of a tag of your own: 1 to 256 ASCII letters, digits, _ or -")
]
HeaderName = Annotated[
    str, _text(r"[!-9;-~]{1,126}", "the name of a header: 1 to 126 ASCII characters without : and blanks")
]
DimensionName = Annotated[
    str,
    _text(
        r"[A-Za-z0-9_:-]{1,256}",
        "a dimension name: 1 to 256 ASCII letters, digits, _, - or : (SES silently drops any other)",
    ),
]
DimensionValue = Annotated[
    str,
    _text(
        r"[A-Za-z0-9_-]{1,256}",
        "a dimension value: 1 to 256 ASCII letters, digits, _ or - (CloudFormation rejects any other)",
    ),
]
Domain = Annotated[str, _text(r"([a-z0-9-]+\.)+[a-z0-9-]{2,}", 'a domain such as "mail.bookshop.example"')]
Email = Annotated[str, _text(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address")]
IdentityName = Annotated[str, _text(r"([^@\s]+@)?([A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}", "a domain or an e-mail address")]
TopicArn = Annotated[str, _arn("sns", r"[\w.-]+", "an Amazon SNS topic")]
StreamArn = Annotated[str, _arn("firehose", r"deliverystream/[\w.-]+", "an Amazon Data Firehose stream")]
MailArchiveArn = Annotated[str, _arn("ses", r"mailmanager-archive/[\w-]+", "a Mail Manager archive")]
TableName = Annotated[str, _text(r"[\w.-]{3,255}", "the name of a DynamoDB table")]
TableStreamArn = Annotated[str, _arn("dynamodb", r"table/[\w.-]+/stream/[\w.:-]+", "the stream of a DynamoDB table")]
BucketName = Annotated[str, _text(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of an S3 bucket")]
SecretArn = Annotated[
    str,
    _arn(
        "secretsmanager",
        r"secret:[\w/+=.@-]+-[A-Za-z0-9]{6}",
        "an AWS Secrets Manager secret, with the six characters at its end",
    ),
]
WebAddress = Annotated[str, _text(r"https?://[^\s#]{1,500}", "a URL that begins with https:// or http://, without a #")]
MaxConcurrency = Annotated[int, Meta(ge=2, le=1000, description="a whole number from 2 to 1000")]
AtLeastOne = Annotated[int, Meta(ge=1, description="a whole number of at least 1")]
LogDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]
ResourceTags = dict[str, str]
