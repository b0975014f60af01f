"""Draw charts, and read the figures from them."""

from xml.etree.ElementTree import Element

import pytest

from aftersend.dashboard.charts import (
    Bar,
    Point,
    Stage,
    Threshold,
    funnel,
    rate_line,
    round_up,
    sparkline,
    stacked_bars,
    threshold_bar,
)
from tests.counter_widgets import shown

THRESHOLDS = [Threshold(5, "warn"), Threshold(10, "bad")]


def numbers(chart: Element, tag: str, name: str) -> list[float]:
    return [float(each.get(name, "")) for each in chart.iter(tag)]


def test_every_chart_states_its_figures_in_words():
    charts = [
        sparkline([1, 2], "words"),
        stacked_bars([Bar("09:00", (3, 1), "3 of 4")], ("bar", "bar-soft"), "words"),
        rate_line([Point("09:00", 1.0, "1 of 100")], THRESHOLDS, "words"),
        threshold_bar(1, THRESHOLDS, "words"),
        funnel([Stage("Sent", 4, "4")], "words"),
    ]
    assert [(chart.tag, chart.get("role"), chart.get("aria-label")) for chart in charts] == [
        ("svg", "img", "words")
    ] * 5


@pytest.mark.parametrize(
    ("value", "rounded"), [(0, 1), (0.11, 0.2), (0.55, 1), (1, 1), (11, 20), (2_600, 3_000), (5_001, 10_000)]
)
def test_axis_ends_at_a_round_number(value: float, rounded: float):
    assert round_up(value) == pytest.approx(rounded)


def test_sparkline_is_higher_where_the_number_is_larger():
    [line] = sparkline([0, 50, 100], "").iter("polyline")
    heights = [float(point.partition(",")[2]) for point in line.get("points", "").split()]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2])


@pytest.mark.parametrize("values", [[], [0], [7]])
def test_sparkline_of_hardly_any_numbers_is_drawn(values: list[int]):
    assert sparkline(values, "").find("polyline") is not None


def test_parts_of_a_bar_are_stacked_in_proportion():
    chart = stacked_bars([Bar("09:00", (75, 25), "75 of 100"), Bar("10:00", (0, 0), "")], ("bar", "bar-soft"), "")
    lower, upper = numbers(chart, "rect", "height")
    assert lower == pytest.approx(3 * upper)
    assert numbers(chart, "rect", "y")[0] == pytest.approx(numbers(chart, "rect", "y")[1] + upper)
    assert shown(chart).startswith("0 100 09:00 10:00 75 of 100")


def test_chart_without_bars_has_axes():
    assert shown(stacked_bars([], ("bar",), "")) == "0 1"


def test_rate_line_is_interrupted_where_there_is_no_rate():
    points = [Point("1", 1.0, ""), Point("2", 2.0, ""), Point("3", None, ""), Point("4", 3.0, "")]
    chart = rate_line(points, THRESHOLDS, "")
    assert len([*chart.iter("circle")]) == 3
    assert len([line for line in chart.iter("line") if line.get("style") == "stroke:var(--bar)"]) == 1


def test_what_has_reached_a_threshold_has_its_colour_and_few_messages_are_hollow():
    points = [Point("1", 4.9, ""), Point("2", 5.0, ""), Point("3", 10.0, ""), Point("4", 50.0, "", is_small=True)]
    fills = [each.get("style", "").partition(";")[0] for each in rate_line(points, THRESHOLDS, "").iter("circle")]
    assert fills == [f"fill:var(--{name})" for name in ("bar", "bar-warn", "bar-bad", "paper")]


@pytest.mark.parametrize("percent", [0, 0.1, 7, 30, 100])
def test_bar_against_thresholds_stays_within_its_chart(percent: float):
    chart = threshold_bar(percent, THRESHOLDS, "")
    width = float(chart.get("width", ""))
    assert max(numbers(chart, "rect", "width")) <= width
    assert all(0 < x < width for x in numbers(chart, "line", "x1"))
    assert shown(chart) == "5 % 10 %"


def test_bar_crosses_a_mark_exactly_where_the_rate_reaches_the_threshold():
    for percent, crosses in ((4.9, False), (5.1, True)):
        chart = threshold_bar(percent, THRESHOLDS, "")
        assert (numbers(chart, "rect", "width")[1] > numbers(chart, "line", "x1")[0]) is crosses


def test_stages_of_a_funnel_are_parts_of_the_first():
    chart = funnel([Stage("Sent", 200, "200"), Stage("Opened", 50, "50"), Stage("Odd", 900, "900")], "")
    grounds, bars = numbers(chart, "rect", "width")[::2], numbers(chart, "rect", "width")[1::2]
    assert bars == pytest.approx([grounds[0], grounds[0] / 4, grounds[0]])
