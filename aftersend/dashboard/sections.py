"""What a person looks at, as HTML: pure, from values to text. The local page serves it.

Each function makes one section, complete in itself, without scripts. Text is escaped by construction: what is built are
elements, never strings.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

from aftersend import ledger
from aftersend.events import Event
from aftersend.suppression import EARLIEST, Effect, Entry, Policy, rule_for_feedback

Measures = Mapping[str, int]
"""Counts by measure (aftersend/counting.py)."""

ENTRIES_SHOWN = 25


class Rate(NamedTuple):
    """A share, with what it is a share of: a rate without its numbers says nothing."""

    title: str
    numerator: str
    denominator: str


COUNTS = {
    "sent": "send",
    "delivered": "delivery",
    "bounced": "hard_bounce",
    "complained": "complaint",
    "unique_opens": "unique_opens",
    "unique_clicks": "unique_clicks",
}
"""The columns of the table of tags and the measures they show. Opened and clicked: recipients, each message once."""

RATES = (
    Rate("bounce rate", "hard_bounce", "send"),
    Rate("complaint rate", "complaint", "delivery"),
    Rate("open rate", "unique_opens", "delivery"),
    Rate("click rate", "unique_clicks", "delivery"),
)


RATES_EXPLAINED = (
    "Bounced are hard bounces; opened and clicked count a message to a recipient once. "
    "Bounces are a share of what was sent, all else of what was delivered."
)


class QueueState(NamedTuple):
    """A queue, and the dead-letter queue behind it."""

    name: str
    waiting: int
    in_flight: int
    kept: int


class State(NamedTuple):
    """What works on the events, at one moment."""

    queues: Sequence[QueueState]
    stream: str
    """What Lambda says of the last records it took from the ledger's stream."""
    quarantined: int
    """Objects of unreadable lines."""
    uncounted: int
    """Batches of the stream that were put aside."""

    @property
    def needs_attention(self) -> bool:
        """Whether anything waits for an operator."""
        return bool(self.quarantined or self.uncounted or any(queue.kept for queue in self.queues))


def tags(counted: Mapping[tuple[str, str], Measures]) -> str:
    """The mail by message tag; `counted` is by tag and value."""
    if not counted:
        return _section(
            "Mail by message tag", _empty("No mail was counted yet. Send a message with a configuration set.")
        )
    table = _table(["message tag", *COUNTS, *(rate.title for rate in RATES)], numeric_from=1)
    for (tag, value), measures in sorted(counted.items()):
        row = SubElement(table[1], "tr")
        _cell(row, f"{tag} = ", strong=value)
        for measure in COUNTS.values():
            _cell(row, f"{measures.get(measure, 0):,}", kind="number")
        for rate in RATES:
            _rate(row, measures.get(rate.numerator, 0), measures.get(rate.denominator, 0))
    return _section("Mail by message tag", _note(RATES_EXPLAINED), table)


def suppressions(entries: Iterable[Entry], now: datetime, *, timeline_at: str = "?recipient=") -> str:
    """The suppression list, those suppressed last first; `timeline_at` begins a link to a recipient's timeline."""
    ordered = sorted(entries, key=lambda entry: (entry.is_in_force(now), entry.since or EARLIEST), reverse=True)
    standing = sum(entry.is_in_force(now) for entry in ordered)
    title = f"Suppression list: {standing:,} recipients"
    if not ordered:
        return _section(title, _empty("Nobody is suppressed."))
    table = _table(["recipient", "reason", "rule", "since (UTC)", "lifted by"])
    for entry in ordered[:ENTRIES_SHOWN]:
        row = SubElement(table[1], "tr", {} if entry.is_in_force(now) else {"class": "past"})
        link = SubElement(SubElement(row, "td"), "a", href=f"{timeline_at}{_quoted(entry.recipient)}")
        link.text = entry.recipient
        for text in (entry.reason, entry.rule, _moment(entry.since), entry.lifted_by or ""):
            _cell(row, text)
    more = len(ordered) - ENTRIES_SHOWN
    return _section(title, table, *([_note(f"… and {more:,} more.")] if more > 0 else []))


