"""Compute from an event which counters it adds to. Depends on the event alone, never on the clock or the order.

The ledger's stream delivers each change of an item with its image before and after. A counter moves by what the new
image contributes minus what the old one did, so that a better copy of an event moves counts instead of adding to them.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import chain
from typing import Literal, NamedTuple

import msgspec

from aftersend.events import BounceType, Event, Kind, Machine
from aftersend.ledger import FIRST_CLICK, FIRST_OPEN, digest
from aftersend.mailbox_providers import mailbox_provider
from aftersend.suppression import is_not_spam, is_out_of_office, is_suppression_list_echo

CONFIGURATION_SET, FROM_DOMAIN = "ses:configuration-set", "ses:from-domain"
"""Tags SES sets itself; they are always counted."""

PROVIDER = "aftersend:provider"
"""The tag under which mail is counted by mailbox provider (aftersend/mailbox_providers.py). No message tag has a colon
in its name but SES's own."""

LINK = "link:"
"""Prefix of the names of link tags, to distinguish them from message tags."""

MAX_VALUES_PER_TAG, MAX_COUNTED_TAGS, MAX_COUNTED_LINK_TAGS = 3, 11, 3
"""Values of one tag of one event that are counted, of which SES sends one, and message and link tags that an
environment may count. So what one change of an item moves, old rows and new, fits into one commit
(MAX_ITEMS_PER_COMMIT)."""

MAX_VALUE_CHARACTERS, MAX_VALUE_BYTES = 256, 1_000
INVALID = "(invalid)"
"""The value under which values are counted that are empty or longer than SES allows for message tags ("MessageTag" in
the SES API v2 reference), or than fits into a sort key of 1,024 bytes."""

SIMULATED = "simulated_"
"""Prefix of the measures of mailbox simulator events, which must not change any rate."""

MEASURES = {
    Kind.SEND: "send",
    Kind.REJECT: "reject",
    Kind.RENDERING_FAILURE: "rendering_failure",
    Kind.DELIVERY_DELAY: "delivery_delay",
    Kind.DELIVERY: "delivery",
    Kind.SUBSCRIPTION: "subscription",
    FIRST_OPEN: "unique_opens",
    FIRST_CLICK: "unique_clicks",
}
"""The measure of each kind that is not divided further. Unique measures count each message and recipient once, if a
person opened it or clicked in it."""

ENGAGEMENT_MEASURES: Mapping[str, Mapping[str | None, str]] = {
    kind: {
        None: name,
        Machine.BOT_MARK: f"{name}_bot",
        Machine.PROXY: f"{name}_proxy",
        Machine.SCANNER: f"{name}_scanner",
    }
    for kind, name in {Kind.OPEN: "open", Kind.CLICK: "click"}.items()
}
"""The measures of opens and clicks: by people, and by machines for each reason (`Event.machine`)."""

PERMANENT_MEASURES = {
    "NoEmail": "hard_bounce_no_email",
    "Suppressed": "hard_bounce_suppressed",
    "EmailValidationSuppressed": "validation_suppressed",
    "UnsubscribedRecipient": "unsubscribed_recipient",
}
TRANSIENT_MEASURES = {
    "MailboxFull": "mailbox_full",
    "MessageTooLarge": "content_refused",
    "ContentRejected": "content_refused",
    "AttachmentRejected": "content_refused",
    "CustomTimeoutExceeded": "delivery_timeout",
}
"""The measures of bounces by subtype; others are `hard_bounce` and `soft_bounce`."""

HARD_BOUNCES = ("hard_bounce", "hard_bounce_no_email", "hard_bounce_suppressed")
SOFT_BOUNCES = ("soft_bounce", "mailbox_full", "delivery_timeout")
OTHER_BOUNCES = (
    "out_of_office",
    "sender_refused",
    "content_refused",
    "undetermined",
    "validation_suppressed",
    "unsubscribed_recipient",
)
"""The measures of bounces, but for echoes of a suppression list, which may be bounces or complaints."""

ECHO, COMPLAINT, NOT_SPAM = "suppression_list_echo", "complaint", "not_spam"

