"""Draw charts as inline SVG. Each states its figures in words, for those who do not see it.

Colours are variables of the style sheet. What colour says is also said by a place, a mark or a word.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import floor, log10
from typing import NamedTuple
from xml.etree.ElementTree import Element

from aftersend.dashboard.elements import element
from aftersend.dashboard.numbers import count

WIDTH, HEIGHT = 400, 150
"""Of a chart over time. It is shown at about this size on a phone as well as beside two others."""
LEFT, TOP, BOTTOM = 44, 10, 22
"""The margins for the texts of the axes."""
INNER_HEIGHT = HEIGHT - TOP - BOTTOM


class Bar(NamedTuple):
    """A bar of a chart over time: its parts from the bottom to the top, and all of it in words."""

    time: str
    parts: Sequence[int]
    text: str


class Point(NamedTuple):
    """A point of a line over time."""

    time: str
    percent: float | None
    """None where there is none, which interrupts the line."""
    text: str
    is_small: bool = False
    """Whether it is a rate of few messages, which is drawn hollow."""


class Threshold(NamedTuple):
    """A rate from which a level holds."""

    percent: float
    level: str
    """`warn` or `bad`."""


class Stage(NamedTuple):
    """A stage of a funnel."""

    name: str
    number: int
    text: str
    """What stands behind its bar."""


def _svg(width: float, height: float, label: str, shapes: Iterable[Element]) -> Element:
    size = {"viewBox": f"0 0 {width:g} {height:g}", "width": f"{width:g}", "height": f"{height:g}"}
    return element("svg", *shapes, role="img", aria_label=label, **size)


def _rect(x: float, y: float, width: float, height: float, fill: str, title: str = "") -> Element:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{max(0.0, width):.1f}", "height": f"{max(0.0, height):.1f}"}
    return element("rect", _title(title), style=f"fill:var(--{fill})", **place)


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, *, dashes: str = "") -> Element:
    ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    return element("line", style=f"stroke:var(--{stroke})", **ends, **({"stroke_dasharray": dashes} if dashes else {}))


def _text(x: float, y: float, text: str, anchor: str = "start") -> Element:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)


def _title(text: str) -> Element | None:
    return element("title", text) if text else None


def round_up(value: float) -> float:
    """Return the least of 1, 2, 3, 5, 10, 20 … and their tenths and hundredths that is no less."""
    if value <= 0:
        return 1
    unit = 10 ** floor(log10(value))
    return next(unit * factor for factor in (1, 2, 3, 5, 10) if value <= unit * factor * (1 + 1e-9))


def sparkline(values: Sequence[int], label: str) -> Element:
    """Draw how a number went, without axes."""
    width, height = 110, 22
    most, distance = max(1, *values, 1), (width - 4) / max(1, len(values) - 1)
    points = " ".join(
        f"{2 + distance * index:.1f},{height - 2 - (height - 4) * value / most:.1f}"
        for index, value in enumerate((*values, *values) if len(values) == 1 else values)
    )
    line = element("polyline", points=points, style="fill:none;stroke:var(--bar);stroke-width:1.5")
    return _svg(width, height, label, [_line(2, height - 1.5, width - 2, height - 1.5, "line"), line])


def stacked_bars(bars: Sequence[Bar], fills: Sequence[str], label: str) -> Element:
    """Draw numbers over time. `fills` are the variables of the parts' colours."""
    top = round_up(max((sum(bar.parts) for bar in bars), default=0))
    slot = (WIDTH - LEFT) / max(1, len(bars))
    shapes = [*_axes(top, count(int(top)) if top >= 1 else "1", [bar.time for bar in bars])]
    for index, bar in enumerate(bars):
        bottom = float(HEIGHT - BOTTOM)
        for part, fill in zip(bar.parts, fills, strict=True):
            height = INNER_HEIGHT * part / top
            bottom -= height
            if part > 0:
                shapes.append(_rect(LEFT + index * slot + slot * 0.1, bottom, slot * 0.8, height, fill, bar.text))
    return _svg(WIDTH, HEIGHT, label, shapes)


