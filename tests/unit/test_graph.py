"""Draw a metric widget's graph: its lines, its thresholds, and what takes its place without data."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element, tostring

import pytest

from aftersend.dashboard.graph import MAX_LINES, Series, graph, number, queries, sources, thresholds

END = datetime(2026, 3, 14, 12, tzinfo=UTC)
BEGIN = END - timedelta(hours=24)
MINUTE = timedelta(minutes=1)


def series(label: str, *values: float) -> Series:
    return Series(label, [(BEGIN + timedelta(hours=hour), value) for hour, value in enumerate(values)])


def draw(*drawn: Series, marks: Sequence[tuple[str, float]] = (), width: int = 600) -> Element:
    return graph(drawn, marks, BEGIN, END, title="Sent", width=width)


def texts(drawn: Element) -> str:
    return " ".join(drawn.itertext())


def test_widget_of_the_cdk_is_queried_as_cloudwatch_does():
    properties = {
        "stat": "Sum",
        "metrics": [
            ["Aftersend", "send", "Environment", "shop", "ConfigurationSet", "news", {"label": "news send"}],
            ["AWS/SQS", "Age", {"stat": "Maximum", "id": "age", "visible": False}],
            [{"expression": "SEARCH('{Aftersend,Tag,Value}', 'Sum')", "id": "tags"}],
        ],
    }
    stat, hidden, expression = queries(sources(properties), MINUTE)
    metric = stat["MetricStat"]["Metric"]
    assert (stat["Label"], stat["MetricStat"]["Stat"], metric["MetricName"]) == ("news send", "Sum", "send")
    assert metric["Dimensions"][1] == {"Name": "ConfigurationSet", "Value": "news"}
    assert (hidden["Id"], hidden["ReturnData"], hidden["MetricStat"]["Stat"]) == ("age", False, "Maximum")
    assert expression == {
        "Id": "tags",
        "ReturnData": True,
        "Expression": "SEARCH('{Aftersend,Tag,Value}', 'Sum')",
        "Period": 60,
    }


def test_line_reaches_from_its_first_to_its_last_value():
    drawn = draw(series("news send", 0, 100))
    [line] = drawn.iter("polyline")
    (x1, y1), (x2, y2) = (map(float, point.split(",")) for point in line.attrib["points"].split())
    assert x1 < x2
    assert y1 > y2, "down is where pixels count to"
    assert "news send, up to 100" in texts(drawn)
    assert next(drawn.iter("svg")).attrib["aria-label"] == "Sent: news send up to 100"


def test_thresholds_are_lines_within_the_graph():
    marks = thresholds({"annotations": {"horizontal": [{"label": "AWS reviews", "value": 5}, {"color": "#fff"}]}})
    drawn = draw(series("rate", 0.2), marks=marks)
    [mark] = [each for each in drawn.iter("line") if each.attrib["class"] == "threshold"]
    assert 0 < float(mark.attrib["y1"]) < 200
    assert "AWS reviews" in texts(drawn)


@pytest.mark.parametrize("highest", [0.03, 2, 100])
def test_labels_of_thresholds_are_beside_the_lines_and_apart(highest: float):
    drawn = draw(series("rate", *[highest] * 25), marks=[("critical", 0.5), ("warning", 0.1)])
    labels = {each.text: each.attrib for each in drawn.iter("text") if each.text in ("critical", "warning")}
    [line] = drawn.iter("polyline")
    last = float(line.attrib["points"].split()[-1].split(",")[0])
    assert all(last < float(each["x"]) < 600 for each in labels.values())
    assert float(labels["warning"]["y"]) - float(labels["critical"]["y"]) >= 12


@pytest.mark.parametrize("drawn", [(), (Series("send", []),)])
def test_graph_without_data_says_so(drawn: tuple[Series, ...]):
    assert texts(draw(*drawn)) == "There is no data here for this time range."


def test_only_the_highest_lines_are_drawn():
    drawn = draw(*(series(f"set {number}", number + 1) for number in range(MAX_LINES + 3)))
    assert len([*drawn.iter("polyline")]) == MAX_LINES
    assert "12 of 15 lines are drawn" in texts(drawn)
    assert "set 0," not in texts(drawn)


def test_lines_of_zeros_are_drawn():
    assert "send, up to 0" in texts(draw(series("send", 0, 0)))


def test_labels_are_shown_as_text():
    assert b"<script>" not in tostring(draw(series("<script>alert(1)</script>", 1)))


@pytest.mark.parametrize(("width", "times"), [(300, 3), (1200, 9)])
def test_wider_graph_marks_more_times(width: int, times: int):
    drawn = draw(series("send", 1), width=width)
    assert len([each for each in drawn.iter("text") if ":" in (each.text or "")]) == times


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (12_345, "12,345"), (0.5, "0.5"), (3.14159, "3.14"), (1e-05, "1e-05")]
)
def test_values_are_written_for_people(value: float, text: str):
    assert number(value) == text
