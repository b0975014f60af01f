"""Define the keys of an environment file as frozen types.

values.py has the types of their values. loader.py reads the files; lint.py finds values that are valid but do not work
in production.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from aftersend.config import values
from aftersend.contract import RUNBOOK
from aftersend.counting import CONFIGURATION_SET, MAX_COUNTED_LINK_TAGS, MAX_COUNTED_TAGS, Counted
from aftersend.events import Kind
from aftersend.metrics.reputation import Reputation
from aftersend.parsing import Options
from aftersend.retention import Retention
from aftersend.suppression import Policy

FEEDBACK = (Kind.BOUNCE, Kind.COMPLAINT, Kind.REJECT, Kind.RENDERING_FAILURE, Kind.DELIVERY_DELAY, Kind.SUBSCRIPTION)
"""Event types that are rare and needed within seconds, so that each event may be an SNS message of its own."""

UNTRACKED_EVENTS = (Kind.SEND, Kind.DELIVERY, *FEEDBACK)
"""Every event type except Open and Click: publishing those makes SES rewrite every message of the configuration set."""

MAX_TAG_HEADERS = 10
"""Headers that become tags. The environment variables of a function have 4 KB together ("Lambda quotas")."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Hold the values of one table of the file."""


class Dimension(Section, frozen=True):
    """Describe one dimension of the CloudWatch metrics of an event destination."""

    name: values.DimensionName
    source: Literal["messageTag", "emailHeader", "linkTag"] = "messageTag"
    default: values.DimensionValue = "none"
    """The value for messages without this tag or header."""


class EventDestination(Section, frozen=True):
    """Describe a further destination for events: exactly one topic, stream, list of dimensions or event bus."""

    events: Annotated[tuple[values.EventType, ...], Meta(min_length=1)]
    enabled: bool = True
    sns_topic_arn: values.TopicArn | None = None
    """A standard topic in the same Region. Its policy must allow SES to publish."""
    firehose_stream_arn: values.StreamArn | None = None
    """A stream in the same Region. Aftersend creates the role that SES writes with."""
    cloudwatch_dimensions: tuple[Dimension, ...] = ()
    """Each combination of an event type and dimension values is billed as a metric of its own."""
    event_bridge: bool = False
    """The default event bus; SES supports no other."""

    @property
    def targets(self) -> list[str]:
        """Return the keys of the targets that are set; exactly one must be."""
        names = ("sns_topic_arn", "firehose_stream_arn", "cloudwatch_dimensions", "event_bridge")
        return [name for name in names if getattr(self, name)]


SEND_METRIC = EventDestination(events=(Kind.SEND,), cloudwatch_dimensions=(Dimension(name=CONFIGURATION_SET),))
"""SES's own count of the sends of a configuration set: a metric that depends on nothing of Aftersend."""


class ConfigurationSet(Section, frozen=True):
    """Describe how SES sends with a configuration set and what it publishes. None keeps the SES default."""

    feedback: tuple[values.EventType, ...] = FEEDBACK
    """Event types that arrive through SNS: within seconds, one message per event."""
    archive: tuple[values.EventType, ...] = UNTRACKED_EVENTS
    """Event types that arrive through Firehose: within one or two minutes, at low cost."""
    event_destinations: dict[values.SesName, EventDestination] = {}
    """Event destinations in addition to `feedback` and `archive`."""
    tls_policy: Literal["OPTIONAL", "REQUIRE"] | None = None
    """Whether SES delivers to servers without TLS."""
    dedicated_pool: str | None = None
    """The dedicated IP pool to send from."""
    max_delivery_seconds: (
        Annotated[int, Meta(ge=300, le=50400, description="a whole number from 300 to 50400")] | None
    ) = None
    """How long SES retries a delivery."""
    redirect_domain: values.Domain | None = None
    """The domain of tracked links and tracking pixels."""
    https_policy: Literal["REQUIRE", "REQUIRE_OPEN_ONLY", "OPTIONAL"] | None = None
    """Whether tracked links and tracking pixels use HTTPS; needs `redirect_domain`."""
    reputation_metrics: bool = False
    """Whether SES publishes bounce and complaint rates of this set as CloudWatch metrics."""
    sending_enabled: bool = True
    """False stops sending with this set. True changes nothing: a deployment never resumes paused sending."""
    suppressed_reasons: tuple[Literal["BOUNCE", "COMPLAINT"], ...] | None = None
    """Replaces the account-level setting; an empty list turns SES's own suppression off."""
    auto_validation_threshold: Literal["MEDIUM", "HIGH", "MANAGED", "DISABLED"] | None = None
    """How likely delivery must be for SES to send at all (Auto Validation). None inherits the account's setting."""
    engagement_metrics: bool | None = None
    """The Virtual Deliverability Manager dashboard for this set."""
    optimized_shared_delivery: bool | None = None
    """The Virtual Deliverability Manager guardian for this set."""
    mail_archive_arn: values.MailArchiveArn | None = None
    """Where SES archives the messages themselves."""
    resource_tags: values.ResourceTags = {}

    @property
    def published(self) -> set[Kind]:
        """Return every event type that Aftersend receives for this set."""
        return {*self.feedback, *self.archive}


