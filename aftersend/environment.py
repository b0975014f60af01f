"""An environment: one TOML file read into typed, frozen values. What the stacks create follows from it alone."""

from pathlib import Path
from typing import Literal

import msgspec

from aftersend.counting import Counted
from aftersend.events import Kind
from aftersend.ledger import Retention
from aftersend.suppression import Policy

FOLDER = Path(__file__).parent.parent / "environments"

FEEDBACK = (
    Kind.BOUNCE,
    Kind.COMPLAINT,
    Kind.REJECT,
    Kind.RENDERING_FAILURE,
    Kind.DELIVERY_DELAY,
    Kind.SUBSCRIPTION,
)
"""What is worth a message of its own: rare, and wanted within seconds."""

WITHOUT_TRACKING = (Kind.SEND, Kind.DELIVERY, *FEEDBACK)
"""Everything but opens and clicks: asking for those makes SES rewrite every message of the configuration set."""

NotificationType = Literal["Bounce", "Complaint", "Delivery"]


class InvalidEnvironment(Exception):
    """An environment that cannot be used; the message says which, why and what would be right."""


class ConfigurationSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What SES publishes about the messages sent with a configuration set."""

    feedback: tuple[Kind, ...] = FEEDBACK
    """Event types of the SNS event destination: seconds, a message each."""
    archive: tuple[Kind, ...] = WITHOUT_TRACKING
    """Event types of the Firehose event destination: a minute or two, cheap."""


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An e-mail address or domain that messages are sent from."""

    configuration_set: str
    """The default configuration set: mail that names none is seen as well."""
    notifications: tuple[NotificationType, ...] = ("Bounce", "Complaint")
    """Notification types that go to the feedback topic, whatever configuration set a message names."""
    headers_in_notifications: tuple[NotificationType, ...] = ()
    """Notification types that carry the message's headers; each must be among `notifications`."""
    feedback_forwarding: bool = True
    """Whether SES also mails bounces and complaints to the sender. Off needs notifications of both."""


class Functions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the Lambda functions are built and how many may run at once."""

    runs_on: Literal["aws", "this-machine"] = "aws"
    """`this-machine`: bundled for this processor and Python, which the emulator runs functions with."""
    most_feedback_at_once: int = 10
    most_archive_at_once: int = 10


class Environment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that tells one deployment from another."""

    name: str
    account: str
    region: str
    retain_state: bool = True
    """Whether tables and archive outlive the stacks."""
    counted_tags: tuple[str, ...] = ()
    """Message tags that are counted, beside configuration set and from-domain."""
    counter_shards: int = 1
    """Items each row of counters is spread over; more where a campaign would make one item hot."""
    archive_days: int = 400
    archive_interval_seconds: int = 60
    """How long Firehose collects before it writes an object: 0 to 900."""
    configuration_sets: dict[str, ConfigurationSet]
    identities: dict[str, Identity] = {}
    retention: Retention = Retention()
    suppression: Policy = Policy()
    functions: Functions = Functions()

    @property
    def is_emulated(self) -> bool:
        return self.functions.runs_on == "this-machine"

    @property
    def counted(self) -> Counted:
        return Counted(tags=self.counted_tags, simulator=self.suppression.simulator)


def names() -> list[str]:
    """The environments there are."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str | None) -> Environment:
    """The environment of that name.

    Raises:
        InvalidEnvironment: if there is none, or its file says something that cannot be.
    """
    if name not in names():
        asked = f'There is no environment "{name}".' if name else "No environment was named."
        raise InvalidEnvironment(f"{asked} There are: {', '.join(names())}. Name one with `-c env=NAME`.")
    file = FOLDER / f"{name}.toml"
    try:
        found = msgspec.toml.decode(file.read_bytes(), type=dict)
        return msgspec.convert({"name": name, **found}, Environment)
    except msgspec.DecodeError as error:
        raise InvalidEnvironment(f"environments/{name}.toml: {error}") from error
