from datetime import UTC, datetime, timedelta

from aftersend.metrics.reputation import Reputation
from aftersend.metrics.tag_table import ByHour, Order, TagRow, sort_rows, tag_row

NOW = datetime(2026, 3, 14, 10, 30, tzinfo=UTC)
HOUR = NOW.replace(minute=0)
SINCE = HOUR - timedelta(hours=24)

HEALTHY = {"send": 2_000, "delivery": 1_980, "hard_bounce": 20, "unique_opens": 700, "open_proxy": 300, "click": 90}
BAD = {"send": 2_000, "delivery": 1_700, "hard_bounce": 200, "hard_bounce_no_email": 50, "sender_refused": 10}


def row(value: str, by_hour: ByHour) -> TagRow:
    return tag_row("campaign", value, by_hour, SINCE, NOW, Reputation())


def test_numbers_are_added_up_since_the_hour():
    healthy = row("spring", {HOUR: HEALTHY, HOUR - timedelta(hours=30): HEALTHY})
    assert (healthy.sends, healthy.deliveries, healthy.hard_bounces, healthy.opened) == (2_000, 1_980, 20, 700)
    assert (healthy.machine_opens, healthy.clicks) == (300, 90)
    assert (healthy.bounce_percent, healthy.complaint_percent, healthy.level) == (1.0, 0.0, "healthy")


def test_hard_bounces_are_those_that_aws_counts():
    bad = row("clearance", {HOUR: BAD | {"suppression_list_echo": 100, "simulated_hard_bounce": 9}})
    assert (bad.hard_bounces, bad.level) == (260, "critical")
    assert bad.bounce_percent == round(100 * 260 / 1_900, 3)


def test_rate_is_unknown_while_sends_are_not_counted():
    early = row("early", {HOUR: {"send": 3, "hard_bounce": 40}})
    assert (early.bounce_percent, early.complaint_percent, early.level) == (None, 0.0, "too-few")
    assert row("link", {HOUR: {"click": 4}}).bounce_percent is None


def test_worst_comes_first_whatever_its_name():
    rows = [
        row("a-healthy", {HOUR: HEALTHY}),
        row("b-complaints", {HOUR: {"send": 2_000, "complaint": 11}}),
        row("c-bounces", {HOUR: BAD}),
        row("d-small", {HOUR: {"send": 10, "hard_bounce": 5}}),
    ]
    assert [each.value for each in sort_rows(rows, Order.WORST)] == [
        "c-bounces",
        "b-complaints",
        "a-healthy",
        "d-small",
    ]
    assert [each.value for each in sort_rows(rows, Order.NAME)] == [each.value for each in rows]
    assert [each.sends for each in sort_rows(rows, Order.SENDS)] == [2_000, 2_000, 2_000, 10]
