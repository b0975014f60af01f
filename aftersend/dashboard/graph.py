"""Draw what a metric widget of a CloudWatch dashboard shows, for the page that stands in for CloudWatch.

The properties of such a widget are those of "Dashboard body structure and syntax" in the CloudWatch API reference.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from aftersend.dashboard.elements import element, empty
from aftersend.dashboard.numbers import count

MAX_LINES = 12
"""Lines drawn; of more, those with the highest values."""
HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 200, 46, 14, 10, 22
"""The size of a graph and its margins, in pixels."""
NARROWEST, WIDEST = 240, 1600
PIXELS_BETWEEN_TIMES = 130
PIXELS_OF_CHARACTER, PIXELS_OF_LINE = 7, 12
"""The most that a character of a label takes, and the distance of two labels."""
WIDEST_LABEL = 150
STYLES = 6
"""Colours of lines. From the seventh on they are dashed."""

Point = tuple[datetime, float]


class Source(NamedTuple):
    """What a line of a graph is read from: a metric, or an expression on metrics."""

    label: str
    statistic: str = "Average"
    namespace: str = ""
    name: str = ""
    dimensions: Mapping[str, str] = {}
    expression: str = ""
    id: str = ""
    is_visible: bool = True


class Series(NamedTuple):
    """A line of a graph: its points, the oldest first."""

    label: str
    points: Sequence[Point]


def sources(properties: Mapping[str, Any]) -> list[Source]:
    """Return what the lines of a metric widget are read from.

    The abbreviations `.` and `...` of names, which the CDK does not write, are not known.
    """
    return [_source(row, properties.get("stat", "Average")) for row in properties.get("metrics", ())]


def _source(row: Sequence[Any], statistic: str) -> Source:
    names = [each for each in row if isinstance(each, str)]
    options: Mapping[str, Any] = next((each for each in row if isinstance(each, Mapping)), {})
    namespace, name, *dimensions = names or ("", "")
    expression = options.get("expression", "")
    return Source(
        label=options.get("label", "" if expression else name),
        statistic=options.get("stat", statistic),
        namespace=namespace,
        name=name,
        dimensions=dict(zip(dimensions[::2], dimensions[1::2], strict=True)),
        expression=expression,
        id=options.get("id", ""),
        is_visible=options.get("visible", True),
    )


def queries(wanted: Sequence[Source], period: timedelta) -> list[dict[str, Any]]:
    """Return what GetMetricData is asked for to draw these lines."""
    return [_query(source, f"line{number}", int(period.total_seconds())) for number, source in enumerate(wanted)]


def _query(source: Source, id: str, period: int) -> dict[str, Any]:
    described: dict[str, Any] = {"Id": source.id or id, "ReturnData": source.is_visible}
    if source.label:
        described["Label"] = source.label
    if source.expression:
        return described | {"Expression": source.expression, "Period": period}
    dimensions = [{"Name": name, "Value": value} for name, value in source.dimensions.items()]
    metric = {"Namespace": source.namespace, "MetricName": source.name, "Dimensions": dimensions}
    return described | {"MetricStat": {"Metric": metric, "Period": period, "Stat": source.statistic}}


def thresholds(properties: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return the horizontal annotations of a metric widget: label and value."""
    annotations = properties.get("annotations", {}).get("horizontal", ())
    return [(each.get("label", ""), float(each["value"])) for each in annotations if "value" in each]


def graph(
    series: Iterable[Series],
    marks: Sequence[tuple[str, float]],
    begin: datetime,
    end: datetime,
    *,
    title: str,
    width: int,
) -> Element:
    """Return a graph with a legend, or a sentence if no line has a point."""
    drawn = sorted((each for each in series if each.points), key=_highest, reverse=True)
    if not drawn:
        return empty("There is no data here for this time range.")
    shown = drawn[:MAX_LINES]
    width = min(max(width, NARROWEST), WIDEST)
    scale = _Scale.of(begin, end, max(*map(_highest, shown), *(value for _, value in marks), 0), width, _right(marks))
    picture = element("svg", role="img", aria_label=f"{title}: {_summary(shown)}", css="graph")
    for name, pixels in (("width", width), ("height", HEIGHT)):
        picture.set(name, str(pixels))
    picture.set("viewBox", f"0 0 {width} {HEIGHT}")
    picture.extend([*_axes(scale), *_marks(marks, scale), *(_line(*each, scale) for each in enumerate(shown))])
    more = f"{MAX_LINES} of {len(drawn)} lines are drawn: the highest." if drawn[MAX_LINES:] else None
    return element("div", picture, _legend(shown), more and element("small", more))


