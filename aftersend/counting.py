"""What an event adds to which counters. Depends on the event alone, never on the clock, a budget or the order.

The ledger's stream tells each change of an item once, with its image before and after: a counter moves by what the
new image contributes less what the old one did, so that a better copy of a fact moves counts instead of adding to them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from aftersend.events import BounceType, Event, Kind
from aftersend.ledger import FIRST_CLICK, FIRST_OPEN, digest
from aftersend.suppression import is_not_spam, is_out_of_office, is_suppression_list_echo

CONFIGURATION_SET, FROM_DOMAIN = "ses:configuration-set", "ses:from-domain"
"""Tags of SES's own that are always counted."""

VALUES_COUNTED = 5
"""Values of one tag on one event that are counted: a bound on what one event may write. SES sends one."""

VALUE_CHARACTERS = 256
INVALID = "(invalid)"
"""What a value is counted as that is empty or longer than SES allows a message tag to be."""

SIMULATED = "simulated_"
"""Before the measure of events about the mailbox simulator, which belong in no rate."""

MEASURES = {
    Kind.SEND: "send",
    Kind.REJECT: "reject",
    Kind.RENDERING_FAILURE: "rendering_failure",
    Kind.DELIVERY_DELAY: "delivery_delay",
    Kind.DELIVERY: "delivery",
    Kind.SUBSCRIPTION: "subscription",
    Kind.OPEN: "open",
    Kind.CLICK: "click",
    FIRST_OPEN: "unique_opens",
    FIRST_CLICK: "unique_clicks",
}
"""The measure of each kind; bounces and complaints are divided further. `unique_opens` and `unique_clicks` count a
message and recipient once."""


class Row(NamedTuple):
    """One item of the counters: a tag's value, for the messages sent within one hour."""

    tag: str
    value: str
    hour: datetime
    """UTC, on the hour."""


Counts = Counter[tuple[Row, str]]
"""By how much each measure of each row moves; may be negative."""


class Counted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an environment counts."""

    tags: tuple[str, ...] = ()
    """Names of message tags, beside configuration set and from-domain."""
    simulator: Literal["separate", "real"] = "separate"
    """Whether the mailbox simulator's addresses are counted apart from others."""


def measure(event: Event, counted: Counted) -> str:
    """The counter's attribute the event is counted in."""
    name = MEASURES.get(event.kind) or _feedback_measure(event)
    return SIMULATED + name if event.is_simulated and counted.simulator == "separate" else name


def _feedback_measure(event: Event) -> str:
    if is_suppression_list_echo(event):
        return "suppression_list_echo"
    if event.kind == Kind.COMPLAINT:
        return "not_spam" if is_not_spam(event) else "complaint"
    if event.kind != Kind.BOUNCE:
        return "other"
    if event.bounce_type == BounceType.PERMANENT:
        return "sender_refused" if (event.status or "").startswith("5.7.") else "hard_bounce"
    return "out_of_office" if is_out_of_office(event) else "soft_bounce"


def rows(event: Event, counted: Counted) -> Iterator[Row]:
    """The rows an event is counted in: one per value of each counted tag it bears; none if its time is unknown."""
    sent_at = event.sent_at or event.occurred_at
    if sent_at is None:
        return
    hour = sent_at.replace(minute=0, second=0, microsecond=0)
    if event.from_domain:
        yield Row(FROM_DOMAIN, _valid(event.from_domain), hour)
    for tag in (CONFIGURATION_SET, *counted.tags):
        for value in sorted({_valid(value) for value in event.tags.get(tag, ())})[:VALUES_COUNTED]:
            yield Row(tag, value, hour)


def _valid(value: str) -> str:
    return value if 0 < len(value) <= VALUE_CHARACTERS else INVALID


def contributions(event: Event, counted: Counted) -> Counts:
    """What an event counts for."""
    name = measure(event, counted)
    return Counter({(row, name): 1 for row in rows(event, counted)})


def difference(new: Counts, old: Counts) -> Counts:
    """What counters move by when an item changes; without what stays."""
    moved = new.copy()
    moved.subtract(old)
    return _moving(moved)


def _moving(counts: Counts) -> Counts:
    return Counter({key: count for key, count in counts.items() if count})


# The stream's records are counted slot by slot: a slot is a fixed class of rows, and its counts are committed in one
# transaction with the position they reach. Whatever is delivered again lies at or below the position and is skipped,
# however the batch is cut this time.

SLOTS = 2
"""How many classes of rows there are. Never to be changed: checkpoints already stored would speak of other rows."""

ROWS_A_COMMIT = 99
"""DynamoDB takes 100 actions a transaction; one is the position."""

SEQUENCE_DIGITS = 40
"""The most digits a stream's sequence number has; filled up with zeros, numbers compare as text."""


class Change(NamedTuple):
    """What one record of the stream changes."""

    sequence_number: str
    """The record's sequence number, filled up to SEQUENCE_DIGITS."""
    counts: Counts


class Commit(NamedTuple):
    """Counts that go into one transaction, and the position they reach; they may be none where all came to nothing."""

    checkpoint: str
    counts: Counts


def comparable(sequence_number: str) -> str:
    return sequence_number.zfill(SEQUENCE_DIGITS)


def slot(row: Row) -> int:
    return int(digest(row), 16) % SLOTS


def commits(changes: Iterable[Change], of_slot: int, after: str) -> Iterator[Commit]:
    """What is still to be counted in a slot, in the stream's order and in pieces that fit a transaction."""
    reached = after
    counts: Counts = Counter()
    for change in changes:
        if change.sequence_number <= after:
            continue
        own = Counter({key: count for key, count in change.counts.items() if slot(key[0]) == of_slot})
        if len({row for row, _ in (*counts, *own)}) > ROWS_A_COMMIT:
            yield Commit(reached, _moving(counts))
            counts = Counter()
        reached = change.sequence_number
        counts.update(own)
    if counts := _moving(counts):
        yield Commit(reached, counts)