MACHINE_OPENS, MACHINE_CLICKS = (tuple(names[reason] for reason in Machine) for names in ENGAGEMENT_MEASURES.values())

FEEDBACK_MEASURES = (*HARD_BOUNCES, *SOFT_BOUNCES, *OTHER_BOUNCES, ECHO, COMPLAINT, NOT_SPAM)
"""The measures of bounces and complaints."""

OTHER = "other"
"""The measure of kinds that SES may add."""

ALL_MEASURES = (
    *MEASURES.values(),
    *chain.from_iterable(names.values() for names in ENGAGEMENT_MEASURES.values()),
    *FEEDBACK_MEASURES,
    OTHER,
)
"""Every measure: each event is counted in one of them."""


class Distribution(NamedTuple):
    """Define the measures that count events by the time from sending. Those of several rows may be added up.

    An event of `kind` that no machine caused is counted in the first measure whose limit it does not exceed, in
    addition to its own measure: by configuration set and day, in the row of the day's first hour.
    """

    kind: Kind
    limits: tuple[int, ...]
    """Seconds."""

    @property
    def measures(self) -> tuple[str, ...]:
        """Return the names: one for each limit, and one for what exceeds the last."""
        return tuple(f"{MEASURES.get(self.kind, self.kind.lower())}_within_{limit}" for limit in (*self.limits, "more"))


DELIVERY_TIMES = Distribution(Kind.DELIVERY, (2, 5, 10, 30, 60, 300, 1_800, 3_600, 21_600))
OPEN_TIMES = Distribution(Kind.OPEN, (60, 600, 3_600, 21_600, 86_400, 259_200, 604_800))
DISTRIBUTIONS = (DELIVERY_TIMES, OPEN_TIMES)

TIME_MEASURES = tuple(chain.from_iterable(each.measures for each in DISTRIBUTIONS))

_TIMES: Mapping[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    each.kind: (each.limits, each.measures) for each in DISTRIBUTIONS
}


