"""Render values as HTML sections. Each section is complete in itself and has no scripts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from aftersend import ledger
from aftersend.dashboard.elements import (
    add_cell,
    add_link,
    add_number,
    add_row,
    add_share,
    note,
    placeholder,
    section,
    table,
)
from aftersend.events import Event
from aftersend.suppression import EARLIEST, Effect, Entry, Policy, rule_for_feedback

Measures = Mapping[str, int]
"""Counts by measure (aftersend/counting.py)."""

MAX_ENTRIES = 25
"""How many suppression entries are shown."""


class Rate(NamedTuple):
    """A rate and the two measures it is computed from. It is always shown with its numbers."""

    title: str
    numerator: str
    denominator: str


COUNT_COLUMNS = {
    "sent": "send",
    "delivered": "delivery",
    "bounced": "hard_bounce",
    "complained": "complaint",
    "unique opens": "unique_opens",
    "unique clicks": "unique_clicks",
}
"""Columns of the table of message tags, and the measure that each of them shows."""

RATES = (
    Rate("bounce rate", "hard_bounce", "send"),
    Rate("complaint rate", "complaint", "delivery"),
    Rate("open rate", "unique_opens", "delivery"),
    Rate("click rate", "unique_clicks", "delivery"),
)

COLUMNS_EXPLAINED = (
    "Only hard bounces are counted as bounced. Unique opens and clicks count a message once for each recipient. "
    "The bounce rate is a share of the messages sent; the other rates are shares of the messages delivered."
)

EFFECTS = {
    Effect.SUPPRESS: "suppresses",
    Effect.SOFT_BOUNCE: "suppresses for a time if repeated on several days",
    Effect.RESET: "resets the count of soft bounces",
    Effect.SUBSCRIPTION: "decides about a contact list",
    Effect.LIFT_COMPLAINT: "lifts complaints",
    Effect.LIFT_SUBSCRIPTION: "lifts an opt-out",
    Effect.LIFT: "lifts the suppression",
    Effect.NONE: "does not suppress",
}

CALCULATED_KINDS = (ledger.FIRST_OPEN, ledger.FIRST_CLICK)
"""Events that exist for counting alone and are not shown."""


class QueueState(NamedTuple):
    """The number of messages in a queue and in its dead-letter queue."""

    name: str
    waiting: int
    in_flight: int
    dead_letters: int


class PipelineState(NamedTuple):
    """The state of everything that processes events, at one moment."""

    queues: Sequence[QueueState]
    stream: str
    """State of the event source mapping from the ledger's stream, and the result of its last batch."""
    quarantined: int
    """Number of S3 objects with lines that could not be parsed."""
    failed_batches: int
    """Number of batches of the stream that could not be counted."""

    @property
    def needs_attention(self) -> bool:
        """Return whether anything waits for an operator."""
        return bool(self.quarantined or self.failed_batches or any(queue.dead_letters for queue in self.queues))


def tags(counts: Mapping[tuple[str, str], Measures]) -> str:
    """Render counts and rates by message tag and value."""
    title = "Mail by message tag"
    if not counts:
        hint = "No mail has been counted yet. Send a message that uses a configuration set of this environment."
        return section(title, placeholder(hint))
    rows = table(["message tag", *COUNT_COLUMNS, *(rate.title for rate in RATES)], numeric_from=1)
    for (tag, value), measures in sorted(counts.items()):
        row = add_row(rows)
        add_cell(row, f"{tag} = ", strong=value)
        for measure in COUNT_COLUMNS.values():
            add_number(row, measures.get(measure, 0))
        for rate in RATES:
            add_share(row, measures.get(rate.numerator, 0), measures.get(rate.denominator, 0))
    return section(title, note(COLUMNS_EXPLAINED), rows)


