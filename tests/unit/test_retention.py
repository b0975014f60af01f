from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from aftersend import ledger
from aftersend.events import Event, Kind
from aftersend.retention import (
    EXPIRY_MARGIN,
    MAX_PERIODS,
    OVERLAP,
    Period,
    Retention,
    RetentionHistory,
    common_time,
    expires_at,
)
from tests.event_factory import SENT, a_bounce, a_complaint, added_by_operator, an_event, an_open

RETENTION = Retention(volume_days=30, feedback_days=400)
HISTORY = RetentionHistory().with_setting(RETENTION, SENT)
MILLISECOND = timedelta(milliseconds=1)


def days(number: float) -> timedelta:
    return timedelta(days=number)


@pytest.mark.parametrize(
    ("event", "expected"),
    [(an_open(minutes=0), 30), (a_bounce(minutes=0), 400), (an_event("FirstOpen", minutes=0), 90)],
)
def test_event_expires_by_its_own_time(event: Event, expected: int):
    expiry = SENT + days(expected)
    assert expires_at(event, RETENTION) == expiry
    an_hour_before = expiry - EXPIRY_MARGIN
    assert HISTORY.is_expired(event, an_hour_before)
    assert not HISTORY.is_expired(event, an_hour_before - MILLISECOND)


def test_event_without_a_time_never_expires():
    timeless = a_bounce(sent_at=None, occurred_at=None)
    assert expires_at(timeless, RETENTION) is None
    assert not HISTORY.is_expired(timeless, SENT + days(9999))


def test_first_open_is_kept_as_long_as_opens_are_accepted():
    late = an_open(minutes=60 * 24 * 59)
    [_, first] = ledger.with_first_events([late])
    assert not HISTORY.is_expired(first, SENT + days(59))


@pytest.mark.parametrize("kind", Kind)
def test_copies_with_different_times_expire_together(kind: Kind):
    """A copy may lack the time of what happened, or a bouncing server's clock may differ between copies."""
    one, other = an_event(kind, minutes=1), an_event(kind, minutes=5)
    if ledger.key(one) == ledger.key(other):
        assert common_time(one) == common_time(other) == SENT
    else:
        assert (common_time(one), common_time(other)) == (one.occurred_at, other.occurred_at)


def test_operators_act_expires_by_when_it_was_made():
    act = added_by_operator(sent_at=None, occurred_at=SENT)
    assert expires_at(act, RETENTION) == SENT + days(400)


def test_raised_retention_does_not_let_in_what_the_earlier_one_may_have_removed():
    raised = HISTORY.with_setting(Retention(volume_days=90), SENT + days(20))
    assert raised.is_expired(an_open(), SENT + days(45))
    assert not raised.is_expired(an_open(), SENT + days(29))
    during_the_overlap = an_open(occurred_at=SENT + days(20) + OVERLAP - MILLISECOND)
    assert raised.is_expired(during_the_overlap, SENT + days(60))
    after_it = an_open(occurred_at=SENT + days(20) + OVERLAP)
    assert not raised.is_expired(after_it, SENT + days(60))
    assert raised.is_expired(after_it, SENT + days(111))


def test_lowered_retention_counts_from_its_first_day_for_older_events_too():
    lowered = HISTORY.with_setting(Retention(volume_days=10), SENT + days(5))
    assert lowered.is_expired(an_open(), SENT + days(11))


def test_setting_that_was_short_for_a_while_expires_what_it_may_have_removed():
    history = HISTORY.with_setting(Retention(volume_days=5), SENT + days(2)).with_setting(RETENTION, SENT + days(3))
    assert history.is_expired(an_open(), SENT + days(6))
    assert not history.is_expired(an_open(occurred_at=SENT + days(5)), SENT + days(20))


def test_unchanged_setting_leaves_the_history_as_it_is():
    assert HISTORY.with_setting(Retention(volume_days=30, feedback_days=400), SENT + days(99)) is HISTORY


def test_history_of_very_many_changes_stays_short_and_refuses_no_less():
    history, whole = HISTORY, list(HISTORY.periods)
    for number in range(3 * MAX_PERIODS):
        setting = Retention(volume_days=20 + number % 7, feedback_days=100 + number % 11)
        history = history.with_setting(setting, SENT + days(number))
        whole.append(Period(setting.volume_days, setting.feedback_days, SENT + days(number)))
    assert len(history.periods) == MAX_PERIODS
    assert history.periods[1:] == tuple(whole[-MAX_PERIODS + 1 :])
    for event in (an_open(), a_complaint()):
        for number in range(0, 120, 5):
            now = SENT + days(number)
            assert history.is_expired(event, now) or not RetentionHistory(tuple(whole)).is_expired(event, now)


def test_history_is_read_back_whatever_a_later_version_requires_of_settings():
    stored = {"periods": [{"volume_days": 1, "feedback_days": 1, "since": "2026-03-14T09:26:53Z", "field": "unknown"}]}
    since = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
    assert msgspec.convert(stored, RetentionHistory) == RetentionHistory((Period(1, 1, since),))
