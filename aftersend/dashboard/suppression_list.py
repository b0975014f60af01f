"""Show how large the suppression list is, by rule and scope, and how it grew, by day and rule."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from xml.etree.ElementTree import Element

from aftersend.dashboard.elements import Cell, Content, banner, command, element, empty, table
from aftersend.dashboard.numbers import ago, count, moment, percent
from aftersend.suppression.explanation import describe_scope
from aftersend.suppression.list_size import GROWTH_DAYS, SWEEP_EVERY_HOURS, ListSize, sweep_hours

MAX_ROWS = 20

OTHER = "other rules"
COLOURS: Mapping[str, str] = {
    "hard-bounce": "var(--bar)",
    "soft-bounce": "var(--bar-warn)",
    "complaint": "var(--bar-bad)",
    OTHER: "var(--bar-soft)",
}
"""The colour of each part of a day's bar, the lowest part first."""

WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM = 640, 150, 44, 16, 20
LABEL_EVERY_DAYS = 7


def not_counted(now: datetime, sweep_function: str | None) -> Iterator[Content]:
    """Return what is shown before the first sweep."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    next_run = hour + timedelta(hours=SWEEP_EVERY_HOURS - hour.hour % SWEEP_EVERY_HOURS)
    sentence = f"Not counted yet: sweep_suppressions counts the list every {SWEEP_EVERY_HOURS} hours, next at "
    at_once = [element("p", "To count it at once: ", _invocation(sweep_function))] if sweep_function else []
    yield empty(f"{sentence}{moment(next_run)} UTC.", *at_once)


def suppression_list(size: ListSize, now: datetime, environment: str) -> Iterator[Content]:
    """Return the size of the list and its growth."""
    # At twice the interval, at least one sweep is missing.
    is_stale = now - size.counted_at > timedelta(hours=2 * sweep_hours(size.in_force))
    today, yesterday = (sum(_day(size, size.counted_at.date() - timedelta(days=days)).values()) for days in (0, 1))
    yield banner(
        f"{count(size.in_force)} suppression {'entry' if size.in_force == 1 else 'entries'} in force",
        element("p", f"New on the day of the count: {count(today)}; on the day before: {count(yesterday)}."),
        element("small", _age(size, now, is_stale=is_stale)),
        tone="warn" if is_stale else "",
    )
    if size.growth:
        yield growth_chart(size)
    yield element("div", *_tables(size), css="row")
    yield element("p", "Every entry: ", command(f"aftersend suppressions list --env {environment}"), css="soft")


def _age(size: ListSize, now: datetime, *, is_stale: bool) -> str:
    late = " That is late: see SweepFailed and SweepMissing in docs/operations.md." if is_stale else ""
    interval = f"Counted every {sweep_hours(size.in_force)} hours"
    return f"{interval}, last {ago(now, size.counted_at)} ({moment(size.counted_at)} UTC).{late}"


def _tables(size: ListSize) -> Iterator[Element]:
    week, month = (_new_within(size, days) for days in (7, GROWTH_DAYS))
    rules = sorted(size.by_rule.keys() | month.keys(), key=lambda rule: (-size.by_rule.get(rule, 0), rule))
    rows = [
        [
            Cell.of(rule),
            Cell.of(count(number := size.by_rule.get(rule, 0))),
            Cell.of(percent(number, size.in_force)),
            Cell.of(count(week[rule])),
            Cell.of(count(month[rule])),
        ]
        for rule in rules[:MAX_ROWS]
    ]
    titles = ("Rule", "In force", "Share", "New, 7 days", f"New, {GROWTH_DAYS} days")
    yield table("By rule", titles, rows, numeric_from=1)
    scopes = sorted(size.by_scope.items(), key=lambda item: (-item[1], item[0]))
    cells = [[Cell.of(describe_scope(scope)), Cell.of(count(number))] for scope, number in scopes[:MAX_ROWS]]
    more = f", the {MAX_ROWS} largest of {count(len(scopes))}" if len(scopes) > MAX_ROWS else ""
    yield table(f"By scope{more}", ("Suppressed", "In force"), cells, numeric_from=1)


def _new_within(size: ListSize, days: int) -> Counter[str]:
    first = size.counted_at.date() - timedelta(days=days - 1)
    total = Counter[str]()
    for day, rules in size.growth.items():
        if day >= first:
            total.update(rules)
    return total


def _day(size: ListSize, day: date) -> Counter[str]:
    """Return the new entries of a day by what its bar is made of."""
    parts = Counter[str]()
    for rule, number in size.growth.get(day, {}).items():
        parts[rule if rule in COLOURS else OTHER] += number
    return parts


def growth_chart(size: ListSize) -> Element:
    """Return a bar for each day, stacked by rule, with the numbers as a text for each day."""
    last = size.counted_at.date()
    days = [last - timedelta(days=GROWTH_DAYS - 1 - number) for number in range(GROWTH_DAYS)]
    parts = [_day(size, day) for day in days]
    highest = max(each.total() for each in parts) or 1
    size_of_chart = {"width": str(WIDTH), "viewBox": f"0 0 {WIDTH} {HEIGHT + BOTTOM}"}
    chart = element("svg", role="img", aria_label=_summary(parts, highest), **size_of_chart)
    chart.append(_text(LEFT - 6, 12, count(highest), anchor="end"))
    chart.append(_text(LEFT - 6, HEIGHT, "0", anchor="end"))
    for index, (day, each) in enumerate(zip(days, parts, strict=True)):
        chart.append(_bar(index, day, each, highest))
        if (GROWTH_DAYS - 1 - index) % LABEL_EVERY_DAYS == 0:
            chart.append(_text(_left(index) + _step() / 2, HEIGHT + 15, f"{day:%d %b}", anchor="middle"))
    used = [name for name in COLOURS if any(each[name] for each in parts)]
    caption = element("figcaption", *_legend(used), css="soft")
    return element("figure", element("h3", f"New entries a day, {GROWTH_DAYS} days to {last:%d %b %Y}"), chart, caption)


def _summary(parts: Sequence[Counter[str]], highest: int) -> str:
    total = sum(each.total() for each in parts)
    return f"New entries in {GROWTH_DAYS} days: {count(total)}, at most {count(highest)} on one day."


def _bar(index: int, day: date, parts: Counter[str], highest: int) -> Element:
    numbers = ", ".join(f"{name} {count(parts[name])}" for name in COLOURS if parts[name]) or "none"
    bar = element("g", element("title", f"{day:%d %b %Y}: {numbers}"))
    top = float(HEIGHT)
    for name, colour in COLOURS.items():
        if parts[name]:
            height = max(1.0, parts[name] / highest * (HEIGHT - 4))
            top -= height
            place = {"x": f"{_left(index):.1f}", "y": f"{top:.1f}"}
            size = {"width": f"{_step() - 3:.1f}", "height": f"{height:.1f}"}
            bar.append(element("rect", style=f"fill:{colour}", **place, **size))
    return bar


def _legend(names: Sequence[str]) -> Iterator[Content]:
    for name in names:
        square = element("svg", width="10", height="10", aria_hidden="true", css="key")
        square.append(element("rect", width="10", height="10", style=f"fill:{COLOURS[name]}"))
        yield element("span", square, f" {name} ", css="key")


def _step() -> float:
    return (WIDTH - LEFT - RIGHT) / GROWTH_DAYS


def _left(index: int) -> float:
    return LEFT + index * _step()


def _text(x: float, y: float, text: str, *, anchor: str) -> Element:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)


def _invocation(function: str) -> Element:
    return command(f"aws lambda invoke --function-name {function} /dev/stdout")
