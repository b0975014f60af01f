"""Test the comparison of counted sends with SES's own, over any traffic and at the limits of its tolerance."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from aftersend.completeness import FEWEST_SENDS, HOUR, Sends, compare, unseen_percent, watched_hours

NOW = datetime(2026, 3, 14, 12, 17, tzinfo=UTC)
THIS_HOUR = NOW.replace(minute=0)


def ago(hours: int) -> datetime:
    """Return the beginning of an hour that many hours before the present one."""
    return THIS_HOUR - hours * HOUR


def steady(number: int, hours: range = range(40)) -> Counter[datetime]:
    return Counter({ago(hour): number for hour in hours})


def compared(published: Sends, counted: Sends) -> tuple[int, bool]:
    [comparison] = compare({"newsletter": published}, {"newsletter": counted}, NOW)
    return comparison.missing_percent, comparison.is_silent


@pytest.mark.parametrize("number", [0, 1, 1_000_000])
def test_nothing_is_missing_where_both_count_the_same(number: int):
    assert compared(steady(number), steady(number)) == (0, False)


def test_share_that_is_always_missing_is_measured_exactly_and_rounded_up():
    assert compared(steady(1_000), steady(980)) == (2, False)
    assert compared(steady(1_000), steady(979)) == (3, False)


def test_surplus_is_no_problem_because_ses_may_count_messages_instead_of_recipients():
    assert compared(steady(1_000), steady(3_000)) == (0, False)


def test_hour_with_a_loss_is_noticed_before_the_day_shows_it():
    counted = steady(1_000)
    counted[ago(3)] = counted[ago(2)] = counted[ago(4)] = 500
    assert compared(steady(1_000), counted) == (50, False)


def test_small_loss_of_each_hour_of_little_mail_adds_up_over_the_day():
    assert compared(steady(10), steady(9)) == (10, False)
    assert compared(steady(1), steady(0, range(1, 2))) == (100, True)


def test_fewer_messages_than_the_least_are_no_share():
    lost = {ago(10): FEWEST_SENDS - 1}
    assert compared(lost, {}) == (0, False)
    assert compared({ago(10): FEWEST_SENDS}, {}) == (100, False)


@pytest.mark.parametrize("hours", range(1, 30))
@pytest.mark.parametrize("later", [-1, 1])
def test_burst_at_the_end_of_an_hour_is_not_missing_if_ses_counts_it_in_the_next(hours: int, later: int):
    published, counted = steady(10), steady(10)
    counted[ago(hours)] += 100_000
    published[ago(hours - later)] += 100_000
    assert compared(published, counted) == (0, False)


@pytest.mark.parametrize("hours", [0, 1])
def test_mail_of_the_last_hour_is_not_awaited_yet(hours: int):
    assert compared({ago(hours): 1_000}, {}) == (0, False)


def test_set_is_silent_if_one_message_of_the_last_complete_hour_has_no_count_around_it():
    assert compared({ago(2): 1}, {}) == (0, True)
    for hour in range(4):
        assert compared({ago(2): 1}, {ago(hour): 1}) == (0, False)
    assert compared({ago(2): 1}, {ago(4): 1}) == (0, True)


def test_each_set_is_compared_by_itself():
    published = {"newsletter": steady(1_000), "receipts": steady(100)}
    first, second = compare(published, {"newsletter": steady(1_000)}, NOW)
    assert (first.missing_percent, first.is_silent) == (0, False)
    assert (second.missing_percent, second.is_silent) == (100, True)


@pytest.mark.parametrize(("account", "percent"), [(1_000, 0), (1_010, 1), (1_500, 34), (900, 0)])
def test_unseen_mail_is_what_the_account_sent_beyond_the_sets(account: int, percent: int):
    assert unseen_percent(steady(account), {"newsletter": steady(1_000)}, NOW) == percent


@pytest.mark.parametrize("hours", range(1, 30))
@pytest.mark.parametrize("later", [-1, 1])
def test_burst_at_the_end_of_an_hour_is_not_unseen_if_it_is_in_the_next_hour_of_its_set(hours: int, later: int):
    account, named = steady(10), steady(10)
    account[ago(hours)] += 100_000
    named[ago(hours - later)] += 100_000
    assert unseen_percent(account, {"newsletter": named}, NOW) == 0


def test_account_without_mail_has_none_unseen():
    assert unseen_percent({}, {"newsletter": {}}, NOW) == 0


def test_all_hours_that_matter_are_read():
    window = watched_hours(NOW)
    assert window.start == ago(27)
    assert window.end == NOW
    assert window.days == [NOW.date() - timedelta(days=1), NOW.date()]
