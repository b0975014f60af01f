"""Test the verdicts on bounce and complaint rates, cell by cell, and the guard's decisions."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from aftersend.counting import ALL_MEASURES, SIMULATED
from aftersend.metrics.guard import NOTHING, Decision, GuardState, decide, resumed
from aftersend.metrics.reputation import (
    DAY,
    WINDOWS,
    Figures,
    Level,
    Reputation,
    Verdict,
    figures,
    high_since,
    judge,
    judge_range,
    rates,
    sentence,
    watched_hours,
)

NOW = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
HOUR = NOW.replace(minute=0)
DEFAULTS = Reputation()
SETTLING = timedelta(minutes=4)
MEASURE = {"bounce": "hard_bounce", "complaint": "complaint"}
THRESHOLDS = {"bounce": (5, 10), "complaint": (0.1, 0.5)}
LEAST = {
    ("bounce", "hour"): (200, 20),
    ("bounce", "day"): (1_000, 50),
    ("complaint", "hour"): (200, 5),
    ("complaint", "day"): (1_000, 10),
}
CELLS = [(signal, window.name) for signal, window in product(MEASURE, WINDOWS)]


def verdict(signal: str, window: str, events: int, sends: int, reputation: Reputation = DEFAULTS) -> Verdict:
    """Return the verdict on one rate, of mail that only this window has."""
    hour = HOUR if window == "hour" else HOUR - timedelta(hours=24)
    verdicts = judge({hour: {"send": sends, MEASURE[signal]: events}}, NOW, reputation)
    return next(each for each in verdicts if (each.signal, each.window.name) == (signal, window))


def test_thresholds_and_least_numbers_are_those_that_are_documented():
    for (signal, window), least in LEAST.items():
        names = [f"{signal}_{level}_percent" for level in ("warning", "critical")]
        assert tuple(getattr(DEFAULTS, name) for name in names) == THRESHOLDS[signal]
        assert (getattr(DEFAULTS, f"{window}_sends"), getattr(DEFAULTS, f"{window}_{signal}s")) == least


@pytest.mark.parametrize(("signal", "window"), CELLS)
def test_level_changes_exactly_at_each_threshold(signal: str, window: str):
    sends = 100_000  # a threshold is a whole number of messages
    warning, critical = (round(sends * percent / 100) for percent in THRESHOLDS[signal])
    levels = [
        verdict(signal, window, events, sends).level
        for events in (0, warning - 1, warning, warning + 1, critical - 1, critical, critical + 1, sends)
    ]
    assert levels == [*[Level.HEALTHY] * 2, *[Level.WARNING] * 3, *[Level.CRITICAL] * 3]


@pytest.mark.parametrize(("signal", "window"), CELLS)
def test_too_little_mail_or_feedback_has_no_verdict(signal: str, window: str):
    sends, events = LEAST[signal, window]
    low = Reputation(bounce_warning_percent=0.01, complaint_warning_percent=0.01)
    assert verdict(signal, window, events, sends, low).level > Level.HEALTHY
    assert verdict(signal, window, events, sends - 1, low).level is Level.TOO_FEW
    assert verdict(signal, window, events - 1, sends, low).level is Level.TOO_FEW
    assert verdict(signal, window, 0, sends, low).level is Level.HEALTHY


@pytest.mark.parametrize(("signal", "window"), CELLS)
def test_rate_above_100_percent_has_no_verdict(signal: str, window: str):
    assert verdict(signal, window, 5_000, 5_000).level is Level.CRITICAL
    assert verdict(signal, window, 5_001, 5_000).level is Level.TOO_FEW


def test_echoes_whose_sends_are_not_counted_yet_make_no_negative_number_of_sends():
    [worst, *_] = judge({NOW.replace(minute=0, second=0, microsecond=0): {"suppression_list_echo": 5}}, NOW, DEFAULTS)
    assert sentence("news", worst) == "news: bounce rate 0.0 % (0 of 0 sent in 1 hour): too few for a verdict."


def test_rates_are_compared_in_whole_numbers():
    for thousands in range(10, 200):
        assert verdict("complaint", "day", thousands, thousands * 1_000).level is Level.WARNING
        assert verdict("complaint", "day", thousands - 1, thousands * 1_000).level is Level.HEALTHY


def test_windows_are_the_hour_that_has_begun_and_those_before_it():
    assert [window.rows for window in WINDOWS] == [2, 25]
    assert watched_hours(NOW)[:2] == [HOUR, HOUR - timedelta(hours=1)]
    assert watched_hours(NOW)[-1] == HOUR - timedelta(hours=24)
    by_hour = {HOUR - timedelta(hours=number): {"send": 1_000} for number in range(30)}
    assert {each.window.name: each.sends for each in judge(by_hour, NOW, DEFAULTS)} == {"hour": 2_000, "day": 25_000}


def test_rates_count_what_ses_attempted_and_nothing_else():
    counted = {"hard_bounce", "hard_bounce_no_email", "hard_bounce_suppressed", "sender_refused"}
    for measure in (*ALL_MEASURES, *(SIMULATED + name for name in ALL_MEASURES)):
        bounces, complaints = int(measure in counted), int(measure == "complaint")
        sends = {"send": 1, "suppression_list_echo": -1}.get(measure, 0)
        assert figures({measure: 1}) == Figures(sends, bounces, complaints), measure


def test_worst_verdict_comes_first():
    verdicts = judge({HOUR: {"send": 10_000, "hard_bounce": 600, "complaint": 60}}, NOW, DEFAULTS)
    assert [each.level for each in verdicts] == [Level.CRITICAL, Level.CRITICAL, Level.WARNING, Level.WARNING]
    assert verdicts[0].signal == "complaint"


def test_value_without_mail_has_no_verdict():
    assert {each.level for each in judge({}, NOW, DEFAULTS)} == {Level.TOO_FEW}


@pytest.mark.parametrize(("hours", "level"), [(2, Level.CRITICAL), (3, Level.TOO_FEW)])
def test_range_is_judged_by_the_least_numbers_of_the_window_that_is_as_long(hours: int, level: Level):
    sent_in = [HOUR - timedelta(hours=number) for number in reversed(range(hours))]
    worst = judge_range({sent_in[0]: {"send": 200, "hard_bounce": 20}}, sent_in, DEFAULTS)[0]
    assert worst.level is level


def test_mail_outside_a_range_is_not_judged_with_it():
    sent_in = [HOUR - timedelta(hours=number) for number in reversed(range(100))]
    later, bad = HOUR + timedelta(hours=1), {"send": 2_000, "hard_bounce": 300}
    assert judge_range({later: bad}, sent_in, DEFAULTS)[0].level is Level.TOO_FEW
    assert judge_range({sent_in[0]: bad}, sent_in, DEFAULTS)[0].level is Level.CRITICAL


def test_first_high_hour_is_that_of_each_signal():
    hours = [HOUR - timedelta(hours=number) for number in reversed(range(60))]
    mail = {hour: {"send": 1_000} for hour in hours}
    mail |= {hours[30]: {"send": 1_000, "hard_bounce": 400}, hours[40]: {"send": 1_000, "complaint": 90}}
    assert high_since(mail, hours, DEFAULTS) == {"bounce": hours[30], "complaint": hours[40]}
    assert high_since(mail, hours[:30], DEFAULTS) == {}


def test_mail_of_before_the_resumption_does_not_count():
    storm = {HOUR: {"send": 2_000, "hard_bounce": 400}}
    assert judge(storm, NOW, DEFAULTS, HOUR)[0].level is Level.CRITICAL
    assert judge(storm, NOW, DEFAULTS, HOUR + timedelta(hours=1))[0].level is Level.TOO_FEW


@pytest.mark.parametrize(
    ("signal", "events", "sends", "expected"),
    [
        (
            "bounce",
            248,
            2_000,
            "newsletter: bounce rate 12.4 % (248 of 2,000 sent in 24 hours) is 10 % or more: AWS reviews accounts from "
            "5 % and may pause them from 10 %.",
        ),
        (
            "complaint",
            15,
            10_000,
            "newsletter: complaint rate 0.15 % (15 of 10,000 sent in 24 hours) is 0.1 % or more: AWS reviews accounts "
            "from 0.1 % and may pause them from 0.5 %.",
        ),
        ("bounce", 1, 2_000, "newsletter: bounce rate 0.1 % (1 of 2,000 sent in 24 hours) is below 5 %."),
        ("bounce", 7, 0, "newsletter: bounce rate 0.0 % (7 of 0 sent in 24 hours): too few for a verdict."),
    ],
)
def test_sentence_has_the_figures(signal: str, events: int, sends: int, expected: str):
    assert sentence("newsletter", verdict(signal, "day", events, sends)) == expected


def test_rates_are_metrics_of_the_longer_window_where_there_is_enough_mail():
    def metrics(**measures: int) -> dict[str, float]:
        return rates(judge({HOUR - timedelta(hours=24): measures}, NOW, DEFAULTS), DEFAULTS)

    assert metrics(send=999) == metrics(send=1_000, hard_bounce=1_001, complaint=1_001) == {}
    assert metrics(send=3_000, hard_bounce=1) == {"bounce_rate": 0.033, "complaint_rate": 0.0}


def guard(level: Level, state: GuardState = NOTHING, mode: str = "pause", now: datetime = NOW) -> Decision:
    reputation = Reputation(guard=mode)  # ty: ignore[invalid-argument-type]
    return decide("newsletter", state, Verdict(level, "bounce", DAY, 248, 2_000, 10), now, reputation, SETTLING)


CRITICAL_BEFORE = GuardState(critical_since=NOW - timedelta(minutes=5))
PAUSED = GuardState(paused_at=NOW - timedelta(days=30), reason="figures")
RESUMED = resumed(PAUSED, NOW - timedelta(minutes=2), "operator", "repaired")
SINCE_NOW = GuardState(critical_since=NOW)


@pytest.mark.parametrize("mode", ["off", "dry-run", "pause"])
@pytest.mark.parametrize("level", Level)
def test_only_a_rate_that_stays_critical_is_acted_on_and_only_a_resumption_ends_a_pause(mode: str, level: Level):
    is_critical = level is Level.CRITICAL and mode != "off"
    assert guard(level, mode=mode) == Decision(SINCE_NOW if is_critical else NOTHING)
    assert guard(level, PAUSED, mode) == Decision(PAUSED)
    later = guard(level, CRITICAL_BEFORE, mode)
    assert later.is_due == is_critical
    assert later.state.is_paused == (is_critical and mode == "pause")
    assert is_critical or later.state == NOTHING


def test_pause_is_remembered_with_its_time_and_figures():
    state = guard(Level.CRITICAL, CRITICAL_BEFORE).state
    assert state.paused_at == NOW
    assert state.reason.startswith("newsletter: bounce rate 12.4 % (248 of 2,000 sent in 24 hours)")
    assert state.judged_since is None


def test_rate_must_be_critical_for_as_long_as_sends_may_be_late():
    since = GuardState(critical_since=NOW - SETTLING)
    assert guard(Level.CRITICAL, since).is_due
    assert not guard(Level.CRITICAL, since, now=NOW - timedelta(seconds=1)).is_due


def test_after_a_resumption_mail_counts_from_the_next_full_hour_and_the_set_can_be_paused_again():
    assert not RESUMED.is_paused
    assert RESUMED.judged_since == HOUR + timedelta(hours=1)
    again = guard(Level.CRITICAL, guard(Level.CRITICAL, RESUMED).state, now=NOW + SETTLING).state
    assert again.is_paused
    assert again.judged_since is None


@pytest.mark.parametrize(
    ("level", "events", "threshold", "text"),
    [
        (Level.HEALTHY, 496, 5, "bounce rate 4.96 % (496 of 10,000 sent in 24 hours) is below 5 %."),
        (Level.WARNING, 526, 5.25, "bounce rate 5.3 % (526 of 10,000 sent in 24 hours) is 5.25 % or more"),
        (Level.WARNING, 525, 5.25, "bounce rate 5.25 % (525 of 10,000 sent in 24 hours) is 5.25 % or more"),
        (Level.HEALTHY, 120, 5, "bounce rate 1.2 % (120 of 10,000 sent in 24 hours) is below 5 %."),
    ],
)
def test_sentence_shows_on_which_side_of_the_threshold_a_rate_is(
    level: Level, events: int, threshold: float, text: str
):
    assert text in sentence("news", Verdict(level, "bounce", DAY, events, 10_000, threshold))
