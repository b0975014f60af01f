"""What an environment may say: typed, frozen values, and for people what each of them should look like.

Everything the stacks create follows from these alone. They are read from a file by aftersend/environment_files.py; what
SES would make of them in production is told by aftersend/lint.py.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from aftersend.counting import Counted
from aftersend.events import Kind
from aftersend.ledger import Retention
from aftersend.suppression import Policy

FEEDBACK = (
    Kind.BOUNCE,
    Kind.COMPLAINT,
    Kind.REJECT,
    Kind.RENDERING_FAILURE,
    Kind.DELIVERY_DELAY,
    Kind.SUBSCRIPTION,
)
"""What is worth a message of its own: rare, and wanted within seconds."""

UNTRACKED_EVENTS = (Kind.SEND, Kind.DELIVERY, *FEEDBACK)
"""Everything but opens and clicks: asking for those makes SES rewrite every message of the configuration set."""

NotificationType = Literal["Bounce", "Complaint", "Delivery"]

Account = Annotated[str, Meta(pattern=r"^\d{12}$", description="twelve digits, in quotes")]
Region = Annotated[str, Meta(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description='an AWS Region, as in "eu-west-1"')]
SesName = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="1 to 64 ASCII letters, digits, _ and -, as SES names things"),
]
TagName = Annotated[
    str,
    Meta(
        pattern=r"^(ses:)?[A-Za-z0-9_-]{1,256}$",
        description="the name of a message tag: ASCII letters, digits, _ and -; SES takes no mail with another",
    ),
]
DimensionName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_:-]{1,256}$",
        description="ASCII letters, digits, _, - and :; of others SES drops the metric without a word",
    ),
]
DimensionValue = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,256}$",
        description="1 to 256 ASCII letters, digits, _ and - (SES also knows @ and ., CloudFormation does not)",
    ),
]
Domain = Annotated[
    str, Meta(pattern=r"^([a-z0-9-]+\.)+[a-z0-9-]{2,}$", description='a domain, as in "mail.bookshop.example"')
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
MaxConcurrency = Annotated[int, Meta(ge=2, le=1000, description="a whole number from 2 to 1000")]
AtLeastOne = Annotated[int, Meta(ge=1, description="a whole number from 1 on")]
LogDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]
ResourceTags = dict[str, str]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the file."""


class Dimension(Section, frozen=True):
    """What a CloudWatch metric is told apart by."""

    name: DimensionName
    source: Literal["messageTag", "emailHeader", "linkTag"] = "messageTag"
    default: DimensionValue = "none"
    """The value of mail that lacks it."""


class EventDestination(Section, frozen=True):
    """Somewhere else that SES publishes events to: exactly one of the four."""

    events: Annotated[tuple[Kind, ...], Meta(min_length=1)]
    enabled: bool = True
    sns_topic_arn: TopicArn | None = None
    """A standard topic of this Region whose policy lets SES publish."""
    firehose_stream_arn: StreamArn | None = None
    cloudwatch_dimensions: tuple[Dimension, ...] = ()
    """Each combination of event type and values is a metric of its own, and is billed."""
    event_bridge: bool = False
    """The default event bus, the only one SES knows."""

    @property
    def targets(self) -> list[str]:
        """Which of the four it names."""
        names = ("sns_topic_arn", "firehose_stream_arn", "cloudwatch_dimensions", "event_bridge")
        return [name for name in names if getattr(self, name)]


class ConfigurationSet(Section, frozen=True):
    """How SES sends with a configuration set, and what it publishes about that. What is left out is as SES has it."""

    feedback: tuple[Kind, ...] = FEEDBACK
    """Event types of the SNS event destination: seconds, a message each."""
    archive: tuple[Kind, ...] = UNTRACKED_EVENTS
    """Event types of the Firehose event destination: a minute or two, cheap."""
    event_destinations: dict[SesName, EventDestination] = {}
    """Others, beside `feedback` and `archive`."""
    tls_policy: Literal["OPTIONAL", "REQUIRE"] | None = None
    dedicated_pool: str | None = None
    """The pool of dedicated IP addresses to send from."""
    max_delivery_seconds: (
        Annotated[int, Meta(ge=300, le=50400, description="a whole number from 300 to 50400")] | None
    ) = None
    """How long SES goes on trying."""
    redirect_domain: Domain | None = None
    """The domain of tracked links and pixels."""
    https_policy: Literal["REQUIRE", "REQUIRE_OPEN_ONLY", "OPTIONAL"] | None = None
    reputation_metrics: bool = False
    """Bounce and complaint rates of this set as CloudWatch metrics."""
    sending_enabled: bool = True
    """False stops sending with this set. True leaves it as it is: deploying never resumes what was paused."""
    suppressed_reasons: tuple[Literal["BOUNCE", "COMPLAINT"], ...] | None = None
    """In the place of the account's; an empty list switches suppression off."""
    engagement_metrics: bool | None = None
    """The Virtual Deliverability Manager's dashboard, for this set."""
    optimized_shared_delivery: bool | None = None
    """The Virtual Deliverability Manager's guardian, for this set."""
    mail_archive_arn: MailArchiveArn | None = None
    resource_tags: ResourceTags = {}

    @property
    def published(self) -> set[Kind]:
        """Every event type that Aftersend gets of this set."""
        return {*self.feedback, *self.archive}