class Row(NamedTuple):
    """Identify what is counted together: a tag's value, for the messages sent within one hour."""

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
    link_tags: tuple[str, ...] = ()
    """Names of link tags by which clicks are counted."""
    simulator: Literal["separate", "real"] = "separate"
    """`separate`: mailbox simulator events have measures of their own; `real`: they are counted like any other."""

    @property
    def value_tags(self) -> tuple[str, ...]:
        """Return the tags of the rows whose values senders choose."""
        return (*self.tags, *(LINK + name for name in self.link_tags))

    @property
    def row_tags(self) -> tuple[str, ...]:
        """Return the tags of all rows, each once."""
        return tuple(dict.fromkeys((CONFIGURATION_SET, FROM_DOMAIN, *self.value_tags, PROVIDER)))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all message tags that are counted."""
        return (FROM_DOMAIN, CONFIGURATION_SET, *self.tags)


def measure(event: Event, counted: Counted) -> str:
    """Return the measure an event is counted in."""
    name = MEASURES.get(event.kind) or _divided_measure(event)
    return SIMULATED + name if _is_separate(event, counted) else name


def _is_separate(event: Event, counted: Counted) -> bool:
    return event.is_simulated and counted.simulator == "separate"


def _divided_measure(event: Event) -> str:
    if reasons := ENGAGEMENT_MEASURES.get(event.kind):
        return reasons.get(event.machine, reasons[None])
    if is_suppression_list_echo(event):
        return ECHO
    if event.kind == Kind.COMPLAINT:
        return NOT_SPAM if is_not_spam(event) else COMPLAINT
    return _bounce_measure(event) if event.kind == Kind.BOUNCE else OTHER


def _bounce_measure(event: Event) -> str:
    subtype = event.bounce_subtype or ""
    if event.bounce_type == BounceType.PERMANENT:
        refused = (event.status or "").startswith("5.7.")
        return PERMANENT_MEASURES.get(subtype) or ("sender_refused" if refused else "hard_bounce")
    if is_out_of_office(event):
        return "out_of_office"
    return (
        TRANSIENT_MEASURES.get(subtype, "soft_bounce") if event.bounce_type == BounceType.TRANSIENT else "undetermined"
    )


def _time_measure(event: Event) -> str | None:
    """Return the measure of the time from sending to an event; None if it has none."""
    if event.kind not in _TIMES or event.machine or event.sent_at is None or event.occurred_at is None:
        return None
    limits, measures = _TIMES[event.kind]
    return measures[bisect_left(limits, (event.occurred_at - event.sent_at).total_seconds())]


PROVIDER_KINDS = frozenset({Kind.SEND, Kind.DELIVERY, Kind.DELIVERY_DELAY, Kind.BOUNCE, Kind.COMPLAINT})
"""Kinds that are counted by mailbox provider. Opens and clicks of a message to several recipients name nobody."""


def rows(event: Event, counted: Counted) -> Iterator[Row]:
    """Yield the rows an event is counted in: one per value of each counted tag; none if its time is unknown."""
    sent_at = event.sent_at or event.occurred_at
    if sent_at is None:
        return
    hour = sent_at.replace(minute=0, second=0, microsecond=0)
    if event.from_domain:
        yield Row(FROM_DOMAIN, _valid(event.from_domain), hour)
    for tag in (CONFIGURATION_SET, *counted.tags):
        for value in _values(event.tags, tag):
            yield Row(tag, value, hour)
    if event.recipient and event.kind in PROVIDER_KINDS:
        yield Row(PROVIDER, mailbox_provider(event.recipient), hour)
    if event.kind == Kind.CLICK:
        for tag in counted.link_tags:
            for value in _values(event.link_tags, tag):
                yield Row(LINK + tag, value, hour)


def _values(tags: Mapping[str, list[str]], name: str) -> list[str]:
    return sorted({_valid(value) for value in tags.get(name, ())})[:MAX_VALUES_PER_TAG]


def _valid(value: str) -> str:
    is_valid = 0 < len(value) <= MAX_VALUE_CHARACTERS and len(value.encode()) <= MAX_VALUE_BYTES
    return value if is_valid else INVALID


def contributions(event: Event, counted: Counted) -> Counts:
    """Return what an event adds to which measures of which rows."""
    name = measure(event, counted)
    counts = Counter({(row, name): 1 for row in rows(event, counted)})
    if (time_name := _time_measure(event)) and not _is_separate(event, counted):
        timed = [row for row, _ in counts if row.tag == CONFIGURATION_SET]
        counts.update([(Row(row.tag, row.value, row.hour.replace(hour=0)), time_name) for row in timed])
    return counts


def difference(new: Counts, old: Counts) -> Counts:
    """Return by how much counters move when an item changes, without those that do not move."""
    if not old:
        return new
    change = new.copy()
    change.subtract(old)
    return _nonzero(change)


def _nonzero(counts: Counts) -> Counts:
    return Counter({key: count for key, count in counts.items() if count})


# The stream is counted slot by slot: a slot is a fixed class of rows with a position, the sequence number up to which
# its rows are counted. Counts are committed in one transaction with the positions they reach. A record that is
# delivered again is not above the position and is skipped, wherever its batch begins and ends this time. Most batches
# fit into one transaction, which moves all slots; of a larger batch, each transaction moves some slots over the whole
# batch, so that no item is written twice for it.

SLOTS = 16
"""How many classes of rows there are. It must never change: stored positions would refer to other rows."""

MAX_ITEMS_PER_COMMIT = 99
"""DynamoDB takes 100 actions per transaction ("TransactWriteItems"); one is the checkpoint."""

MAX_COUNTS_PER_ITEM = 280
"""How many counters of one item a commit may move. DynamoDB takes 300 operators and 4 KB per UpdateExpression
("Expression parameters" in the quotas)."""

SEQUENCE_NUMBER_DIGITS = 40
"""The most digits of a stream's sequence number ("StreamRecord" in the DynamoDB API reference)."""

Checkpoint = tuple[str, ...]
"""The position of each slot."""

START: Checkpoint = ("",) * SLOTS
"""The checkpoint of a shard of which nothing is counted yet."""


class Change(NamedTuple):
    """Describe what one record of the stream changes."""

    sequence_number: str
    """As `pad_sequence_number` returns it."""
    counts: Counts


