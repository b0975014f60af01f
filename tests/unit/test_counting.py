import itertools
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aftersend import counting
from aftersend.counting import (
    SLOTS,
    START,
    Change,
    Checkpoint,
    Commit,
    Counted,
    Counts,
    Item,
    Row,
    commits,
    contributions,
    difference,
    item_of,
    measure,
    pad_sequence_number,
    slot,
)
from aftersend.events import Event, Kind, Machine
from tests.event_factory import (
    SENT,
    a_bounce,
    a_complaint,
    added_by_operator,
    an_event,
    an_open,
    an_out_of_office_reply,
)

COUNTED = Counted(tags=("campaign",))
HOUR = datetime(2026, 3, 14, 9, tzinfo=UTC)


def test_event_is_counted_by_tag_configuration_set_and_domain():
    assert contributions(an_event(Kind.SEND), COUNTED) == {
        (Row("ses:from-domain", "bookshop.example", HOUR), "send"): 1,
        (Row("ses:configuration-set", "newsletter", HOUR), "send"): 1,
        (Row("campaign", "spring-catalogue", HOUR), "send"): 1,
        (Row("aftersend:provider", "other", HOUR), "send"): 1,
    }


def test_late_event_is_counted_in_the_hour_its_message_was_sent():
    counts = contributions(an_open(minutes=60 * 24 * 40), COUNTED)
    assert {row.hour for row, name in counts if name == "open"} == {HOUR}


def test_event_without_tags_is_counted_by_the_domain_of_its_sender():
    rows = {row.tag: row.value for row, _ in contributions(an_event(Kind.DELIVERY, tags={}), COUNTED)}
    assert rows == {"ses:from-domain": "bookshop.example", "aftersend:provider": "other"}


def test_mail_is_counted_by_mailbox_provider_but_for_opens_and_clicks():
    def providers(kind: str) -> list[str]:
        counts = contributions(an_event(kind, recipient="reader@hotmail.co.uk"), COUNTED)
        return [row.value for row, name in counts if row.tag == "aftersend:provider" and name in counting.ALL_MEASURES]

    named = (Kind.SEND, Kind.DELIVERY, Kind.DELIVERY_DELAY, Kind.BOUNCE, Kind.COMPLAINT)
    assert [providers(kind) for kind in named] == [["microsoft"]] * len(named)
    assert not any(map(providers, (Kind.OPEN, Kind.CLICK, "FirstOpen", Kind.SUBSCRIPTION, Kind.REJECT)))


def test_clicks_are_counted_by_the_link_tags_of_their_link():
    counted = Counted(link_tags=("position",))
    link_tags = {"position": ["top"], "campaign": ["not listed"]}
    counts = contributions(an_event(Kind.CLICK, link_tags=link_tags), counted)
    assert [row for row, _ in counts if row.tag.startswith("link:")] == [Row("link:position", "top", HOUR)]
    assert {row.tag for row, _ in contributions(an_event(Kind.OPEN, link_tags=link_tags), counted)} == set(
        counted.names
    )


@pytest.mark.parametrize(
    ("seconds", "name"), [(0, "2"), (2, "2"), (2.001, "5"), (59, "60"), (21_600, "21600"), (90_000, "more")]
)
def test_deliveries_are_counted_by_day_and_time_since_sending(seconds: float, name: str):
    counts = contributions(an_event(Kind.DELIVERY, minutes=seconds / 60), COUNTED)
    times = {measure: row.hour for row, measure in counts if measure in counting.TIME_MEASURES}
    assert times == {f"delivery_within_{name}": HOUR.replace(hour=0)}
    assert len(counts) == 4 + 1  # of the configuration set


def test_opens_of_people_are_counted_by_time_since_sending_and_others_are_not():
    human, machine = an_open(minutes=30), an_open(minutes=30, machine="scanner")
    assert {name for _, name in contributions(human, COUNTED)} == {"open", "open_within_3600"}
    assert {name for _, name in contributions(machine, COUNTED)} == {"open_scanner"}
    assert {name for _, name in contributions(an_open(sent_at=None, occurred_at=SENT), COUNTED)} == {"open"}