def suppressions(entries: Iterable[Entry], now: datetime, *, timeline_url: str = "?recipient=") -> str:
    """Render the suppression list: entries in force first, the newest at the top.

    `timeline_url` followed by a recipient is the URL of the recipient's timeline.
    """
    ordered = sorted(entries, key=lambda entry: (entry.is_in_force(now), entry.since or EARLIEST), reverse=True)
    title = f"Suppressed recipients: {sum(entry.is_in_force(now) for entry in ordered):,}"
    if not ordered:
        return section(title, placeholder("No recipient has been suppressed yet."))
    rows = table(["recipient", "reason", "rule", "since (UTC)", "lifted by"])
    for entry in ordered[:MAX_ENTRIES]:
        row = add_row(rows, "" if entry.is_in_force(now) else "past")
        add_link(row, entry.recipient, timeline_url + quote(entry.recipient, safe="@"))
        for text in (entry.reason, entry.rule, _format_time(entry.since), entry.lifted_by or ""):
            add_cell(row, text)
    omitted = len(ordered) - MAX_ENTRIES
    return section(title, rows, *([note(f"… and {omitted:,} more.")] if omitted > 0 else []))


def timeline(recipient: str, events: Iterable[Event], entry: Entry | None, policy: Policy, now: datetime) -> str:
    """Render all events of a recipient, the newest first, with the rule that each of them matches."""
    shown = [event for event in events if event.kind not in CALCULATED_KINDS]
    title = f"Timeline of {recipient}"
    if not shown and entry is None:
        return section(title, placeholder("There are no events for this recipient. Check the spelling of the address."))
    rows = table(["time (UTC)", "event", "details", "message ID", "message tags", "rule"])
    for event in sorted(shown, key=lambda event: event.occurred_at or EARLIEST, reverse=True):
        row = add_row(rows)
        add_cell(row, _format_time(event.occurred_at), css_class="moment")
        add_cell(row, "", strong=event.kind)
        add_cell(row, _details(event))
        add_cell(row, event.message_id or "", css_class="id")
        add_cell(row, ", ".join(f"{tag}={value}" for tag, value in _sender_tags(event)))
        add_cell(row, _rule_and_effect(event, policy))
    return section(title, note(_explain(entry, now)), rows)


def state(pipeline: PipelineState) -> str:
    """Render the state of queues and stream, and what could not be processed."""
    rows = table(["queue", "waiting", "in flight", "dead-letter queue"], numeric_from=1)
    for queue in pipeline.queues:
        row = add_row(rows)
        add_cell(row, queue.name)
        add_number(row, queue.waiting)
        add_number(row, queue.in_flight)
        add_number(row, queue.dead_letters, is_bad=bool(queue.dead_letters))
    failures = {
        "Quarantined S3 objects with lines that could not be parsed": pipeline.quarantined,
        "Batches of the ledger's stream that could not be counted": pipeline.failed_batches,
    }
    notes = [note(f"{name}: {count:,}.", is_bad=True) for name, count in failures.items() if count]
    return section("Queues and stream", rows, note(f"Stream of the ledger: {pipeline.stream}."), *notes)


def failure(message: str) -> str:
    """Render the reason why other sections cannot be shown."""
    return section("The results cannot be shown", note(message, is_bad=True))


def _explain(entry: Entry | None, now: datetime) -> str:
    """Describe whether a recipient is suppressed, and why."""
    if entry is None:
        return "Not suppressed."
    since = f"since {_format_time(entry.since)} UTC"
    if entry.is_in_force(now):
        return f"Suppressed everywhere by the rule {entry.rule} {since}."
    end = f"was lifted by {entry.lifted_by}" if entry.lifted_by else "has expired"
    return f"Not suppressed. The suppression by the rule {entry.rule} {since} {end}."


def _rule_and_effect(event: Event, policy: Policy) -> str:
    rule = rule_for_feedback(event, policy)
    return f"{rule.id}: {EFFECTS[rule.effect]}" if rule else ""


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
        event.subject,
    )
    return ", ".join(part for part in parts if part)


def _sender_tags(event: Event) -> list[tuple[str, str]]:
    """Return the message tags that the sender chose; SES adds those that start with "ses:"."""
    return [
        (tag, value) for tag, values in sorted(event.tags.items()) if not tag.startswith("ses:") for value in values
    ]


def _format_time(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}" if time else "unknown"