class Identity(Section, frozen=True):
    """Describe a domain or e-mail address that messages are sent from."""

    existing: bool = False
    """Whether the identity was created elsewhere; Aftersend then manages only its notification settings."""
    configuration_set: values.SesName | None = None
    """The default configuration set, used for mail that names none."""
    notifications: tuple[values.NotificationType, ...] = ("Bounce", "Complaint")
    """Notification types sent to the feedback topic, whichever configuration set a message names."""
    headers_in_notifications: tuple[values.NotificationType, ...] = ()
    """Notification types that include the original headers; each must be in `notifications`."""
    feedback_forwarding: bool = True
    """Whether SES also mails bounces and complaints to the sender. False needs both in `notifications`."""
    mail_from_domain: values.Domain | None = None
    """A subdomain of the identity for the envelope sender."""
    mail_from_on_mx_failure: Literal["USE_DEFAULT_VALUE", "REJECT_MESSAGE"] = "USE_DEFAULT_VALUE"
    """What SES does with mail if the MX record of `mail_from_domain` is missing."""
    dkim_signing: bool = True
    dkim_key_length: Literal["RSA_1024_BIT", "RSA_2048_BIT"] = "RSA_2048_BIT"
    resource_tags: values.ResourceTags = {}


class ContactTopic(Section, frozen=True):
    """Describe a topic that contacts can subscribe to."""

    display_name: str
    default_subscription: Literal["OPT_IN", "OPT_OUT"]
    description: str | None = None


class ContactList(Section, frozen=True):
    """Describe the contact list behind SES unsubscribe links. Only mail that names it has Subscription events."""

    existing: bool = False
    """Whether the contact list exists, as one that an earlier deployment retained; Aftersend then changes nothing."""
    description: str | None = None
    topics: dict[values.SesName, ContactTopic] = {}
    resource_tags: values.ResourceTags = {}


class ExistingState(Section, frozen=True):
    """Name what an earlier deployment retained. It is used as it is, instead of being created."""

    ledger_table: values.TableName | None = None
    """Its stream must have new and old images, its time-to-live attribute must be `expires`."""
    ledger_stream_arn: values.TableStreamArn | None = None
    """The stream of `ledger_table`."""
    counters_table: values.TableName | None = None
    suppressions_table: values.TableName | None = None
    suppressions_stream_arn: values.TableStreamArn | None = None
    """The stream of `suppressions_table`."""
    archive_bucket: values.BucketName | None = None
    recipient_hash_key_secret_arn: values.SecretArn | None = None
    """Without the key that `suppressions_table` was written with, forgotten recipients are no longer suppressed."""


class SuppressionEvents(Section, frozen=True):
    """Describe the events about changes of the suppression list."""

    include_address: bool = False
    """Whether they contain the recipient's address, and not only its keyed hash."""


class Canary(Section, frozen=True):
    """Describe the messages to the mailbox simulator that show, every hour, that events arrive."""

    from_address: values.Email
    """The sender, of an identity of this environment."""
    configuration_set: values.SesName
    """A configuration set of this environment that publishes Send, Delivery, Bounce and Complaint."""


class Functions(Section, frozen=True):
    """Describe how the Lambda functions are built and how many run at once."""

    runs_on: Literal["aws", "local"] = "aws"
    """`local` bundles them for this machine's processor and Python version, which the emulator uses."""
    feedback_max_concurrency: values.MaxConcurrency = 10
    archive_max_concurrency: values.MaxConcurrency = 10