def test_simulated_delivery_has_no_time():
    delivery = an_event(Kind.DELIVERY, recipient="success@simulator.amazonses.com")
    assert {name for _, name in contributions(delivery, COUNTED)} == {"simulated_delivery"}


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (an_event(Kind.SEND), "send"),
        (an_event(Kind.REJECT), "reject"),
        (an_event(Kind.RENDERING_FAILURE), "rendering_failure"),
        (an_event(Kind.DELIVERY_DELAY), "delivery_delay"),
        (an_event(Kind.DELIVERY), "delivery"),
        (an_event(Kind.SUBSCRIPTION), "subscription"),
        (an_event(Kind.OPEN), "open"),
        (an_event(Kind.CLICK), "click"),
        (an_event("FirstOpen"), "unique_opens"),
        (an_event("FirstClick"), "unique_clicks"),
        (an_event("A kind of tomorrow"), "other"),
        (a_bounce(), "hard_bounce"),
        (a_bounce(status="5.7.1"), "sender_refused"),
        (a_bounce(subtype="OnAccountSuppressionList"), "suppression_list_echo"),
        (a_bounce(subtype=None), "hard_bounce"),
        (a_bounce(subtype="NoEmail"), "hard_bounce_no_email"),
        (a_bounce(subtype="Suppressed"), "hard_bounce_suppressed"),
        (a_bounce(subtype="EmailValidationSuppressed"), "validation_suppressed"),
        (a_bounce(subtype="UnsubscribedRecipient"), "unsubscribed_recipient"),
        (a_bounce("Transient", "General", status="4.4.7"), "soft_bounce"),
        (a_bounce("Transient", "MailboxFull"), "mailbox_full"),
        (a_bounce("Transient", "MessageTooLarge"), "content_refused"),
        (a_bounce("Transient", "ContentRejected"), "content_refused"),
        (a_bounce("Transient", "AttachmentRejected"), "content_refused"),
        (a_bounce("Transient", "CustomTimeoutExceeded"), "delivery_timeout"),
        (a_bounce("Undetermined", "Undetermined"), "undetermined"),
        (a_bounce("A type of tomorrow"), "undetermined"),
        (an_open(machine="bot-mark"), "open_bot"),
        (an_open(machine="privacy-proxy"), "open_proxy"),
        (an_open(machine="scanner"), "open_scanner"),
        (an_event(Kind.CLICK, machine="bot-mark"), "click_bot"),
        (an_event(Kind.CLICK, machine="privacy-proxy"), "click_proxy"),
        (an_event(Kind.CLICK, machine="scanner"), "click_scanner"),
        (an_out_of_office_reply(), "out_of_office"),
        (a_complaint(), "complaint"),
        (a_complaint("not-spam"), "not_spam"),
        (a_complaint(None, complaint_subtype="OnAccountSuppressionList"), "suppression_list_echo"),
        (a_bounce(recipient="bounce@simulator.amazonses.com"), "simulated_hard_bounce"),
    ],
)
def test_event_is_counted_in_one_measure(event: Event, name: str):
    assert measure(event, COUNTED) == name


def test_operators_act_is_not_counted():
    assert contributions(added_by_operator(), COUNTED) == {}


def test_simulator_event_is_counted_like_any_other_where_the_simulator_is_real():
    simulated = a_bounce(recipient="bounce@simulator.amazonses.com")
    assert measure(simulated, Counted(simulator="real")) == "hard_bounce"


@pytest.mark.parametrize("value", ["", "x" * 257, "\N{BEETLE}" * 251])
def test_value_that_no_message_tag_can_have_or_no_key_can_hold_is_counted_as_invalid(value: str):
    event = an_event(Kind.SEND, tags={"campaign": [value]})
    assert (Row("campaign", "(invalid)", HOUR), "send") in contributions(event, COUNTED)
    domain = an_event(Kind.SEND, tags={"ses:from-domain": [value]}, source="")
    domains = {row.value for row, _ in contributions(domain, COUNTED) if row.tag == "ses:from-domain"}
    assert domains == ({"(invalid)"} if value else set())


def test_longest_valid_value_is_counted_under_itself():
    value = "\N{BEETLE}" * 250
    event = an_event(Kind.SEND, tags={"campaign": [value]})
    assert (Row("campaign", value, HOUR), "send") in contributions(event, COUNTED)


