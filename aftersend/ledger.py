"""The ledger's items: which key an event has, what is kept of it, and which of two copies wins.

Key and attributes follow from the event alone, never from the route it came by, the clock or the attempt, so that
writing an event again, in whatever order, changes nothing.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import msgspec

from aftersend.events import ADDED, REMOVED, Event, Kind

FIRST_OPEN, FIRST_CLICK = "FirstOpen", "FirstClick"
"""Kinds of our own: a message was opened (clicked in) at least once. Without a time, so there is one per recipient."""

Attributes = dict[str, Any]
"""An item's attributes as plain values: str, int, bool, list and dict."""


class Key(NamedTuple):
    partition: str
    sort: str


class Group(StrEnum):
    """What the sort key begins with, so that the few facts that decide are one short query."""

    FEEDBACK = "feedback"
    DELIVERY = "delivery"
    VOLUME = "volume"


COUNTERS_OUTLIVE_DAYS = 60
"""Days counters outlive events: more than an event may happen after its message was sent, opens (volume) aside."""


Days = Annotated[int, msgspec.Meta(ge=1, description="a whole number of days, from 1 on")]


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the ledger keeps an event, in days from when it happened."""

    volume_days: Days = 30
    """Send, Delivery, Open, Click, DeliveryDelay and what else does not decide."""
    feedback_days: Days = 400
    """Bounce, Complaint, Subscription and operators' acts."""

    @property
    def counters_days(self) -> int:
        """How long counters are kept, from when their messages were sent: as long as any event in the ledger could
        still be replaced by a better copy, which moves them."""
        return max(self.volume_days, self.feedback_days) + COUNTERS_OUTLIVE_DAYS


FIRST_EVENT_DAYS = 90
"""Days that `FirstOpen` and `FirstClick` are kept after sending: as long as opens are accepted."""

EXPIRY_MARGIN = timedelta(hours=1)
"""An event this close to its expiry is not written any more: what time-to-live removed must not return."""

ATTRIBUTE_BYTES = 880
"""What attributes may take, as JSON: with key and bookkeeping an item then is one write unit, 1 KiB. Complete records
of SES fit without being cut."""

CUT_IN_ORDER = ("user_agent", "link", "diagnostic_code", "smtp_response", "error_message")
CUT_CHARACTERS = 64
"""What is shortened, and to how much, while the attributes are larger than ATTRIBUTE_BYTES. Tags never are."""

RECIPIENT_BYTES, MESSAGE_AND_KIND_BYTES, ITEM_BYTES = 2_048, 900, 300_000
"""DynamoDB takes partition keys of 2,048 bytes, sort keys of 1,024 and items of 400 KB; the latter two hold more."""

GROUPS: Mapping[str, Group] = {
    Kind.BOUNCE: Group.FEEDBACK,
    Kind.COMPLAINT: Group.FEEDBACK,
    Kind.SUBSCRIPTION: Group.FEEDBACK,
    ADDED: Group.FEEDBACK,
    REMOVED: Group.FEEDBACK,
    Kind.DELIVERY: Group.DELIVERY,
}

_NATURAL_KEYS: Mapping[str, Callable[[Event], tuple[str | None, ...]]] = {
    Kind.BOUNCE: lambda e: (e.reported_recipient, e.bounce_type, e.bounce_subtype, e.action, e.status),
    Kind.COMPLAINT: lambda e: (e.feedback_type, e.complaint_subtype),
    Kind.DELIVERY_DELAY: lambda e: (_time(e),),
    Kind.OPEN: lambda e: (_time(e), e.ip_address, e.user_agent),
    Kind.CLICK: lambda e: (_time(e), e.ip_address, e.user_agent, e.link),
    Kind.SUBSCRIPTION: lambda e: (_time(e), e.contact_list),
}
"""What tells two events of one kind, message and recipient apart. SES gives events no id, and one fact may come over
both channels with a differently written time; so only kinds that may truly happen again have a time."""


def group(event: Event) -> Group:
    return GROUPS.get(event.kind, Group.VOLUME)