def timeline(recipient: str, events: Iterable[Event], entry: Entry | None, policy: Policy, now: datetime) -> str:
    """Everything known about a recipient, the newest first, with what each fact does about suppression."""
    happened = [
        event for event in events if event.kind not in (ledger.FIRST_OPEN, ledger.FIRST_CLICK)
    ]  # made for counting
    ordered = sorted(happened, key=lambda event: event.occurred_at or EARLIEST, reverse=True)
    title = f"Timeline of {recipient}"
    if not ordered and entry is None:
        return _section(title, _empty("Nothing is known about this recipient. Addresses are compared in lower case."))
    table = _table(["when (UTC)", "what", "details", "message", "tags", "rule"])
    for event in ordered:
        row = SubElement(table[1], "tr")
        _cell(row, _moment(event.occurred_at), kind="moment")
        _cell(row, "", strong=event.kind)
        _cell(row, _details(event))
        _cell(row, event.message_id or "", kind="id")
        _cell(row, ", ".join(f"{tag}={value}" for tag, value in _own_tags(event)))
        _cell(row, _rule(event, policy))
    return _section(title, _note(_standing(entry, now)), table)


def state(found: State) -> str:
    """The queues, the stream and what was kept aside."""
    table = _table(["queue", "waiting", "in flight", "dead-letter queue"], numeric_from=1)
    for queue in found.queues:
        row = SubElement(table[1], "tr")
        _cell(row, queue.name)
        _cell(row, f"{queue.waiting:,}", kind="number")
        _cell(row, f"{queue.in_flight:,}", kind="number")
        _cell(row, f"{queue.kept:,}", kind="number bad" if queue.kept else "number")
    kept = [
        (found.quarantined, "objects of unreadable lines in quarantine"),
        (found.uncounted, "batches of the ledger's stream put aside uncounted"),
    ]
    notes = [_note(f"{count:,} {what}.", bad=True) for count, what in kept if count]
    return _section("At work", table, _note(f"Ledger's stream: {found.stream}."), *notes)


def failure(message: str) -> str:
    """In the place of what cannot be shown."""
    return _section("Something is wrong", _note(message, bad=True))


def _section(title: str, *content: Element) -> str:
    section = Element("section")
    SubElement(section, "h2").text = title
    section.extend(content)
    return tostring(section, encoding="unicode", method="html")


def _table(titles: Sequence[str], numeric_from: int | None = None) -> Element:
    """A table with its head; rows are added to its second child."""
    table = Element("table")
    row = SubElement(SubElement(table, "thead"), "tr")
    for number, title in enumerate(titles):
        numeric = numeric_from is not None and number >= numeric_from
        SubElement(row, "th", {"scope": "col", **({"class": "number"} if numeric else {})}).text = title
    SubElement(table, "tbody")
    return table


def _cell(row: Element, text: str, *, strong: str = "", kind: str = "") -> None:
    cell = SubElement(row, "td", {"class": kind} if kind else {})
    cell.text = text
    if strong:
        SubElement(cell, "strong").text = strong


def _rate(row: Element, numerator: int, denominator: int) -> None:
    cell = SubElement(row, "td", {"class": "number"})
    if not denominator:
        cell.text = "-"
        return
    cell.text = f"{100 * numerator / denominator:.1f} %"
    SubElement(cell, "small").text = f"{numerator:,} of {denominator:,}"


def _empty(text: str) -> Element:
    return _paragraph(text, "empty")


def _note(text: str, *, bad: bool = False) -> Element:
    return _paragraph(text, "note bad" if bad else "note")


def _paragraph(text: str, kind: str) -> Element:
    paragraph = Element("p", {"class": kind})
    paragraph.text = text
    return paragraph


def _standing(entry: Entry | None, now: datetime) -> str:
    if entry is None:
        return "Not suppressed."
    made = f"by the rule {entry.rule} since {_moment(entry.since)} UTC"
    if entry.is_in_force(now):
        return f"Suppressed everywhere {made}."
    return f"Not suppressed: was {made}, lifted by {entry.lifted_by or 'its end'}."


def _rule(event: Event, policy: Policy) -> str:
    rule = rule_for_feedback(event, policy)
    return f"{rule.id}: {EFFECTS[rule.effect]}" if rule else ""


EFFECTS = {
    Effect.SUPPRESS: "suppresses",
    Effect.LIFT_COMPLAINT: "takes a complaint back",
    Effect.LIFT: "takes off the list",
    Effect.NONE: "does not suppress",
}


def _details(event: Event) -> str:
    parts = (
        event.bounce_type and f"{event.bounce_type} / {event.bounce_subtype}",
        event.status,
        event.feedback_type or event.complaint_subtype,
        event.delay_type,
        event.reject_reason,
        event.template_name,
        event.error_message,
        event.link,
        event.contact_list,
        event.smtp_response,
        event.diagnostic_code,
        event.note,
    )
    return ", ".join(part for part in parts if part)


def _own_tags(event: Event) -> list[tuple[str, str]]:
    return [
        (tag, value) for tag, values in sorted(event.tags.items()) if not tag.startswith("ses:") for value in values
    ]


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "unknown"


def _quoted(text: str) -> str:
    return quote(text, safe="@")