class Commit(NamedTuple):
    """Describe one transaction: counts, and the checkpoint they reach. Counts may be empty where they cancel out."""

    checkpoint: Checkpoint
    counts: Counts


class Item(NamedTuple):
    """Identify the rows that are stored together: those of a value and day; of mailbox providers, those of an hour."""

    tag: str
    value: str
    """Of providers, the hour."""
    day: date


def item_of(row: Row) -> Item:
    """Return the item in which a row is stored.

    Most of a batch's mail was sent within an hour or two, to all providers: so few items are written for it.
    """
    return Item(row.tag, f"{row.hour:%H}" if row.tag == PROVIDER else row.value, row.hour.date())


def slot(item: Item) -> int:
    """Return the slot of an item's rows."""
    return int(digest(item), 16) % SLOTS


def pad_sequence_number(sequence_number: str) -> str:
    """Pad a sequence number with zeros, so that numbers compare as text."""
    return sequence_number.zfill(SEQUENCE_NUMBER_DIGITS)


Moves = dict[Item, dict[tuple[Row, str], int]]
"""Counts by the item they are stored in."""


class _Part:
    """Collect the counts of one slot, up to a position, as far as they fit into one transaction."""

    def __init__(self, slot_number: int) -> None:
        self.slot, self.position = slot_number, ""
        self.moves: Moves = {}

    def has_room(self, added: Moves) -> bool:
        """Tell whether the counts of one more change fit, whichever of its counters move already."""
        items = len(self.moves)
        for item, counts in added.items():
            if (moving := self.moves.get(item)) is None:
                items += 1
            elif len(moving) + len(counts) > MAX_COUNTS_PER_ITEM:
                return False
        return items <= MAX_ITEMS_PER_COMMIT

    def add(self, position: str, added: Moves) -> None:
        self.position = position
        for item, counts in added.items():
            moving = self.moves.setdefault(item, {})
            for key, count in counts.items():
                moving[key] = moving.get(key, 0) + count


def commits(changes: Iterable[Change], checkpoint: Checkpoint) -> Iterator[Commit]:
    """Yield what is to be counted after a checkpoint, in transactions that fit, in each slot in the stream's order.

    Changes that cancel out are committed too: a position that stays behind them would let a batch that ends between
    them be counted when it is delivered again.
    """
    reached, moves = list(checkpoint), Moves()
    for part in chain.from_iterable(_parts(changes, checkpoint)):
        if len(moves) + len(part.moves) > MAX_ITEMS_PER_COMMIT or not moves.keys().isdisjoint(part.moves):
            yield _commit(reached, moves)
            moves = Moves()
        reached[part.slot] = part.position
        moves |= part.moves
    if moves:
        yield _commit(reached, moves)


def _commit(reached: list[str], moves: Moves) -> Commit:
    counts = chain.from_iterable(counts.items() for counts in moves.values())
    return Commit(tuple(reached), Counter({key: count for key, count in counts if count}))


def _parts(changes: Iterable[Change], checkpoint: Checkpoint) -> list[list[_Part]]:
    """Return the parts of each slot, in the stream's order."""
    parts: list[list[_Part]] = [[] for _ in range(SLOTS)]
    places: dict[Row, tuple[int, Item]] = {}
    for change in changes:
        for number, added in _by_slot(change.counts, places).items():
            if change.sequence_number > checkpoint[number]:
                if not parts[number] or not parts[number][-1].has_room(added):
                    parts[number].append(_Part(number))
                parts[number][-1].add(change.sequence_number, added)
    return parts


def _by_slot(counts: Counts, places: dict[Row, tuple[int, Item]]) -> dict[int, Moves]:
    """Divide counts by slot and item. `places` remembers both for each row: to compute a slot takes a digest."""
    slots: dict[int, Moves] = {}
    for (row, measure), count in counts.items():
        if (place := places.get(row)) is None:
            item = item_of(row)
            place = places[row] = slot(item), item
        number, item = place
        slots.setdefault(number, {}).setdefault(item, {})[row, measure] = count
    return slots