class Identity(Section, frozen=True):
    """An e-mail address or domain that messages are sent from."""

    existing: bool = False
    """Whether it was created elsewhere: then only its notification settings are ours."""
    configuration_set: SesName | None = None
    """The default configuration set: mail that names none is seen as well."""
    notifications: tuple[NotificationType, ...] = ("Bounce", "Complaint")
    """Notification types that go to the feedback topic, whatever configuration set a message names."""
    headers_in_notifications: tuple[NotificationType, ...] = ()
    """Notification types that carry the message's headers; each must be among `notifications`."""
    feedback_forwarding: bool = True
    """Whether SES also mails bounces and complaints to the sender. Off needs notifications of both."""
    mail_from_domain: Domain | None = None
    """A subdomain of its own for the envelope sender."""
    mail_from_on_mx_failure: Literal["USE_DEFAULT_VALUE", "REJECT_MESSAGE"] = "USE_DEFAULT_VALUE"
    dkim_signing: bool = True
    dkim_key_length: Literal["RSA_1024_BIT", "RSA_2048_BIT"] = "RSA_2048_BIT"
    resource_tags: ResourceTags = {}


class ContactTopic(Section, frozen=True):
    """What a contact may subscribe to."""

    display_name: str
    default_subscription: Literal["OPT_IN", "OPT_OUT"]
    description: str | None = None


class ContactList(Section, frozen=True):
    """The list behind SES's unsubscribe links. Only mail that names it has Subscription events."""

    description: str | None = None
    topics: dict[SesName, ContactTopic] = {}
    resource_tags: ResourceTags = {}


class Functions(Section, frozen=True):
    """How the Lambda functions are built and how many may run at once."""

    runs_on: Literal["aws", "local"] = "aws"
    """`local`: bundled for this processor and Python, which the emulator runs functions with."""
    feedback_max_concurrency: MaxConcurrency = 10
    archive_max_concurrency: MaxConcurrency = 10


class Environment(Section, frozen=True):
    """Everything that tells one deployment from another."""

    name: str
    account: Account
    region: Region
    configuration_sets: dict[SesName, ConfigurationSet]
    monthly_messages: Annotated[int, Meta(ge=0, description="a whole number")] = 0
    """What the cost estimate is made for."""
    retain_state: bool = True
    """Whether tables and archive outlive the stacks, which then are protected from termination."""
    counted_tags: tuple[TagName, ...] = ()
    """Message tags that are counted, beside configuration set and from-domain."""
    counter_shards: AtLeastOne = 1
    """Items each row of counters is spread over; more where a campaign would make one item hot."""
    archive_days: AtLeastOne = 400
    archive_interval_seconds: Annotated[int, Meta(ge=0, le=900, description="a whole number from 0 to 900")] = 60
    """How long Firehose collects before it writes an object."""
    log_days: LogDays = 30
    encrypted_topics: bool = False
    """Whether the topics are encrypted, with a key of this environment (about a dollar a month)."""
    alarm_addresses: tuple[Email, ...] = ()
    """Who is mailed when an alarm goes off; each has to confirm once."""
    on_identity_drift: Literal["alarm", "restore"] = "alarm"
    """What is done, beside the alarm, when SES has dropped the notification settings of an identity."""
    resource_tags: ResourceTags = {}
    """On every resource."""
    accepted_findings: dict[str, str] = {}
    """Findings of the linter that are meant so: the finding → why."""
    identities: dict[IdentityName, Identity] = {}
    contact_lists: dict[SesName, ContactList] = {}
    retention: Retention = Retention()
    suppression: Policy = Policy()
    functions: Functions = Functions()

    @property
    def is_emulated(self) -> bool:
        return self.functions.runs_on == "local"

    @property
    def counted(self) -> Counted:
        return Counted(tags=self.counted_tags, simulator=self.suppression.simulator)
