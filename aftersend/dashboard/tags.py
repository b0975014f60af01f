"""Show what became of the mail of each value of a message tag, the worst first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

from aftersend.counting import LINK, PROVIDER
from aftersend.dashboard.charts import sparkline
from aftersend.dashboard.elements import (
    Action,
    Cell,
    Content,
    choice,
    command,
    element,
    empty,
    field,
    form,
    level,
    link,
    table,
)
from aftersend.dashboard.numbers import UNKNOWN, count, percent
from aftersend.dashboard.span import Span
from aftersend.dashboard.tracking import CLICK, OPEN, Tracked, tracked_share
from aftersend.metrics.reputation import Reputation
from aftersend.metrics.summary import summarize
from aftersend.metrics.tag_table import ByHour, Order, TagRow, range_row, sort_rows

PANEL, CAMPAIGN_PANEL = "tags", "campaign"
TOP, ALL = 20, 150
"""How many rows are shown, and how many if all are asked for: a row has about 2 KB."""

ORDERS = {Order.WORST: "worst first", Order.SENDS: "most mail first", Order.NAME: "by name"}


class Chosen(NamedTuple):
    tag: str
    search: str
    sort: Order
    is_all: bool


"""What the table is to show."""


class TagValue(NamedTuple):
    """The numbers of a value in a time range, and in the one before."""

    row: TagRow
    before: TagRow
    series: Sequence[int]
    """Messages sent in each step of the range; of a link tag's value, clicks."""