def test_tag_with_very_many_values_writes_few_counters():
    event = an_event(Kind.SEND, tags={"campaign": [f"value-{number}" for number in range(1000)]})
    assert len(contributions(event, COUNTED)) == counting.MAX_VALUES_PER_TAG + 2


def test_change_with_as_many_rows_as_an_environment_allows_fits_into_one_commit():
    """Its old and its new items differ if the copies name different days, and may all belong to one slot."""
    names = tuple(f"tag-{number}" for number in range(counting.MAX_COUNTED_TAGS))
    values = [f"value-{number}" for number in range(counting.MAX_VALUES_PER_TAG + 1)]
    links = tuple(f"link-{number}" for number in range(counting.MAX_COUNTED_LINK_TAGS))
    given: dict[str, Any] = {
        "tags": dict.fromkeys((*names, "ses:configuration-set"), values),
        "link_tags": dict.fromkeys(links, values),
    }
    counted = Counted(tags=names, link_tags=links)
    for kind, number in ((Kind.CLICK, 1 + 3 * 15), (Kind.SEND, 2 + 3 * 12)):
        old, new = (an_event(kind, sent_at=SENT + timedelta(days=days), **given) for days in (0, 1))
        change = difference(contributions(new, counted), contributions(old, counted))
        assert len({item_of(row) for row, _ in change}) == 2 * number <= counting.MAX_ITEMS_PER_COMMIT


def test_better_copy_moves_counts_instead_of_adding_to_them():
    poor, better = contributions(a_bounce(tags={}), COUNTED), contributions(a_bounce(), COUNTED)
    assert poor + difference(better, poor) == better


def test_change_of_fields_that_are_not_counted_moves_nothing():
    one, other = (contributions(a_bounce(diagnostic_code=text), COUNTED) for text in ("one", "other"))
    assert difference(one, other) == {}


def position(number: int) -> str:
    return pad_sequence_number(str(number))


def a_change(number: int, *rows: Row) -> Change:
    return Change(position(number), Counter({(row, "send"): 1 for row in rows}))


def a_row(number: int) -> Row:
    return Row("campaign", f"value-{number}", HOUR)


def slot_of(row: Row) -> int:
    return slot(item_of(row))


def rows_of_slot(number: int) -> Iterator[Row]:
    """Return endless rows of one slot, each of an item of its own."""
    return (row for row in map(a_row, itertools.count()) if slot_of(row) == number)


def total(transactions: Iterable[Commit]) -> Counts:
    counts: Counts = Counter()
    for transaction in transactions:
        counts.update(transaction.counts)
    return counts


def items_of(transaction: Commit) -> set[Item]:
    return {item_of(row) for row, _ in transaction.counts}


def checkpoint(**positions: int) -> Checkpoint:
    """Return a checkpoint with positions by slot, as s3=7."""
    return tuple(position(positions[name]) if (name := f"s{number}") in positions else "" for number in range(SLOTS))


def test_every_measure_an_event_may_have_is_listed():
    events = [an_event(kind) for kind in (*Kind, "FirstOpen", "FirstClick", "A kind of tomorrow")]
    events += [an_event(kind, machine=reason) for kind in (Kind.OPEN, Kind.CLICK) for reason in Machine]
    events += [a_bounce("Permanent", subtype) for subtype in (*counting.PERMANENT_MEASURES, "OnAccountSuppressionList")]
    events += [a_bounce("Transient", subtype) for subtype in ("General", *counting.TRANSIENT_MEASURES)]
    events += [a_bounce(), a_bounce(status="5.7.1"), an_out_of_office_reply(), a_complaint(), a_complaint("not-spam")]
    assert {measure(event, COUNTED) for event in events} == set(counting.ALL_MEASURES)


def test_sequence_numbers_are_compared_as_numbers():
    assert position(9) < position(10) < pad_sequence_number("1" + 39 * "0")


def test_slots_never_change_because_stored_positions_would_refer_to_other_rows():
    assert SLOTS == 16
    assert [slot_of(a_row(number)) for number in range(8)] == [6, 9, 10, 1, 2, 8, 0, 8]


