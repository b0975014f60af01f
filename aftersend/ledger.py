"""Define the ledger's items: an event's key, its attributes, its expiry, and which of two copies stays.

All of these follow from the event alone, never from its route, the clock or the attempt, so that writing an event
again, in whatever order, changes nothing.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import msgspec

from aftersend.events import ADDED, REMOVED, Event, Kind

FIRST_OPEN, FIRST_CLICK = "FirstOpen", "FirstClick"
"""Kinds of Aftersend: a message was opened (a link was clicked) for the first time. Their keys have no time, so that
there is one of each per message and recipient."""

Attributes = dict[str, Any]
"""An item's attributes as plain values: str, int, bool, list and dict."""


class Key(NamedTuple):
    """Identify an item: the recipient's address, and what distinguishes the events of one recipient."""

    partition: str
    sort: str


class Group(StrEnum):
    """Name the prefixes of sort keys, so that the few events that decide about a recipient are one short query."""

    FEEDBACK = "feedback"
    DELIVERY = "delivery"
    VOLUME = "volume"


COUNTERS_OUTLIVE_DAYS = 60
"""Days counters outlive events: more than lie between sending and any event, opens (volume) aside."""

Days = Annotated[int, msgspec.Meta(ge=1, description="a whole number of days, from 1 on")]


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Set how long the ledger keeps an event, in days from when it happened."""

    volume_days: Days = 30
    """Days for Send, Delivery, Open, Click, DeliveryDelay and all other kinds that do not decide about a recipient."""
    feedback_days: Days = 400
    """Days for Bounce, Complaint, Subscription and operators' acts."""

    @property
    def counters_days(self) -> int:
        """Return how many days after sending counters are kept: as long as an event in the ledger may still be
        replaced by a better copy, which moves them."""
        return max(self.volume_days, self.feedback_days) + COUNTERS_OUTLIVE_DAYS


FIRST_EVENT_DAYS = 90
"""Days after sending that `FirstOpen` and `FirstClick` are kept: as long as opens are accepted."""

EXPIRY_MARGIN = timedelta(hours=1)
"""An event this close to its expiry is no longer written: an item that time-to-live removed must not return."""

MAX_UNCUT_BYTES = 880
"""Size of the attributes, as JSON, up to which no text is shortened. With key and bookkeeping such an item takes one
write unit, 1 KiB. The events of complete SES records are smaller."""

SHORTENED_FIELDS = ("user_agent", "link", "diagnostic_code", "smtp_response", "error_message")
SHORTENED_CHARACTERS = 64
"""Fields of larger events that are shortened, in this order, and their length then. Tags never are."""

MAX_RECIPIENT_BYTES, MAX_MESSAGE_AND_KIND_BYTES, MAX_ITEM_BYTES = 2_048, 900, 300_000
"""DynamoDB's limits are 2,048 bytes for partition keys, 1,024 for sort keys and 400 KB for items ("Quotas in Amazon
DynamoDB"); the latter two hold more than is measured here."""

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
"""The fields that distinguish two events of one kind, message and recipient. SES gives events no id, and one event may
come over both routes with different times; so only kinds that may happen repeatedly include the time."""


def group(event: Event) -> Group:
    """Return the group of the event's kind."""
    return GROUPS.get(event.kind, Group.VOLUME)


def key(event: Event) -> Key:
    """Return the key of the event's item. All copies of an event have the same."""
    natural = _NATURAL_KEYS.get(event.kind, lambda _: ())(event)
    message = event.message_id
    if message is None:
        message, natural = "", (*natural, event.feedback_id, _time(event))
    partition = event.recipient if event.recipient is not None else f"message#{message}"
    return Key(partition, f"{group(event)}#{message}#{event.kind}#{digest(natural)}")


def too_large(event: Event) -> str | None:
    """Return, as a sentence without values, what makes an event too large for DynamoDB; None if nothing does.

    DynamoDB would refuse a whole batch because of one such item.
    """
    if len((event.recipient or "").encode()) > MAX_RECIPIENT_BYTES:
        return f"A recipient has more than {MAX_RECIPIENT_BYTES} bytes."
    if len(f"{event.message_id}{event.kind}".encode()) > MAX_MESSAGE_AND_KIND_BYTES:
        return f"Message id and type have more than {MAX_MESSAGE_AND_KIND_BYTES} bytes."
    if len(msgspec.json.encode(attributes(event))) > MAX_ITEM_BYTES:
        return f"The event has more than {MAX_ITEM_BYTES} bytes."
    return None


def attributes(event: Event) -> Attributes:
    """Return the event as attributes, with long texts shortened so that the item takes one write unit."""
    values = msgspec.to_builtins(event)
    values.pop("coerced_fields", None)  # a property of the copy, not of the event
    for name in SHORTENED_FIELDS:
        if len(msgspec.json.encode(values)) <= MAX_UNCUT_BYTES:
            break
        if name in values:
            values[name] = values[name][:SHORTENED_CHARACTERS]
    return values


def event_from_attributes(item: Mapping[str, Any]) -> Event:
    """Return the event of an item; attributes that are not the event's, as its keys, are ignored."""
    return msgspec.convert(item, Event)


def with_first_events(events: Iterable[Event]) -> Iterable[Event]:
    """Yield the events, and after each open and click the event that counts it once per message and recipient."""
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
    """Return when the ledger expires an event: it follows from the event's own time, so that all copies agree.

    None, which means never, if the record has no time that could be parsed.
    """
    if event.occurred_at is None:
        return None
    if event.kind in _FIRST_KINDS.values():
        return event.occurred_at + timedelta(days=FIRST_EVENT_DAYS)
    days = retention.feedback_days if group(event) is Group.FEEDBACK else retention.volume_days
    return event.occurred_at + timedelta(days=days)


def is_expired(event: Event, retention: Retention, now: datetime) -> bool:
    """Tell whether the item may have been removed already, so that writing it would count the event again."""
    expiry = expires_at(event, retention)
    return expiry is not None and expiry <= now + EXPIRY_MARGIN


def has_tags(event: Event) -> bool:
    """Tell whether the event has message tags. Identity notifications have none, and never replace a copy with tags."""
    return bool(event.tags)


def rank(event: Event) -> str:
    """Return what copies of one event are compared by: the greatest stays. Tags outweigh the number of fields."""
    values = attributes(event)
    return f"{int(has_tags(event))}{len(values):02d}{digest(values)}"


def _time(event: Event) -> str | None:
    time = event.reported_at or event.occurred_at
    return time.isoformat() if time else None


def digest(value: object) -> str:
    """Return 24 hexadecimal digits that identify a value of builtin types; the order of mappings does not matter."""
    return hashlib.blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=12).hexdigest()
