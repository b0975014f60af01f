"""Show the size of the suppression list and its growth, from values alone."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from aftersend.dashboard.elements import Content, widget
from aftersend.dashboard.suppression_list import growth_chart, not_counted, suppression_list
from aftersend.suppression.list_size import ListSize
from tests.event_factory import NOW

TODAY = NOW.date()
SIZE = ListSize(
    NOW - timedelta(hours=3),
    by_rule={"hard-bounce": 1_200, "complaint": 34},
    by_scope={"*": 1_230, "stream#news": 4},
    growth={
        TODAY: {"hard-bounce": 5},
        TODAY - timedelta(days=1): {"hard-bounce": 7, "complaint": 2, "subscription": 1},
        TODAY - timedelta(days=20): {"complaint": 1},
    },
)


def html(content: Iterable[Content]) -> str:
    return widget(*content, is_dark=False).partition("</style>")[2]


def rows(text: str) -> list[list[str]]:
    lines = [line.partition("</tr>")[0] for line in text.split("<tr>")[1:]]
    return [[cell.partition(">")[2].partition("<")[0] for cell in line.split("<t")[1:]] for line in lines]


def test_size_is_shown_with_its_age():
    text = html(suppression_list(SIZE, NOW, "prod"))
    assert "<strong>1,234 suppression entries in force</strong>" in text
    assert "New on the day of the count: 5; on the day before: 10." in text
    assert "Counted every 6 hours, last 3 h ago (15 Mar 2026 06:26 UTC)." in text
    assert "aftersend suppressions list --env prod" in text


def test_size_is_shown_by_rule_and_scope():
    text = html(suppression_list(SIZE, NOW, "prod"))
    assert [row for row in rows(text) if row[0] != "Rule"] == [
        ["hard-bounce", "1,200", "97.2 %", "12", "12"],
        ["complaint", "34", "2.8 %", "2", "3"],
        ["subscription", "0", "0.0 %", "1", "1"],
        ["Suppressed", "In force"],
        ["everywhere", "1,230"],
        ["for stream news", "4"],
    ]


def test_late_count_is_marked():
    text = html(suppression_list(SIZE, NOW + timedelta(hours=10), "prod"))
    assert "banner warn" in text
    assert "That is late: see SweepFailed and SweepMissing" in text


def test_large_list_is_counted_once_a_day():
    size = ListSize(NOW, {"complaint": 1_000_000})
    text = html(suppression_list(size, NOW + timedelta(hours=47), "prod"))
    assert "Counted every 24 hours" in text
    assert "banner warn" not in text
    assert "banner warn" in html(suppression_list(size, NOW + timedelta(hours=49), "prod"))


def test_only_the_largest_scopes_are_shown():
    size = ListSize(NOW, {"complaint": 30}, {f"list#{number}": 1 for number in range(30)})
    text = html(suppression_list(size, NOW, "prod"))
    assert text.count("for contact list") == 20
    assert "By scope, the 20 largest of 30" in text


def bars(**given: Any) -> list[tuple[float, float, str]]:
    chart = growth_chart(ListSize(NOW, **given))
    return [
        (float(rect.get("y", "")), float(rect.get("height", "")), rect.get("style", ""))
        for rect in chart.iter("rect")
        if rect.get("y")
    ]


def test_chart_has_a_bar_a_day_whose_parts_are_stacked_to_scale():
    highest, *others = bars(growth={TODAY - timedelta(days=1): {"hard-bounce": 6, "complaint": 2}, TODAY: {"other": 4}})
    [upper, other] = others
    assert [part[1] for part in (highest, upper, other)] == [109.5, 36.5, 73.0]
    assert highest[0] == upper[0] + upper[1]
    assert [part[2] for part in (highest, upper, other)] == [
        "fill:var(--bar)",
        "fill:var(--bar-bad)",
        "fill:var(--bar-soft)",
    ]


def test_chart_has_its_numbers_as_text():
    text = html([growth_chart(SIZE)])
    assert 'aria-label="New entries in 30 days: 16, at most 10 on one day."' in text
    assert "<title>14 Mar 2026: hard-bounce 7, complaint 2, other rules 1</title>" in text


def test_rules_and_scopes_are_shown_as_text():
    script = "<script>alert(1)</script>"
    size = ListSize(NOW, {script: 1}, {f"list#{script}": 1}, {TODAY: {script: 1}})
    assert "<script" not in html(suppression_list(size, NOW, script))


def test_list_that_was_not_counted_yet_has_the_next_time_and_the_command():
    text = html(not_counted(NOW, "Aftersend-prod-Sweep"))
    assert "Not counted yet: sweep_suppressions counts the list every 6 hours, next at 15 Mar 2026 12:00 UTC." in text
    assert "aws lambda invoke --function-name Aftersend-prod-Sweep /dev/stdout" in text
    assert "<code>" not in html(not_counted(NOW, None))