def test_rows_of_a_tag_value_and_day_are_one_item_and_therefore_in_one_slot():
    hours = [HOUR.replace(hour=hour) for hour in range(24)]
    assert {item_of(Row("campaign", "spring", hour)) for hour in hours} == {Item("campaign", "spring", HOUR.date())}


def test_batch_that_fits_into_one_transaction_moves_all_its_slots_with_it():
    changes = [a_change(number, a_row(number % 7), a_row(number % 11)) for number in range(1, 400)]
    [transaction] = commits(changes, START)
    assert transaction.counts == sum((change.counts for change in changes), Counter())
    last = {slot_of(row): change.sequence_number for change in changes for row, _ in change.counts}
    assert transaction.checkpoint == tuple(last.get(number, "") for number in range(SLOTS))


def test_no_item_of_a_larger_batch_is_written_twice_for_it():
    changes = [a_change(number, a_row(number % 7), a_row(number % 300)) for number in range(1, 2_000)]
    transactions = list(commits(changes, START))
    assert len(transactions) == 4
    assert sum(len(items_of(each)) for each in transactions) == 300
    assert total(transactions) == sum((change.counts for change in changes), Counter())


def test_transaction_has_as_many_items_as_dynamodb_takes_and_no_more():
    rows = itertools.islice(rows_of_slot(3), counting.MAX_ITEMS_PER_COMMIT + 1)
    changes = [a_change(number, row) for number, row in enumerate(rows, 1)]
    transactions = list(commits(changes, START))
    assert [len(items_of(each)) for each in transactions] == [99, 1]
    assert [each.checkpoint for each in transactions] == [checkpoint(s3=99), checkpoint(s3=100)]


def test_item_moves_as_many_counters_in_a_transaction_as_dynamodb_takes_and_no_more():
    keys = [
        (Row("campaign", "spring", HOUR.replace(hour=hour)), name)
        for hour in range(24)
        for name in counting.ALL_MEASURES
    ]
    changes = [Change(position(number), Counter([key])) for number, key in enumerate(keys, 1)]
    transactions = list(commits(changes, START))
    assert [len(each.counts) for each in transactions] == [280, 280, len(keys) - 560]
    assert total(transactions) == Counter(keys)


def test_change_is_never_divided_within_its_slot():
    """Its rows could not be told apart when it is delivered again."""
    rows = list(itertools.islice(rows_of_slot(0), 150))
    changes = [a_change(1, *rows[:70]), a_change(2, *rows[70:])]
    transactions = list(commits(changes, START))
    assert [each.counts for each in transactions] == [change.counts for change in changes]


def test_counted_change_is_not_counted_again_wherever_batches_begin_and_end():
    rng = random.Random(7)
    changes = [a_change(number, *(a_row(rng.randrange(300)) for _ in range(3))) for number in range(1, 200)]
    counted, reached = Counter(), START
    for _ in range(60):
        # Lambda may go back as far as it likes, but never skips records that were not counted.
        uncounted = [n for n, change in enumerate(changes) if total(commits([change], reached))]
        start = min([rng.randrange(len(changes)), *uncounted])
        batch = changes[start : start + rng.randint(1, 120)]
        for transaction in itertools.islice(commits(batch, reached), rng.choice([0, 1, None])):
            counted.update(transaction.counts)
            reached = transaction.checkpoint
    counted += total(commits(changes, reached))
    assert counted == sum((change.counts for change in changes), Counter())


def test_counts_that_cancel_out_move_the_checkpoint():
    """Otherwise the first of the two would be counted when it is delivered again without the second."""
    row = next(rows_of_slot(5))
    plus_one, minus_one = a_change(1, row), Change(position(2), Counter({(row, "send"): -1}))
    assert list(commits([plus_one, minus_one], START)) == [(checkpoint(s5=2), {})]
    assert list(commits([plus_one], checkpoint(s5=2))) == []


def test_changes_of_other_slots_move_no_position():
    one, other = next(rows_of_slot(0)), next(rows_of_slot(1))
    [transaction] = commits([a_change(1, one), a_change(2, other)], checkpoint(s0=1))
    assert transaction == (checkpoint(s0=1, s1=2), Counter([(other, "send")]))