def key(event: Event) -> Key:
    """Where the event is kept."""
    natural = _NATURAL_KEYS.get(event.kind, lambda _: ())(event)
    message = event.message_id
    if message is None:
        message, natural = "", (*natural, event.feedback_id, _time(event))
    partition = event.recipient if event.recipient is not None else f"message#{message}"
    return Key(partition, f"{group(event)}#{message}#{event.kind}#{digest(natural)}")


def too_large(event: Event) -> str | None:
    """What is too large about an event for DynamoDB to keep it, without its value; None if nothing is.

    A batch with one item that is too large would be refused as a whole.
    """
    if len((event.recipient or "").encode()) > RECIPIENT_BYTES:
        return f"A recipient has more than {RECIPIENT_BYTES} bytes."
    if len(f"{event.message_id}{event.kind}".encode()) > MESSAGE_AND_KIND_BYTES:
        return f"Message id and type have more than {MESSAGE_AND_KIND_BYTES} bytes."
    if len(msgspec.json.encode(attributes(event))) > ITEM_BYTES:
        return f"What is to be kept has more than {ITEM_BYTES} bytes."
    return None


def attributes(event: Event) -> Attributes:
    """What is kept of an event: all of it, with long texts cut so that the item takes one write unit."""
    kept = msgspec.to_builtins(event)
    kept.pop("coerced_fields", None)  # how a copy was read is nothing of the fact's
    for name in CUT_IN_ORDER:
        if len(msgspec.json.encode(kept)) <= ATTRIBUTE_BYTES:
            break
        if name in kept:
            kept[name] = kept[name][:CUT_CHARACTERS]
    return kept


def event_from_attributes(kept: Mapping[str, Any]) -> Event:
    """The event an item's attributes were made from; attributes that are not the event's are passed over."""
    return msgspec.convert(kept, Event)


def with_first_events(events: Iterable[Event]) -> Iterable[Event]:
    """The events, and behind each open and click the timeless item that makes unique counts."""
    for event in events:
        yield event
        if kind := _FIRST_KINDS.get(event.kind):
            yield Event(
                kind=kind,
                message_id=event.message_id,
                recipient=event.recipient,
                sent_at=event.sent_at,
                occurred_at=event.sent_at,
                source=event.source,
                tags=event.tags,
            )


_FIRST_KINDS: Mapping[str, str] = {Kind.OPEN: FIRST_OPEN, Kind.CLICK: FIRST_CLICK}


def expires_at(event: Event, retention: Retention) -> datetime | None:
    """When the ledger lets go of an event: by the event's own time, so that every copy of it expires together.

    None if SES told no time that could be read: then it is kept.
    """
    if event.occurred_at is None:
        return None
    if event.kind in _FIRST_KINDS.values():
        return event.occurred_at + timedelta(days=FIRST_EVENT_DAYS)
    days = retention.feedback_days if group(event) is Group.FEEDBACK else retention.volume_days
    return event.occurred_at + timedelta(days=days)


def is_expired(event: Event, retention: Retention, now: datetime) -> bool:
    """Whether the event may already have been removed, so that writing it would count it again."""
    expiry = expires_at(event, retention)
    return expiry is not None and expiry <= now + EXPIRY_MARGIN


def has_tags(event: Event) -> bool:
    """Event publishing carries tags, identity notifications never do: a copy without may not replace one with them."""
    return bool(event.tags)


def rank(event: Event) -> str:
    """Which of two copies of one fact is kept: the greater. Tags outweigh all else, then the number of known fields."""
    kept = attributes(event)
    return f"{int(has_tags(event))}{len(kept):02d}{digest(kept)}"


def _time(event: Event) -> str | None:
    stated = event.reported_at or event.occurred_at
    return stated.isoformat() if stated else None


def digest(content: object) -> str:
    """24 hexadecimal digits that stand for the content: builtin values, whose order in mappings does not matter."""
    return hashlib.blake2b(msgspec.json.encode(content, order="deterministic"), digest_size=12).hexdigest()
