"""Define the event: one thing that happened to one message and recipient, in SES's own vocabulary."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """Name what happened, as SES spells it in `eventType` and `notificationType`."""

    SEND = "Send"  # SES accepted the message and will try to deliver it
    REJECT = "Reject"  # SES accepted the message, found a virus and sent nothing
    RENDERING_FAILURE = "Rendering Failure"  # the template lacked a value; nothing was sent
    DELIVERY_DELAY = "DeliveryDelay"  # the recipient's server refused for now; SES retries
    DELIVERY = "Delivery"  # the recipient's server accepted the message; a bounce may still follow
    BOUNCE = "Bounce"  # the recipient's server refused for good, or SES gave up trying
    COMPLAINT = "Complaint"  # the recipient (or their provider) reported the message as spam
    SUBSCRIPTION = "Subscription"  # the recipient changed what they subscribe to
    OPEN = "Open"  # the recipient's mail program (or a proxy) loaded the tracking pixel
    CLICK = "Click"  # the recipient (or a scanner) followed a tracked link


ADDED, REMOVED = "Added", "Removed"
"""Kinds of Aftersend: an operator added a recipient to the suppression list, or removed them from it."""

OPERATOR_ACTS = frozenset({ADDED, REMOVED})

ON_ACCOUNT_LIST, PUT_ON_ACCOUNT_LIST = "OnAccountList", "PutOnAccountList"
"""Kinds of Aftersend: SES's account suppression list has a recipient for a reason unknown before, or Aftersend is about
to put them there."""


class Machine(StrEnum):
    """Name why an open or a click is taken for a machine's."""

    BOT_MARK = "bot-mark"  # SES marks it as likely a bot's (`isBotEvent`)
    PROXY = "privacy-proxy"  # a proxy that loads every image when mail arrives, whether it is read or not
    SCANNER = "scanner"  # a security scanner, or a program that is no mail program


class BounceType(StrEnum):
    """Name the values of `bounce.bounceType`."""

    PERMANENT = "Permanent"
    TRANSIENT = "Transient"
    UNDETERMINED = "Undetermined"


SUPPRESSION_LIST_SUBTYPES = frozenset({"OnAccountSuppressionList", "OnTenantSuppressionList"})
"""Subtypes of bounces and complaints that SES itself creates because a suppression list holds the address."""

NOT_SPAM = "not-spam"
"""The `complaintFeedbackType` (RFC 5965 registry) that takes a complaint back."""

SIMULATOR_DOMAIN = "simulator.amazonses.com"
"""The domain of the SES mailbox simulator: its events are real, its recipients are not."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Describe one thing that happened to one message and, where SES names one, to one recipient.

    Times are aware and in UTC. Fields that SES did not send are None or empty. Addresses have no display name.
    """

    kind: str
    """A `Kind`, a kind of Aftersend, or an unknown `eventType` as SES spells it."""
    message_id: str | None = None
    """`mail.messageId`, which the sending call returned; for an operator's act, an id of its own."""
    sent_at: datetime | None = None
    """`mail.timestamp`: when SES accepted the message."""
    occurred_at: datetime | None = None
    """When it happened, clamped to the times possible for its kind (a bouncing server's clock may be wrong); `sent_at`
    for kinds without a time of their own."""
    reported_at: datetime | None = None
    """The time in the record, where that is not `occurred_at`."""
    recipient: str | None = None
    """The address in lower case; None where SES names none, or none this message was sent to."""
    recipient_raw: str | None = None
    """The address as SES spells it, where that is not `recipient`."""
    reported_recipient: str | None = None
    """The address a bounce names, where the message was not sent to it (a forward)."""
    source: str = ""
    """`mail.source`: the envelope sender."""
    tags: dict[str, list[str]] = {}
    """Message tags, custom ones and SES's own (`ses:…`), and tags from headers. Identity notifications have none but
    those."""
    subject: str | None = None
    """The message's subject, if it is kept (`parsing.Options`)."""

    bounce_type: str | None = None
    bounce_subtype: str | None = None
    action: str | None = None
    """The delivery status notification's Action field (RFC 3464)."""
    status: str | None = None
    """The enhanced status code (RFC 3463), as in 5.1.1."""
    diagnostic_code: str | None = None
    feedback_id: str | None = None
    """SES's id of a bounce or complaint."""
    feedback_type: str | None = None
    """`complaintFeedbackType`."""
    complaint_subtype: str | None = None
    candidate_count: int | None = None
    """How many recipients may have complained, where that is more than one."""
    processing_time_millis: int | None = None
    smtp_response: str | None = None
    """The answer of the recipient's server to a delivery."""
    delay_type: str | None = None
    delay_expires_at: datetime | None = None
    ip_address: str | None = None
    """The IP address an open or a click came from."""
    user_agent: str | None = None
    """The user agent of an open, a click or a complaint."""
    bot_likelihood: str | None = None
    """`isBotEvent`: Likely or Unlikely."""
    machine: str | None = None
    """Why an open or a click is taken for a machine's, a `Machine`; None for a person's."""
    link: str | None = None
    link_tags: dict[str, list[str]] = {}
    reject_reason: str | None = None
    template_name: str | None = None
    error_message: str | None = None
    contact_list: str | None = None
    subscription_source: str | None = None
    old_preferences: "Preferences | None" = None
    new_preferences: "Preferences | None" = None
    coerced_fields: tuple[str, ...] = ()
    """Paths of fields that had another type than SES documents, coerced or dropped."""
    operator: str | None = None
    """Who acted; only of operators' acts."""
    scope: str | None = None
    """In which scope they acted; None for all mail."""
    list_reason: str | None = None
    """BOUNCE or COMPLAINT; only of events about the account suppression list."""
    note: str | None = None
    """Why they acted."""

    @property
    def configuration_set(self) -> str | None:
        """Return the configuration set the message was sent with; identity notifications do not name it."""
        return next(iter(self.tags.get("ses:configuration-set", ())), None)

    @property
    def from_domain(self) -> str:
        """Return the domain the message was sent from: SES's own tag, else the domain of the envelope sender."""
        return next(iter(self.tags.get("ses:from-domain", ())), None) or self.source.rpartition("@")[2].lower()

    @property
    def is_simulated(self) -> bool:
        """Return whether the recipient is an address of the mailbox simulator."""
        return self.recipient is not None and self.recipient.endswith("@" + SIMULATOR_DOMAIN)


class Preferences(msgspec.Struct, frozen=True, omit_defaults=True):
    """Describe what a contact subscribes to, before or after a Subscription event."""

    unsubscribe_all: bool = False
    topics: dict[str, str] = {}
    """Topic name → OptIn or OptOut."""
