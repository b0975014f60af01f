import itertools
import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from aftersend import counting
from aftersend.counting import (
    Change,
    Counted,
    Counts,
    Row,
    commits,
    contributions,
    difference,
    measure,
    pad_sequence_number,
    slot,
)
from aftersend.events import Event, Kind
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
    }


def test_late_event_is_counted_in_the_hour_its_message_was_sent():
    assert {row.hour for row, _ in contributions(an_open(minutes=60 * 24 * 40), COUNTED)} == {HOUR}


def test_event_without_tags_is_counted_by_the_domain_of_its_sender():
    [(row, _)] = contributions(an_event(Kind.DELIVERY, tags={}), COUNTED)
    assert row == Row("ses:from-domain", "bookshop.example", HOUR)


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
        (a_bounce("Transient", "MailboxFull"), "soft_bounce"),
        (a_bounce("Undetermined", "Undetermined"), "soft_bounce"),
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
    assert {row.value for row, _ in contributions(domain, COUNTED)} == ({"(invalid)"} if value else set())


def test_longest_valid_value_is_counted_under_itself():
    value = "\N{BEETLE}" * 250
    event = an_event(Kind.SEND, tags={"campaign": [value]})
    assert (Row("campaign", value, HOUR), "send") in contributions(event, COUNTED)


def test_tag_with_very_many_values_writes_few_counters():
    event = an_event(Kind.SEND, tags={"campaign": [f"value-{number}" for number in range(1000)]})
    assert len(contributions(event, COUNTED)) == counting.MAX_VALUES_PER_TAG + 1


def test_change_with_as_many_rows_as_an_environment_allows_fits_into_one_commit():
    """Its old and its new rows differ if the copies name different times, and may all belong to one slot."""
    names = tuple(f"tag-{number}" for number in range(counting.MAX_COUNTED_TAGS))
    values = [f"value-{number}" for number in range(counting.MAX_VALUES_PER_TAG + 1)]
    tags = dict.fromkeys((*names, "ses:configuration-set"), values)
    old, new = (an_event(Kind.SEND, tags=tags, sent_at=SENT + timedelta(hours=hours)) for hours in (0, 1))
    counted = Counted(tags=names)
    change = difference(contributions(new, counted), contributions(old, counted))
    assert len(change) == 2 * (1 + 3 * 16) <= counting.MAX_ROWS_PER_COMMIT


def test_better_copy_moves_counts_instead_of_adding_to_them():
    poor, better = contributions(a_bounce(tags={}), COUNTED), contributions(a_bounce(), COUNTED)
    assert poor + difference(better, poor) == better


def test_change_of_fields_that_are_not_counted_moves_nothing():
    one, other = (contributions(a_bounce(diagnostic_code=text), COUNTED) for text in ("one", "other"))
    assert difference(one, other) == {}


def a_change(number: int, *rows: Row) -> Change:
    return Change(pad_sequence_number(str(number)), Counter({(row, "send"): 1 for row in rows}))


def a_row(number: int) -> Row:
    return Row("campaign", f"value-{number}", HOUR)


def committed_counts(changes: list[Change], checkpoints: Mapping[int, str] = MappingProxyType({})) -> Counts:
    total: Counts = Counter()
    for number in range(counting.SLOTS):
        for commit in commits(changes, number, checkpoints.get(number, "")):
            total.update(commit.counts)
    return total


def test_sequence_numbers_are_compared_as_numbers():
    assert pad_sequence_number("9") < pad_sequence_number("10") < pad_sequence_number("1" + 39 * "0")


def test_slots_never_change_because_stored_checkpoints_would_refer_to_other_rows():
    assert counting.SLOTS == 2
    assert [slot(a_row(number)) for number in range(8)] == [0, 0, 1, 1, 1, 1, 1, 1]


def test_change_is_counted_once_over_all_slots():
    changes = [a_change(number, a_row(number % 7), a_row(number % 11)) for number in range(1, 400)]
    assert committed_counts(changes) == sum((change.counts for change in changes), Counter())


def test_commit_is_never_larger_than_a_transaction():
    changes = [a_change(number, *(a_row(number * 7 + part) for part in range(7))) for number in range(1, 300)]
    for number in range(counting.SLOTS):
        transactions = list(commits(changes, number, ""))
        assert len(transactions) > 1
        assert all(len({row for row, _ in commit.counts}) <= counting.MAX_ROWS_PER_COMMIT for commit in transactions)
        assert [commit.checkpoint for commit in transactions] == sorted(commit.checkpoint for commit in transactions)


def test_counted_change_is_not_counted_again_wherever_batches_begin_and_end():
    rng = random.Random(7)
    changes = [a_change(number, *(a_row(rng.randrange(300)) for _ in range(3))) for number in range(1, 200)]
    total, checkpoints = Counter(), dict.fromkeys(range(counting.SLOTS), "")
    for _ in range(60):
        # Lambda may go back as far as it likes, but never skips records that were not counted.
        uncounted = [n for n, change in enumerate(changes) if change.sequence_number > min(checkpoints.values())]
        start = min([rng.randrange(len(changes)), *uncounted])
        batch = changes[start : start + rng.randint(1, 120)]
        for number in range(counting.SLOTS):
            stopped_after = rng.choice([0, 1, None])
            for commit in itertools.islice(commits(batch, number, checkpoints[number]), stopped_after):
                total.update(commit.counts)
                checkpoints[number] = commit.checkpoint
    total += committed_counts(changes, checkpoints)
    assert total == sum((change.counts for change in changes), Counter())


def test_counts_that_cancel_out_move_the_checkpoint():
    """Otherwise the first of the two would be counted when it is delivered again without the second."""
    plus_one, minus_one = a_change(1, a_row(1)), Change(pad_sequence_number("2"), Counter({(a_row(1), "send"): -1}))
    number = slot(a_row(1))
    assert committed_counts([plus_one, minus_one]) == {}
    assert list(commits([plus_one, minus_one], number, "")) == [(pad_sequence_number("2"), {})]
    assert list(commits([plus_one], number, pad_sequence_number("2"))) == []


def test_changes_of_other_slots_move_no_checkpoint():
    assert list(commits([a_change(1, a_row(1))], 1 - slot(a_row(1)), "")) == []