class Environment(Section, frozen=True):
    """Describe one deployment."""

    name: str
    account: values.Account
    region: values.Region
    configuration_sets: dict[values.SesName, ConfigurationSet]
    monthly_messages: Annotated[int, Meta(ge=0, description="a whole number of at least 0")] = 0
    """The volume that the cost estimate assumes."""
    retain_state: bool = True
    """Whether tables, archive and hash key outlive their stack, which is then protected from termination."""
    counted_tags: Annotated[tuple[values.TagName, ...], Meta(max_length=MAX_COUNTED_TAGS)] = ()
    """Message tags that are counted, in addition to configuration set, from-domain and mailbox provider."""
    counted_link_tags: Annotated[tuple[values.TagName, ...], Meta(max_length=MAX_COUNTED_LINK_TAGS)] = ()
    """Link tags (`ses:tags` of a link) by which clicks are counted."""
    tag_headers: Annotated[
        dict[values.HeaderName, values.CustomTagName],
        Meta(max_length=MAX_TAG_HEADERS, description="a table of at most 10 headers"),
    ] = {}
    """Headers whose values become tags where a message has no tag of that name: header → tag."""
    keep_subject: bool = False
    """Whether events have the subject of their message."""
    counting_window_seconds: Annotated[int, Meta(ge=0, le=300, description="a whole number from 0 to 300")] = 110
    """How long changes of the ledger are collected before they are counted: the longer, the fewer writes."""
    archive_days: values.AtLeastOne = 400
    archive_interval_seconds: Annotated[int, Meta(ge=0, le=900, description="a whole number from 0 to 900")] = 60
    """How long Firehose buffers records before it writes an object."""
    warm_throughput: Annotated[int, Meta(ge=4000, description="a whole number of at least 4000")] | None = None
    """Writes a second that ledger and counters take at once; None leaves DynamoDB's 4,000, which grow with use."""
    ledger_recovery: bool = False
    """Whether the ledger has point-in-time recovery, as the other tables do; without it, the archive is replayed."""
    log_days: values.LogDays = 30
    encrypted_topics: bool = False
    """Whether the topics are encrypted with a KMS key of this environment (about $1 a month)."""
    alarm_addresses: tuple[values.Email, ...] = ()
    """Addresses notified of alarms; each must confirm its subscription once."""
    ticket_addresses: tuple[values.Email, ...] | None = None
    """Addresses notified of alarms that can wait for working hours, instead of `alarm_addresses`."""
    runbook_url: values.WebAddress | None = None
    """Where docs/operations.md is published: descriptions of alarms and the dashboard link its sections."""
    on_identity_drift: Literal["alarm", "restore"] = "alarm"
    """Whether notification settings that SES dropped are restored, or only raise an alarm."""
    mass_suppression_percent: Annotated[int, Meta(ge=1, le=99, description="a whole number from 1 to 99")] = 10
    """How much of the mail of two hours may suppress its recipients before an alarm is raised."""
    count_sends: bool = True
    """Whether SES also counts the sends of each configuration set, in CloudWatch, for check_counts to compare."""
    counts_missing_percent: Annotated[int, Meta(ge=1, le=99, description="a whole number from 1 to 99")] = 2
    """How much of a configuration set's mail may be missing in the counters before an alarm is raised."""
    unseen_percent: Annotated[int, Meta(ge=1, le=100, description="a whole number from 1 to 100")] = 5
    """How much of the account's mail may name no configuration set of this environment; 100 raises no alarm."""
    max_tag_values: values.AtLeastOne = 1_000
    """How many values a counted tag may have a day before an alarm is raised."""
    tag_metric_values: Annotated[int, Meta(ge=0, le=50, description="a whole number from 0 to 50")] = 0
    """How many values of each of `counted_tags` have CloudWatch metrics on a day; 0 makes none. N cost at most about
    (N + 1) values (with `other`) x tags x 12 groups of measures with data x $0.30 a month."""
    resource_tags: values.ResourceTags = {}
    """Tags of every resource."""
    accepted_findings: dict[str, str] = {}
    """Warnings of the linter to accept: id → reason."""
    identities: dict[values.IdentityName, Identity] = {}
    contact_lists: dict[values.SesName, ContactList] = {}
    existing_state: ExistingState = ExistingState()
    retention: Retention = Retention()
    suppression: Policy = Policy()
    reputation: Reputation = Reputation()
    suppression_events: SuppressionEvents = SuppressionEvents()
    canary: Canary | None = None
    functions: Functions = Functions()

    @property
    def is_emulated(self) -> bool:
        """Return whether the environment runs on the local emulator."""
        return self.functions.runs_on == "local"

    @property
    def ticket_recipients(self) -> tuple[values.Email, ...]:
        """Return who is notified of alarms that can wait."""
        return self.alarm_addresses if self.ticket_addresses is None else self.ticket_addresses

    @property
    def runbook(self) -> str:
        """Return where the sections about alarms are: a URL, or a path in this project."""
        return self.runbook_url or RUNBOOK

    @property
    def parsing(self) -> Options:
        """Return the settings of parsing that the functions need. Names of headers have no letter case."""
        return Options({name.lower(): tag for name, tag in self.tag_headers.items()}, self.keep_subject)

    @property
    def tracked(self) -> dict[str, list[str]]:
        """Return which of opens and clicks each configuration set publishes."""
        sets = self.configuration_sets.items()
        return {name: [kind for kind in (Kind.OPEN, Kind.CLICK) if kind in each.published] for name, each in sets}

    @property
    def compared_sets(self) -> tuple[str, ...]:
        """Return the configuration sets whose sends SES counts and Aftersend receives."""
        sets = self.configuration_sets.items() if self.count_sends else ()
        return tuple(name for name, settings in sets if Kind.SEND in settings.published)

    @property
    def checks_counts(self) -> bool:
        """Return whether check_counts has anything to do: sends to compare, or values with metrics to choose."""
        return bool(self.compared_sets or self.tag_metric_values)

    @property
    def canary_identity(self) -> str | None:
        """Return the identity that sends the canary."""
        return self.identity_of(self.canary.from_address) if self.canary else None

    def identity_of(self, address: str) -> str | None:
        """Return the identity that sends for an address: the address itself, else the closest domain above it."""
        domain = address.rpartition("@")[2].lower()
        domains = (domain.split(".", depth)[-1] for depth in range(domain.count(".") + 1))
        return next((name for name in (address, *domains) if name in self.identities), None)

    @property
    def counted(self) -> Counted:
        """Return the settings of counting that the functions need."""
        return Counted(tags=self.counted_tags, link_tags=self.counted_link_tags, simulator=self.suppression.simulator)
