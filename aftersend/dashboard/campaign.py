"""Show one value of a message tag: what became of its mail over time, and since when a rate is high."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from aftersend.counting import FEEDBACK_MEASURES, PROVIDER, SIMULATED
from aftersend.dashboard.charts import Bar, Point, Stage, Threshold, funnel, rate_line, stacked_bars
from aftersend.dashboard.elements import (
    Action,
    Cell,
    Content,
    banner,
    choice,
    command,
    element,
    empty,
    form,
    link,
    table,
)
from aftersend.dashboard.numbers import count, moment, percent
from aftersend.dashboard.span import HOUR, Span
from aftersend.dashboard.tracking import CLICK, OPEN, Tracked, tracked_share
from aftersend.metrics.reputation import Level, Reputation, figures, high_since, judge_range, sentence
from aftersend.metrics.summary import summarize
from aftersend.metrics.tag_table import ByHour, TagRow, range_row

TONES = {Level.HEALTHY: "good", Level.WARNING: "warn", Level.CRITICAL: "bad"}
DIAGNOSTIC_CHARACTERS = 160
PANEL = "campaign"
MAX_CHOICES = 50

CLASSES = {
    "hard_bounce": "Hard bounce",
    "hard_bounce_no_email": "Hard bounce: no such address",
    "hard_bounce_suppressed": "Hard bounce: on SES's global suppression list",
    "sender_refused": "Sender refused (5.7.x)",
    "soft_bounce": "Soft bounce",
    "mailbox_full": "Soft bounce: mailbox full",
    "delivery_timeout": "Soft bounce: not delivered in time",
    "content_refused": "Content or size refused",
    "undetermined": "Undetermined bounce",
    "out_of_office": "Out-of-office reply",
    "suppression_list_echo": "Not sent: on the account suppression list",
    "validation_suppressed": "Not sent: address validation",
    "unsubscribed_recipient": "Not sent: unsubscribed",
    "complaint": "Complaint",
    "not_spam": "Complaint taken back",
    "delivery_delay": "Delay",
    "reject": "Rejected: virus",
    "rendering_failure": "Rendering failure",
}
"""What each measure of mail that did not simply arrive is called."""


class Feedback(NamedTuple):
    """The newest bounces and complaints, as `feedback_values` returns them."""

    values: Sequence[Mapping[str, Any]]
    is_complete: bool
    """Whether there are no more in the time range, as far as is known."""


class Campaign:
    """One value of a tag in a time range."""

    def __init__(
        self, tag: str, value: str, span: Span, by_hour: ByHour, reputation: Reputation, environment: str, show: str
    ) -> None:
        """`by_hour` also has the day before the range, by which its first hours are judged."""
        hours = set(span.hours)
        self.tag, self.value, self._span, self._with_lead = tag, value, span, by_hour
        self._by_hour = {hour: measures for hour, measures in by_hour.items() if hour in hours}
        self._reputation, self._environment, self._show = reputation, environment, show
        self._row = range_row(tag, value, by_hour, span.hours, reputation)
        self._total: Counter[str] = Counter()
        for measures in self._by_hour.values():
            self._total.update(measures)

    @property
    def feedback_hours(self) -> list[datetime]:
        """Return the hours in which messages were sent that bounced, or about which recipients complained."""
        return sorted(hour for hour, measures in self._by_hour.items() if measures.keys() & {*FEEDBACK_MEASURES})

    def render(self, tracked: Tracked, feedback: Feedback | None) -> Iterator[Content]:
        """Yield what the panel consists of. `feedback` is None where events do not name the tag."""
        every = Action(self._show, {"panel": "tags", "tag": self.tag})
        yield element("p", *link(f"← All values of {self.tag}", every))
        yield self._banner()
        yield element("p", f"Messages sent from {self._span.text}.{self._simulated}", css="soft")
        if not self._total:
            return
        yield element("div", *self._charts(), css="row")
        yield element("div", self._funnel(tracked), self._classes(), css="row")
        if feedback is not None:
            yield from self._feedback(feedback)
            yield from self._links()

    @property
    def _simulated(self) -> str:
        number = self._total[f"{SIMULATED}send"]
        return f" {count(number)} to the mailbox simulator are in no figure." if number else ""

    def _banner(self) -> Element:
        if not self._total:
            return banner(f"{self.value}: no mail is counted.", element("p", "Choose a longer time range."))
        worst = judge_range(self._with_lead, self._span.hours, self._reputation)[0]
        since = high_since(self._with_lead, self._span.hours, self._reputation)
        lines = [
            element(
                "p",
                f"The {signal} rate was first high with the mail of {hour:%d %b %Y %H:%M} to {hour + HOUR:%H:%M} UTC.",
            )
            for signal, hour in since.items()
        ]
        word = f"{worst.level.text.capitalize()}: " if worst.level in TONES else ""
        return banner(word + sentence(self.value, worst), *lines, tone=TONES.get(worst.level, ""))

    def _charts(self) -> Iterator[Element]:
        steps = [(step, figures(measures), summarize(measures)) for step, measures in self._steps()]
        bars = [
            Bar(
                step.text,
                (groups["delivery"], max(0, groups["send"] - groups["delivery"])),
                f"{step.text}: {count(groups['send'])} sent, {count(groups['delivery'])} delivered",
            )
            for step, _, groups in steps
        ]
        total = f"{count(self._row.sends)} sent, {count(self._row.deliveries)} delivered"
        legend = element(
            "p", element("span", css="patch full"), "delivered ", element("span", css="patch"), "not delivered"
        )
        yield element(
            "div", element("h3", "Sent and delivered"), stacked_bars(bars, ("bar", "bar-soft"), total), legend
        )
        for signal, title in (("bounce", "Bounce rate"), ("complaint", "Complaint rate")):
            points = [self._point(signal, step.text, numbers) for step, numbers, _ in steps]
            yield element("div", element("h3", title), self._rates(signal, title, points))

    def _steps(self) -> Iterator[Any]:
        return ((step, step.measures(self._by_hour)) for step in self._span.steps())

    def _point(self, signal: str, time: str, numbers: Any) -> Point:
        events = numbers.bounces if signal == "bounce" else numbers.complaints
        rate = 100 * events / numbers.sends if 0 < numbers.sends >= events else None
        is_small = numbers.sends < self._reputation.hour_sends
        text = f"{time}: {count(events)} of {count(max(0, numbers.sends))}{', too few' if is_small else ''}"
        return Point(time, rate, text, is_small)

    def _rates(self, signal: str, title: str, points: Sequence[Point]) -> Element:
        thresholds = thresholds_of(signal, self._reputation)
        known = [(point.percent, point.time) for point in points if point.percent is not None]
        highest = f", at most {max(known)[0]:.2f} % at {max(known)[1]}" if known else ", not known"
        marks = " and ".join(f"{each.percent:g} %" for each in thresholds)
        return rate_line(points, thresholds, f"{title} over time{highest}; thresholds at {marks}")

    def _funnel(self, tracked: Tracked) -> Element:
        row = self._row
        stages = [
            Stage("Sent", row.sends, count(row.sends)),
            Stage("Delivered", row.deliveries, f"{count(row.deliveries)} · {percent(row.deliveries, row.sends)}"),
        ]
        if row.tag != PROVIDER:
            stages += [_tracked_stage(row, *each, tracked) for each in _engaged(row)]
        words = ", ".join(f"{stage.name.lower()} {stage.text}" for stage in stages)
        machines = (
            "Opened and clicked are people, each once a message, of those delivered. In no stage are machines' opens "
            f"({count(row.machine_opens)}) and clicks ({count(row.machine_clicks)})."
        )
        note = None if row.tag == PROVIDER else element("p", machines, css="soft")
        return element("div", element("h3", "From sent to clicked"), funnel(stages, words), note)

    def _classes(self) -> Element:
        counts = [(text, self._total[name]) for name, text in CLASSES.items() if self._total[name]]
        if not counts:
            return element("div", element("p", "No bounces and no complaints."))
        rows = [
            [Cell.of(text), Cell.of(count(number)), Cell.of(percent(number, self._row.sends, 2))]
            for text, number in sorted(counts, key=lambda each: -each[1])
        ]
        return table("Bounces and complaints", ("What", "Events", "Of sent"), rows, numeric_from=1)

    def _feedback(self, feedback: Feedback) -> Iterator[Content]:
        if feedback.values:
            titles = ("Recipient", "Sent (UTC)", "What", "Rule", "Why")
            yield table("Who bounced and complained, the newest first", titles, map(self._person, feedback.values))
        elif self.feedback_hours and not feedback.is_complete:
            yield element("p", "Who bounced is not found among the newest events.", css="soft")
        if self.feedback_hours:
            rest = "All of them:" if feedback.is_complete else "There may be more. All of them:"
            yield element("p", f"{rest} ", command(self._command("feedback", "--tag", self._tag, "--csv")))

    def _person(self, values: Mapping[str, Any]) -> list[Cell]:
        recipient = values["recipient"] or ""
        kind = "/".join(filter(None, (values["type"], values["subtype"])))
        diagnostic = " ".join((values["diagnostic_code"] or "").split())
        if len(diagnostic) > DIAGNOSTIC_CHARACTERS:
            diagnostic = f"{diagnostic[:DIAGNOSTIC_CHARACTERS]}…"
        find = Action(self._show, {"panel": "recipient", "query": recipient})
        return [
            Cell.of(*link(recipient or "unknown", find)),
            Cell.of(moment(values["sent_at"]), css="time"),
            Cell.of(f"{values['kind']} {kind}".strip()),
            Cell.of(values["rule"] or "-"),
            Cell.of(diagnostic or values["status"] or "-"),
        ]

    def _links(self) -> Iterator[Content]:
        if self._row.clicked or self._row.clicks:
            yield element(
                "p", "How often each link was clicked: ", command(self._command("report", "links", self._tag))
            )

    @property
    def _tag(self) -> str:
        return f"{self.tag}={self.value}"

    def _command(self, *words: str) -> str:
        times = [f"{time:%Y-%m-%dT%H:%MZ}" for time in (self._span.begin, self._span.end)]
        options = ("--env", self._environment, "--since", times[0], "--until", times[1])
        return shlex.join(("aftersend", *words, *options))


def _engaged(row: TagRow) -> Iterator[tuple[str, str, int]]:
    yield "Opened", OPEN, row.opened
    yield "Clicked", CLICK, row.clicked


def _tracked_stage(row: TagRow, name: str, kind: str, number: int, tracked: Tracked) -> Stage:
    share = tracked_share(kind, number, row.deliveries, row.tag, row.value, tracked)
    return Stage(name, number, share if not share[0].isdigit() else f"{count(number)} · {share}")


def thresholds_of(signal: str, reputation: Reputation) -> list[Threshold]:
    """Return the rates of a signal from which it is a warning, and critical."""
    levels = {"warning": "warn", "critical": "bad"}
    return [Threshold(getattr(reputation, f"{signal}_{name}_percent"), css) for name, css in levels.items()]


def choose(
    tag: str, tags: Sequence[str], sends: Mapping[str, int], span: Span, show: str, chosen: str = ""
) -> Iterator[Content]:
    """Yield what a person chooses a value with, given how much mail each has, and the value that is shown."""
    # No value: CloudWatch sends the one in the form below with every action of the widget, and it is another tag's.
    actions = {name: Action(show, {"panel": PANEL, "tag": name, "value": ""}) for name in tags if name != tag}
    others = [part for name, action in actions.items() for part in (*link(name, action), " ")]
    yield element("p", "Other tags: ", *others)
    largest = sorted(sends, key=lambda value: (-sends[value], value))[:MAX_CHOICES]
    if not largest:
        yield empty(
            f"No mail with the tag {tag} was sent from {span.text}. Choose a longer time range, or another tag."
        )
        return
    options = {
        value: f"{value} ({count(sends[value])} sent)" for value in dict.fromkeys([chosen or largest[0], *largest])
    }
    yield form(
        [choice(f"Value of {tag}", "value", options, chosen or largest[0])],
        "Show",
        Action(show, {"panel": PANEL, "tag": tag}),
    )
    if len(sends) > len(largest):
        yield element(
            "p",
            f"These are the {len(largest)} values with the most mail. The panel “Mail by message tag” has them all.",
            css="soft",
        )