def _axes(top: float, top_text: str, times: Sequence[str]) -> Iterator[Element]:
    yield _line(LEFT, HEIGHT - BOTTOM, WIDTH, HEIGHT - BOTTOM, "line")
    yield _line(LEFT, TOP, WIDTH, TOP, "line", dashes="2 3")
    yield _text(LEFT - 6, HEIGHT - BOTTOM + 4, "0", "end")
    yield _text(LEFT - 6, TOP + 4, top_text, "end")
    if times:
        yield _text(LEFT, HEIGHT - 6, times[0])
    if len(times) > 1:
        yield _text(WIDTH, HEIGHT - 6, times[-1], "end")


def rate_line(points: Sequence[Point], thresholds: Sequence[Threshold], label: str) -> Element:
    """Draw a rate over time, with a dashed line at each threshold. What has reached one has its colour."""
    highest = max((point.percent or 0 for point in points), default=0)
    top = round_up(max(highest, *(1.1 * each.percent for each in thresholds)))
    distance = (WIDTH - LEFT - 8) / max(1, len(points) - 1)

    def place(percent: float) -> float:
        return HEIGHT - BOTTOM - INNER_HEIGHT * percent / top

    shapes = [*_axes(top, f"{top:g} %", [point.time for point in points])]
    for each in thresholds:
        y = place(each.percent)
        shapes += [_line(LEFT, y, WIDTH, y, f"bar-{each.level}", dashes="5 3")]
        if INNER_HEIGHT - 12 > INNER_HEIGHT * each.percent / top > 12:
            shapes.append(_text(LEFT - 6, y + 4, f"{each.percent:g} %", "end"))
    for previous, (index, point) in zip((None, *points), enumerate(points), strict=False):
        if point.percent is None:
            continue
        x, y = LEFT + 4 + index * distance, place(point.percent)
        if previous and previous.percent is not None:
            shapes.append(_line(x - distance, place(previous.percent), x, y, "bar"))
        shapes.append(_dot(x, y, point, _colour(point.percent, thresholds)))
    return _svg(WIDTH, HEIGHT, label, shapes)


def _dot(x: float, y: float, point: Point, colour: str) -> Element:
    fill = "paper" if point.is_small else colour
    style = f"fill:var(--{fill});stroke:var(--{'bar-soft' if point.is_small else colour})"
    return element("circle", _title(point.text), cx=f"{x:.1f}", cy=f"{y:.1f}", r="2.5", style=style)


def _colour(percent: float, thresholds: Sequence[Threshold]) -> str:
    reached = [each for each in thresholds if percent >= each.percent]
    return f"bar-{max(reached).level}" if reached else "bar"


def threshold_bar(percent: float, thresholds: Sequence[Threshold], label: str, fill: str = "bar") -> Element:
    """Draw a rate as a bar, with a mark at each threshold. A bar that is too long ends at three times the last."""
    width, height = 200, 28
    last = max(each.percent for each in thresholds)
    scale = (width - 2) / max(1.5 * last, min(percent, 3 * last))
    shapes = [_rect(0, 3, width, 9, "line"), _rect(0, 3, min(percent * scale, width), 9, fill)]
    for each in thresholds:
        x = each.percent * scale
        shapes.append(_line(x, 0, x, 15, "ink"))
        shapes.append(_text(max(16, x), 26, f"{each.percent:g} %", "middle"))
    return _svg(width, height, label, shapes)


def funnel(stages: Sequence[Stage], label: str) -> Element:
    """Draw how many remain from stage to stage."""
    first, row, name_width, bar_width = max(1, stages[0].number), 26, 72, 170
    shapes: list[Element] = []
    for index, stage in enumerate(stages):
        middle = index * row + row / 2
        length = bar_width * min(1.0, stage.number / first)
        shapes.append(_text(0, middle + 4, stage.name))
        shapes.append(_rect(name_width, middle - 8, bar_width, 16, "raised"))
        shapes.append(_rect(name_width, middle - 8, length, 16, "bar"))
        shapes.append(_text(name_width + bar_width + 8, middle + 4, stage.text))
    return _svg(WIDTH, row * len(stages), label, shapes)
