"""The vocabulary: what SES tells about a message, one event per recipient. No parsing, no I/O."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What happened, as SES spells it in `eventType` and `notificationType`."""

    SEND = "Send"  # SES accepted the message and will try to deliver it
    REJECT = "Reject"  # SES accepted the message, found a virus and sent nothing
    RENDERING_FAILURE = "Rendering Failure"  # the template lacked a value; nothing was sent
    DELIVERY_DELAY = "DeliveryDelay"  # the recipient's server refused for now; SES goes on trying
    DELIVERY = "Delivery"  # the recipient's server accepted the message; a bounce may still follow
    BOUNCE = "Bounce"  # the recipient's server refused for good, or SES gave up trying
    COMPLAINT = "Complaint"  # the recipient (or their provider) reported the message as spam
    SUBSCRIPTION = "Subscription"  # the recipient changed what they subscribe to
    OPEN = "Open"  # the recipient's mail program (or a proxy) loaded the tracking pixel
    CLICK = "Click"  # the recipient (or a scanner) followed a tracked link


ADDED, REMOVED = "Added", "Removed"
"""Kinds of our own: an operator put a recipient on the suppression list, or took them off it."""


class BounceType(StrEnum):
    """`bounce.bounceType`."""

    PERMANENT = "Permanent"
    TRANSIENT = "Transient"
    UNDETERMINED = "Undetermined"


SUPPRESSION_LIST_SUBTYPES = frozenset({"OnAccountSuppressionList", "OnTenantSuppressionList"})
"""Subtypes of bounces and complaints that SES makes itself because a suppression list holds the address."""

NOT_SPAM = "not-spam"
"""The `complaintFeedbackType` (RFC 5965 registry) that takes a complaint back."""

SIMULATOR_DOMAIN = "simulator.amazonses.com"
"""The mailbox simulator: real events about invented recipients."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened to one message and, where SES names one, to one recipient.

    Times are aware and in UTC. What SES did not send is None or empty. Addresses are bare: no display name.
    """

    kind: str
    """A `Kind`, or one of our own."""
    message_id: str | None = None
    """`mail.messageId`: what the sending call returned. Of an operator's act, an id of its own."""
    sent_at: datetime | None = None
    """`mail.timestamp`: when SES accepted the message."""
    occurred_at: datetime | None = None
    """When it happened, held within what is possible for its kind (the bouncing server's clock is not trusted); of what
    has no time of its own, when the message was sent."""
    reported_at: datetime | None = None
    """When SES said it happened, where that is not `occurred_at`."""
    recipient: str | None = None
    """Lower-cased; None where SES names nobody, or nobody this message was sent to."""
    recipient_raw: str | None = None
    """The recipient as SES spelled it, where that is not `recipient`."""
    reported_recipient: str | None = None
    """The address a bounce named, where it is not one this message was sent to (a forward)."""
    source: str = ""
    """`mail.source`: the envelope sender."""
    tags: dict[str, list[str]] = {}
    """Message tags, custom ones and SES's own (`ses:…`). Empty in identity notifications, which carry none."""

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
    """How many recipients may have made this complaint, where more than one may have."""
    processing_time_millis: int | None = None
    smtp_response: str | None = None
    """What the recipient's server answered on delivery."""
    delay_type: str | None = None
    delay_expires_at: datetime | None = None
    ip_address: str | None = None
    """The IP address an open or a click came from."""
    user_agent: str | None = None
    """The user agent of an open, a click or a complaint."""
    bot_likelihood: str | None = None
    """`isBotEvent`: Likely or Unlikely."""
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
    """Fields that had another type than SES documents, or that nobody could read."""
    operator: str | None = None
    """Who acted, and why: of operators' acts."""
    note: str | None = None

    @property
    def configuration_set(self) -> str | None:
        """The configuration set the message was sent with; unknown to identity notifications."""
        return next(iter(self.tags.get("ses:configuration-set", ())), None)

    @property
    def from_domain(self) -> str:
        """The domain the message was sent from: SES's own tag, else the domain of the envelope sender."""
        return next(iter(self.tags.get("ses:from-domain", ())), None) or self.source.rpartition("@")[2].lower()

    @property
    def is_simulated(self) -> bool:
        """Whether the recipient is the mailbox simulator's."""
        return self.recipient is not None and self.recipient.endswith("@" + SIMULATOR_DOMAIN)


class Preferences(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a contact subscribes to, before or after a Subscription event."""

    unsubscribe_all: bool = False
    topics: dict[str, str] = {}
    """Topic name → OptIn or OptOut."""