class Table:
    """The table of a tag's values."""

    def __init__(
        self,
        chosen: Chosen,
        tags: Sequence[str],
        span: Span,
        reputation: Reputation,
        environment: str,
        show: str,
        tracked: Tracked,
    ) -> None:
        """`tags` can be chosen; `show` is the function's ARN."""
        self._chosen, self._tags, self._span, self._reputation = chosen, tags, span, reputation
        self._environment, self._show, self._tracked = environment, show, tracked

    def render(self, sums: Mapping[str, ByHour]) -> Iterator[Content]:
        """Yield what the panel consists of, given the counters of the range and the one before by value."""
        rows = sort_rows(self._rows(sums), self._chosen.sort)
        yield self._form()
        yield element("p", f"Messages sent from {self._span.text}. {self._explanation}", css="soft")
        if not rows:
            yield self._empty()
            return
        shown = rows[: ALL if self._chosen.is_all else TOP]
        make = self._link_cells if self._is_link else self._cells
        clicks = sum(row.clicks for row in rows)
        cells = (make(self._value(row, sums[row.value]), clicks) for row in shown)
        yield table(self._caption, self._titles, cells, numeric_from=2)
        yield from self._remainder(len(shown), len(rows))

    def _rows(self, sums: Mapping[str, ByHour]) -> Iterator[TagRow]:
        """Yield the row of each value with anything counted in the range that has the text searched for."""
        hours, search = self._span.hours, self._chosen.search.lower()
        for value, by_hour in sums.items():
            counted = (counts for hour, counts in by_hour.items() if hours[0] <= hour <= hours[-1])
            if search in value.lower() and any(any(counts.values()) for counts in counted):
                yield range_row(self._chosen.tag, value, by_hour, hours, self._reputation)

    def _value(self, row: TagRow, by_hour: ByHour) -> TagValue:
        group = "click" if self._is_link else "send"
        return TagValue(
            row=row,
            before=range_row(row.tag, row.value, by_hour, self._span.previous, self._reputation),
            series=[summarize(step.measures(by_hour))[group] for step in self._span.steps()],
        )

    @property
    def _is_link(self) -> bool:
        return self._chosen.tag.startswith(LINK)

    @property
    def _caption(self) -> str:
        return f"Values of {self._chosen.tag}, {ORDERS[self._chosen.sort]}"

    @property
    def _titles(self) -> Sequence[str]:
        if self._is_link:
            return ("Value", "Over time", "Clicks", "Share", "Machines' clicks")
        titles = ("Value", "Verdict", "Sent", "Over time", "Delivered", "Hard bounces", "Complaints")
        return titles if self._chosen.tag == PROVIDER else (*titles, "Opened", "Clicked")

    def _form(self) -> Element:
        fields = [
            choice("Message tag", "tag", {tag: tag for tag in self._tags}, self._chosen.tag),
            field("Search", "search", self._chosen.search, type="search", placeholder="a part of a value"),
            choice("Order", "sort", {order.value: text for order, text in ORDERS.items()}, self._chosen.sort.value),
        ]
        return form(fields, "Show", self._action())

    def _action(self, **changed: str) -> Action:
        chosen = {"tag": self._chosen.tag, "search": self._chosen.search, "sort": self._chosen.sort.value}
        return Action(self._show, {"panel": PANEL, **chosen, **changed})

    @property
    def _explanation(self) -> str:
        reputation = self._reputation
        if self._is_link:
            return "Clicks on links with this link tag by people; machines' are apart, and in no share."
        return (
            "Rates are of what SES attempted to deliver; the verdict is on this range and its last 24 hours, and is "
            f"“too few” below {count(reputation.day_sends)} sent, or {count(reputation.day_bounces)} bounces or "
            f"{count(reputation.day_complaints)} complaints. “Before” is the period of equal length before."
        )

    def _empty(self) -> Element:
        if self._chosen.search:
            every = link("Show every value", self._action(search=""))
            return empty(f"No value of {self._chosen.tag} has “{self._chosen.search}” in it.", *every)
        return empty("Nothing was counted. Choose a longer time range, or send:", send_command(self._environment))

    def _remainder(self, shown: int, all_rows: int) -> Iterator[Content]:
        if shown < all_rows:
            every = link(f"show {count(min(ALL, all_rows))}", self._action(all="1"))
            rest = () if self._chosen.is_all else (", or ", *every)
            text = f"{count(shown)} of {count(all_rows)} values are shown. Search for others"
            yield element("p", text, *rest, ".", css="soft")

    def _name(self, row: TagRow) -> Cell:
        parameters = {"panel": CAMPAIGN_PANEL, "tag": row.tag, "value": row.value}
        return Cell.of(*link(row.value, Action(self._show, parameters)))

    def _cells(self, value: TagValue, _clicks: int) -> list[Cell]:
        row, before = value.row, value.before
        cells = [
            self._name(row),
            Cell.of(level(row.level.replace("-", " "))),
            Cell.of(count(row.sends), element("small", _change(row.sends, before.sends))),
            Cell.of(sparkline(value.series, f"Sent over time: {count(row.sends)}, at most {count(max(value.series))}")),
            Cell.of(percent(row.deliveries, row.sends)),
            Cell.of(*_rate(row.hard_bounces, row.bounce_percent, before.bounce_percent, 1), *_soft(row)),
            Cell.of(*_rate(row.complaints, row.complaint_percent, before.complaint_percent, 2)),
        ]
        if row.tag != PROVIDER:
            for kind, number in ((OPEN, row.opened), (CLICK, row.clicked)):
                share = tracked_share(kind, number, row.deliveries, row.tag, row.value, self._tracked)
                cells.append(Cell.of(share, css="soft" if share[0].isalpha() else ""))
        return cells

    def _link_cells(self, value: TagValue, clicks: int) -> list[Cell]:
        row = value.row
        return [
            Cell.of(row.value),
            Cell.of(sparkline(value.series, f"Clicks by the time of sending: {count(row.clicks)}")),
            Cell.of(count(row.clicks), element("small", _change(row.clicks, value.before.clicks))),
            Cell.of(percent(row.clicks, clicks)),
            Cell.of(count(row.machine_clicks)),
        ]


def send_command(environment: str) -> Element:
    """Return a command that sends something to be counted."""
    return command(
        f"aftersend send --env {environment} --from ADDRESS --to success@simulator.amazonses.com --subject Test "
        "--text Test --tag campaign=spring"
    )


def _change(number: int, before: int) -> str:
    """Compare a number with that of the period before."""
    if not before:
        return "none before"
    if round(100 * number / before) == 100:
        return "as before"
    return f"{100 * (number - before) / before:+,.0f} %"


def _rate(number: int, rate: float | None, before: float | None, decimals: int) -> Iterator[Content]:
    """Yield a number with its rate in one line, and below it the rate of the period before."""
    text = UNKNOWN if rate is None else f"{rate:.{decimals}f} %"
    yield f"{count(number)} · {text}"
    if before or (rate and before is not None):
        yield element("small", f"before {before:.{decimals}f} %")


def _soft(row: TagRow) -> Iterator[Content]:
    if row.soft_bounces:
        yield element("small", f"and {count(row.soft_bounces)} soft")