def _right(marks: Sequence[tuple[str, float]]) -> int:
    """Return the right margin, in which the labels of thresholds are: no line of values crosses them there."""
    return RIGHT + min(WIDEST_LABEL, PIXELS_OF_CHARACTER * max((len(label) for label, _ in marks), default=0))


def _highest(series: Series) -> float:
    return max(value for _, value in series.points)


def _summary(shown: Sequence[Series]) -> str:
    return ", ".join(f"{each.label} up to {number(_highest(each))}" for each in shown)


def number(value: float) -> str:
    """Format a value of a metric: whole numbers with separators, others with three significant digits."""
    return count(int(value)) if value == int(value) else f"{value:.3g}"


class _Scale(NamedTuple):
    """Converts times and values to pixels."""

    begin: datetime
    end: datetime
    step: float
    """The distance of two marked values: 1, 2 or 5 times a power of ten."""
    steps: int
    right: int
    """The position at which it ends."""

    @classmethod
    def of(cls, begin: datetime, end: datetime, highest: float, width: int, margin: int) -> "_Scale":
        rough = (highest or 1) / 4
        power = 10 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
        return cls(begin, end, step, math.ceil((highest or 1) / step), width - margin)

    def x(self, time: datetime) -> float:
        share = (time - self.begin) / (self.end - self.begin)
        return LEFT + min(max(share, 0.0), 1.0) * (self.right - LEFT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - value / (self.step * self.steps) * (HEIGHT - TOP - BOTTOM)


def _axes(scale: _Scale) -> Iterable[Element]:
    for index in range(scale.steps + 1):
        value = index * scale.step
        yield _horizontal(scale, value, "grid")
        yield _text(number(round(value, 9)), LEFT - 8, scale.y(value) + 4, "end")
    times = max(2, (scale.right - LEFT) // PIXELS_BETWEEN_TIMES)
    form = "%H:%M" if scale.end - scale.begin <= timedelta(days=1) else "%d %b %H:%M"
    for index in range(times + 1):
        time = scale.begin + (scale.end - scale.begin) * index / times
        anchor = {0: "start", times: "end"}.get(index, "middle")
        yield _text(f"{time.astimezone(UTC):{form}}", scale.x(time), HEIGHT - 4, anchor)


def _marks(marks: Sequence[tuple[str, float]], scale: _Scale) -> Iterable[Element]:
    lowest = math.inf
    for label, value in sorted(marks, key=lambda mark: mark[1]):
        yield _horizontal(scale, value, "threshold")
        lowest = min(scale.y(value) + 4, lowest - PIXELS_OF_LINE)
        yield _text(label, scale.right + 6, lowest, "start")


def _line(index: int, series: Series, scale: _Scale) -> Element:
    positions = [(scale.x(time), scale.y(value)) for time, value in series.points]
    drawn = element("g", element("title", series.label), css=f"line {_style(index)}")
    if len(positions) == 1:
        [(x, y)] = positions
        drawn.append(element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="3"))
    drawn.append(element("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in positions)))
    return drawn


def _legend(shown: Sequence[Series]) -> Element:
    legend = element("ul", css="legend")
    for index, each in enumerate(shown):
        highest = f"{each.label}, up to {number(_highest(each))}"
        legend.append(element("li", element("span", css=f"swatch {_style(index)}"), highest))
    return legend


def _style(index: int) -> str:
    return f"style{index % STYLES}{' dashed' if index >= STYLES else ''}"


def _horizontal(scale: _Scale, value: float, css: str) -> Element:
    y = f"{scale.y(value):.1f}"
    return element("line", css=css, x1=str(LEFT), x2=str(scale.right), y1=y, y2=y)


def _text(text: str, x: float, y: float, anchor: str) -> Element:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)
