"""Define the ledger's items: an event's key, its attributes, what cannot be stored, and which of two copies stays.

All of these follow from the event alone, never from its route, the clock or the attempt, so that writing an event
again, in whatever order, changes nothing.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from aftersend.contract import FEEDBACK_DAY, SCHEMA, SCHEMA_ATTRIBUTE
from aftersend.events import ADDED, ON_ACCOUNT_LIST, PUT_ON_ACCOUNT_LIST, REMOVED, Event, Kind

FIRST_OPEN, FIRST_CLICK = "FirstOpen", "FirstClick"
"""Kinds of Aftersend: a person opened a message (clicked a link) for the first time. Their keys have no time, so that
there is one of each per message and recipient."""

FIRST_KINDS: Mapping[str, str] = {Kind.OPEN: FIRST_OPEN, Kind.CLICK: FIRST_CLICK}
"""The kinds that count opens and clicks by people once."""

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


MAX_UNCUT_BYTES = 880
"""Size of the attributes, as JSON, up to which no text is shortened. With key and bookkeeping such an item takes one
write unit, 1 KiB. The events of complete SES records are smaller."""

SHORTENED_FIELDS = ("user_agent", "subject", "link", "diagnostic_code", "smtp_response", "error_message")
SHORTENED_CHARACTERS = 64
"""Fields of larger events that are shortened, in this order, and their length then. Tags never are."""

MESSAGE_PARTITION, OWN_PARTITION = "MESSAGE#", "AFTERSEND#"
"""Prefixes of the partitions of messages, for events that name no recipient, and of items that are no events. They are
in upper case because recipients are in lower case, so that no recipient has such a partition."""

MAX_RECIPIENT_BYTES, MAX_MESSAGE_AND_KIND_BYTES, MAX_ITEM_BYTES = 2_048, 900, 150_000
MAX_NAME_BYTES, MAX_NUMBER = 65_535, 10**38 - 1
"""DynamoDB's limits are 2,048 bytes for partition keys, 1,024 for sort keys, 400 KB for items, 65,535 bytes for names
of attributes, and 38 digits ("Quotas in Amazon DynamoDB"). Sort keys and items hold more than is measured here, and
25 items with every character escaped must fit into a request of 16 MB."""

MAX_DISTINGUISHING_BYTES = 4_096
"""Size, as JSON, of the fields that distinguish feedback: entries keep them in full as evidence."""

GROUPS: Mapping[str, Group] = {
    Kind.BOUNCE: Group.FEEDBACK,
    Kind.COMPLAINT: Group.FEEDBACK,
    Kind.SUBSCRIPTION: Group.FEEDBACK,
    ADDED: Group.FEEDBACK,
    REMOVED: Group.FEEDBACK,
    ON_ACCOUNT_LIST: Group.FEEDBACK,
    PUT_ON_ACCOUNT_LIST: Group.FEEDBACK,
    Kind.DELIVERY: Group.DELIVERY,
}

_NATURAL_KEYS: Mapping[str, Callable[[Event], tuple[str | None, ...]]] = {
    Kind.BOUNCE: lambda e: (e.reported_recipient, e.bounce_type, e.bounce_subtype, e.action, e.status),
    Kind.COMPLAINT: lambda e: (e.feedback_type, e.complaint_subtype),
    Kind.DELIVERY_DELAY: lambda e: (_time(e),),
    Kind.OPEN: lambda e: (_time(e), e.ip_address, e.user_agent),
    Kind.CLICK: lambda e: (_time(e), e.ip_address, e.user_agent, e.link),
    Kind.SUBSCRIPTION: lambda e: (_time(e), e.contact_list),
    ON_ACCOUNT_LIST: lambda e: (_time(e), e.list_reason),
    PUT_ON_ACCOUNT_LIST: lambda e: (_time(e), e.list_reason),
}
"""The fields that distinguish two events of one kind, message and recipient. SES gives events no id, and one event may
come over both routes with different times; so only kinds that may happen repeatedly include the time. A complaint does
not: where a recipient complains about a message, takes it back and complains again, the last complaint is kept."""

KINDS_WITH_TIME = frozenset({Kind.DELIVERY_DELAY, Kind.OPEN, Kind.CLICK, Kind.SUBSCRIPTION})
"""Kinds whose key has the time at which they occurred."""


def group(event: Event) -> Group:
    """Return the group of the event's kind."""
    return GROUPS.get(event.kind, Group.VOLUME)


def key(event: Event) -> Key:
    """Return the key of the event's item. All copies of an event have the same."""
    natural = _natural_key(event)
    message = event.message_id
    if message is None:
        message, natural = "", (*natural, event.feedback_id, _time(event))
    partition = event.recipient if event.recipient is not None else f"{MESSAGE_PARTITION}{message}"
    return Key(partition, f"{group(event)}#{message}#{event.kind}#{digest(natural)}")


def _natural_key(event: Event) -> tuple[str | None, ...]:
    return _NATURAL_KEYS.get(event.kind, lambda _: ())(event)


def storage_problem(event: Event) -> str | None:
    """Return, as a sentence without values, why DynamoDB would refuse the event; None if it would not.

    DynamoDB would refuse a whole batch because of one such item.
    """
    return next(_storage_problems(event), None)


