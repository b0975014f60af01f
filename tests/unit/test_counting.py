import itertools
import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from aftersend import counting
from aftersend.counting import (
    Change,
    Counted,
    Counts,
    Row,
    commits,
    comparable,
    contributions,
    difference,
    measure,
    slot,
)
from aftersend.events import Event, Kind
from tests.event_factory import a_bounce, a_complaint, added_by_operator, an_event, an_open, an_out_of_office_reply

COUNTED = Counted(tags=("campaign",))
HOUR = datetime(2026, 3, 14, 9, tzinfo=UTC)


def test_an_event_counts_for_its_tags_its_configuration_set_and_its_domain():
    assert contributions(an_event(Kind.SEND), COUNTED) == {
        (Row("ses:from-domain", "bookshop.example", HOUR), "send"): 1,
        (Row("ses:configuration-set", "newsletter", HOUR), "send"): 1,
        (Row("campaign", "spring-catalogue", HOUR), "send"): 1,
    }


def test_an_event_counts_in_the_hour_its_message_was_sent_in_however_late_it_comes():
    assert {row.hour for row, _ in contributions(an_open(minutes=60 * 24 * 40), COUNTED)} == {HOUR}


def test_without_tags_an_event_counts_for_the_domain_of_its_sender():
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
def test_what_an_event_is_counted_as(event: Event, name: str):
    assert measure(event, COUNTED) == name


def test_an_operators_act_counts_for_nothing():
    assert contributions(added_by_operator(), COUNTED) == {}


def test_simulator_addresses_are_counted_as_others_where_they_are_real():
    simulated = a_bounce(recipient="bounce@simulator.amazonses.com")
    assert measure(simulated, Counted(simulator="real")) == "hard_bounce"


@pytest.mark.parametrize("value", ["", "x" * 257])
def test_a_value_no_message_tag_can_have_is_counted_as_invalid(value: str):
    event = an_event(Kind.SEND, tags={"campaign": [value]})
    assert (Row("campaign", "(invalid)", HOUR), "send") in contributions(event, COUNTED)


def test_a_tag_with_very_many_values_cannot_write_very_many_counters():
    event = an_event(Kind.SEND, tags={"campaign": [f"value-{number}" for number in range(1000)]})
    assert len(contributions(event, COUNTED)) == counting.VALUES_COUNTED + 1


def test_a_better_copy_moves_counts_instead_of_adding_to_them():
    poor, better = contributions(a_bounce(tags={}), COUNTED), contributions(a_bounce(), COUNTED)
    assert poor + difference(better, poor) == better


def test_a_change_that_does_not_concern_counting_moves_nothing():
    one, other = (contributions(a_bounce(diagnostic_code=text), COUNTED) for text in ("one", "other"))
    assert difference(one, other) == {}


def a_change(number: int, *rows: Row) -> Change:
    return Change(comparable(str(number)), Counter({(row, "send"): 1 for row in rows}))


def a_row(number: int) -> Row:
    return Row("campaign", f"value-{number}", HOUR)


def committed(changes: list[Change], after: dict[int, str] | None = None) -> Counts:
    total: Counts = Counter()
    for each in range(counting.SLOTS):
        for commit in commits(changes, each, (after or {}).get(each, "")):
            total.update(commit.counts)
    return total


def test_sequence_numbers_are_compared_as_numbers():
    assert comparable("9") < comparable("10") < comparable("1" + 39 * "0")


def test_the_slots_never_change_for_positions_already_stored_would_speak_of_other_rows():
    assert counting.SLOTS == 2
    assert [slot(a_row(number)) for number in range(8)] == [0, 0, 1, 1, 1, 1, 1, 1]


def test_everything_is_counted_once_over_all_slots():
    changes = [a_change(number, a_row(number % 7), a_row(number % 11)) for number in range(1, 400)]
    assert committed(changes) == sum((change.counts for change in changes), Counter())


def test_no_commit_is_larger_than_a_transaction():
    changes = [a_change(number, *(a_row(number * 7 + part) for part in range(7))) for number in range(1, 300)]
    for each in range(counting.SLOTS):
        found = list(commits(changes, each, ""))
        assert len(found) > 1
        assert all(len({row for row, _ in commit.counts}) <= counting.ROWS_A_COMMIT for commit in found)
        assert [commit.checkpoint for commit in found] == sorted(commit.checkpoint for commit in found)


def test_what_was_counted_is_not_counted_again_however_the_batch_is_cut():
    draw = random.Random(7)
    changes = [a_change(number, *(a_row(draw.randrange(300)) for _ in range(3))) for number in range(1, 200)]
    total, reached = Counter(), dict.fromkeys(range(counting.SLOTS), "")
    for _ in range(60):
        start = draw.randrange(len(changes))  # Lambda may go back as far as it likes, but never leaves anything out
        start = min(
            [
                start,
                *(number for number, change in enumerate(changes) if change.sequence_number > min(reached.values())),
            ]
        )
        for each in range(counting.SLOTS):
            stopped_after = draw.choice([0, 1, None])
            for commit in itertools.islice(
                commits(changes[start : start + draw.randint(1, 120)], each, reached[each]), stopped_after
            ):
                total.update(commit.counts)
                reached[each] = commit.checkpoint
    for each in range(counting.SLOTS):
        for commit in commits(changes, each, reached[each]):
            total.update(commit.counts)
    assert total == sum((change.counts for change in changes), Counter())


def test_counts_that_come_to_nothing_are_not_committed():
    forth, back = a_change(1, a_row(1)), Change(comparable("2"), Counter({(a_row(1), "send"): -1}))
    assert committed([forth, back]) == {}
