"""Compute from an event which counters it adds to. Depends on the event alone, never on the clock or the order.

The ledger's stream delivers each change of an item with its image before and after. A counter moves by what the new
image contributes minus what the old one did, so that a better copy of an event moves counts instead of adding to them.
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
"""Tags SES sets itself; they are always counted."""

MAX_VALUES_PER_TAG, MAX_COUNTED_TAGS = 3, 15
"""Values of one tag of one event that are counted, of which SES sends one, and tags that an environment may count. So
what one change of an item moves, old rows and new, fits into one commit (MAX_ROWS_PER_COMMIT)."""

MAX_VALUE_CHARACTERS, MAX_VALUE_BYTES = 256, 1_000
INVALID = "(invalid)"
"""The value under which values are counted that are empty or longer than SES allows for message tags ("MessageTag" in
the SES API v2 reference), or than fits into a sort key of 1,024 bytes together with hour and shard suffix."""

SIMULATED = "simulated_"
"""Prefix of the measures of mailbox simulator events, which must not change any rate."""

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
"""The measure of each kind; bounces and complaints are divided further. `unique_opens` and `unique_clicks` count each
message and recipient once."""


class Row(NamedTuple):
    """Identify an item of the counters: a tag's value, for the messages sent within one hour."""

    tag: str
    value: str
    hour: datetime
    """UTC, on the hour."""


Counts = Counter[tuple[Row, str]]
"""By how much each measure of each row moves: a number that may be negative."""


class Counted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Set what an environment counts."""

    tags: tuple[str, ...] = ()
    """Names of message tags that are counted besides configuration set and from-domain."""
    simulator: Literal["separate", "real"] = "separate"
    """`separate`: mailbox simulator events have measures of their own; `real`: they are counted like any other."""


def measure(event: Event, counted: Counted) -> str:
    """Return the measure an event is counted in."""
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
    """Yield the rows an event is counted in: one per value of each counted tag; none if its time is unknown."""
    sent_at = event.sent_at or event.occurred_at
    if sent_at is None:
        return
    hour = sent_at.replace(minute=0, second=0, microsecond=0)
    if event.from_domain:
        yield Row(FROM_DOMAIN, _valid(event.from_domain), hour)
    for tag in (CONFIGURATION_SET, *counted.tags):
        for value in sorted({_valid(value) for value in event.tags.get(tag, ())})[:MAX_VALUES_PER_TAG]:
            yield Row(tag, value, hour)


def _valid(value: str) -> str:
    is_valid = 0 < len(value) <= MAX_VALUE_CHARACTERS and len(value.encode()) <= MAX_VALUE_BYTES
    return value if is_valid else INVALID


def contributions(event: Event, counted: Counted) -> Counts:
    """Return what an event adds to which measures of which rows."""
    name = measure(event, counted)
    return Counter({(row, name): 1 for row in rows(event, counted)})


def difference(new: Counts, old: Counts) -> Counts:
    """Return by how much counters move when an item changes, without those that do not move."""
    change = new.copy()
    change.subtract(old)
    return _nonzero(change)


def _nonzero(counts: Counts) -> Counts:
    return Counter({key: count for key, count in counts.items() if count})


# The stream is counted slot by slot: a slot is a fixed class of rows, and its counts are committed in one transaction
# with its checkpoint, the sequence number they reach. A record that is delivered again is not above the checkpoint and
# is skipped, wherever its batch begins and ends this time.

SLOTS = 2
"""How many classes of rows there are. It must never change: stored checkpoints would refer to other rows."""

MAX_ROWS_PER_COMMIT = 99
"""DynamoDB takes 100 actions per transaction ("TransactWriteItems"); one is the checkpoint."""

SEQUENCE_NUMBER_DIGITS = 40
"""The most digits of a stream's sequence number ("StreamRecord" in the DynamoDB API reference)."""


class Change(NamedTuple):
    """Describe what one record of the stream changes."""

    sequence_number: str
    """As `pad_sequence_number` returns it."""
    counts: Counts


class Commit(NamedTuple):
    """Describe one transaction: counts, and the checkpoint they reach. Counts may be empty where they cancel out."""

    checkpoint: str
    counts: Counts


def pad_sequence_number(sequence_number: str) -> str:
    """Pad a sequence number with zeros, so that numbers compare as text."""
    return sequence_number.zfill(SEQUENCE_NUMBER_DIGITS)


def slot(row: Row) -> int:
    """Return the slot of a row."""
    return int(digest(row), 16) % SLOTS


def commits(changes: Iterable[Change], slot_number: int, checkpoint: str) -> Iterator[Commit]:
    """Yield what is to be counted in a slot after its checkpoint, in the stream's order, in transactions that fit.

    Changes that cancel out are committed too: a checkpoint that stays behind them would let a batch that ends between
    them be counted when it is delivered again.
    """
    reached = checkpoint
    counts: Counts = Counter()
    for change in changes:
        if change.sequence_number <= checkpoint:
            continue
        added = Counter({key: count for key, count in change.counts.items() if slot(key[0]) == slot_number})
        if not added:
            continue
        if len({row for row, _ in (*counts, *added)}) > MAX_ROWS_PER_COMMIT:
            yield Commit(reached, _nonzero(counts))
            counts = Counter()
        reached = change.sequence_number
        counts.update(added)
    if reached != checkpoint:
        yield Commit(reached, _nonzero(counts))