def _storage_problems(event: Event) -> Iterator[str]:
    if "" in (event.recipient, event.message_id):
        yield "A recipient or a message id is empty."
    if len((event.recipient or "").encode()) > MAX_RECIPIENT_BYTES:
        yield f"A recipient has more than {MAX_RECIPIENT_BYTES} bytes."
    if len(f"{event.message_id}{event.kind}".encode()) > MAX_MESSAGE_AND_KIND_BYTES:
        yield f"Message id and type have more than {MAX_MESSAGE_AND_KIND_BYTES} bytes."
    # The event itself is encoded in a quarter of the time of its attributes, and is never shorter.
    if len(msgspec.json.encode(event)) > MAX_ITEM_BYTES < len(msgspec.json.encode(attributes(event))):
        yield f"The event has more than {MAX_ITEM_BYTES} bytes."
    preferences = [topics.topics for topics in (event.old_preferences, event.new_preferences) if topics]
    if not all(0 < len(name.encode()) <= MAX_NAME_BYTES for name in chain(event.tags, event.link_tags, *preferences)):
        yield f"A tag or a topic has no name, or one of more than {MAX_NAME_BYTES} bytes."
    if any(abs(number or 0) > MAX_NUMBER for number in (event.processing_time_millis, event.candidate_count)):
        yield "A number has more than 38 digits."
    distinguishing = (*_natural_key(event), event.feedback_id)
    if group(event) is Group.FEEDBACK and len(msgspec.json.encode(distinguishing)) > MAX_DISTINGUISHING_BYTES:
        yield f"The fields that distinguish the event have more than {MAX_DISTINGUISHING_BYTES} bytes."


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


INDEXED_KINDS = frozenset({Kind.BOUNCE, Kind.COMPLAINT, Kind.SUBSCRIPTION})
"""Kinds that the indexes of feedback have: operators' acts are about no message."""

PARTITIONS_PER_DAY = 8
"""Over how many partitions the feedback of a day is spread. One takes 1,000 writes a second, and an index that is
throttled throttles its table ("Using Global Secondary Indexes in DynamoDB"). Stored items have these partitions: fewer
would hide some of them."""


def index_attributes(event: Event) -> Attributes:
    """Return the attribute by which the indexes of feedback have an event; none of an event without a place in them."""
    if event.kind not in INDEXED_KINDS or event.sent_at is None or event.message_id is None:
        return {}
    number = int(digest(event.message_id)[0], 16) % PARTITIONS_PER_DAY
    return {FEEDBACK_DAY: f"{event.sent_at.date()}#{number}"}


def day_partitions(day: date) -> list[str]:
    """Return the partitions of the index with the feedback about messages that were sent on a day, in UTC."""
    return [f"{day}#{number}" for number in range(PARTITIONS_PER_DAY)]


class NewerSchema(Exception):
    """An item was written by a newer version of Aftersend, with another layout."""


def checked(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the attributes of an item whose layout is known.

    Raises:
        NewerSchema: if it is not.
    """
    if (schema := item.get(SCHEMA_ATTRIBUTE, SCHEMA)) > SCHEMA:
        raise NewerSchema(f"An item has schema {schema}, newer than {SCHEMA}: deploy the newer version again.")
    return item


def event_from_attributes(item: Mapping[str, Any]) -> Event:
    """Return the event of an item; attributes that are not the event's, as its keys, are ignored."""
    return msgspec.convert(checked(item), Event)


def with_first_events(events: Iterable[Event]) -> Iterable[Event]:
    """Yield the events, and after each open and click by a person the event that counts it once per message and
    recipient."""
    for event in events:
        yield event
        if (kind := FIRST_KINDS.get(event.kind)) and not event.machine:
            yield Event(
                kind=kind,
                message_id=event.message_id,
                recipient=event.recipient,
                sent_at=event.sent_at,
                occurred_at=event.sent_at,
                source=event.source,
                tags=event.tags,
            )


def is_complete(event: Event) -> bool:
    """Tell whether a copy has what every copy from event publishing has: the tag of its configuration set, the time of
    sending and a from-domain.

    Identity notifications have no tags but those of headers, which are never SES's own. An incomplete copy never
    replaces a complete one; a complete one of volume replaces whatever is stored. So of complete copies of volume that
    differ in their tags the one written last counts: counts move, and never double.
    """
    return bool(event.configuration_set and event.sent_at and event.from_domain)


def rank(event: Event) -> str:
    """Return what copies of one event are compared by: the greatest stays.

    What counts depend on outweighs the number of fields. Tags of headers alone count for nothing: a copy with the tags
    that SES accepted outranks every copy without. Of complaints with equal tags the latest stays.
    """
    values = attributes(event)
    time = (event.reported_at or event.occurred_at) if event.kind == Kind.COMPLAINT else None
    reported = time.isoformat(timespec="milliseconds") if time else ""
    tags = min(len(event.tags), 99) if event.configuration_set else 0
    return f"{int(is_complete(event))}{tags:02d}{reported}#{len(values):02d}{digest(values)}"


def _time(event: Event) -> str | None:
    time = event.reported_at or event.occurred_at
    return time.isoformat() if time else None


def digest(value: object) -> str:
    """Return 24 hexadecimal digits that identify a value of builtin types; the order of mappings does not matter."""
    return hashlib.blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=12).hexdigest()
