"""Explain to an operator why a recipient is suppressed, and what would lift it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from aftersend import ledger
from aftersend.events import Event
from aftersend.suppression.entry import ENDED, EVERYWHERE, Entry
from aftersend.suppression.rules import EARLIEST, RULES, Policy, rule_for

BY_OPERATOR = "An operator removes the address."
BY_OPERATOR_ONLY = "Only an operator's removal. Nothing automatic lifts what an operator added."
BY_NOT_SPAM = "The provider reports that the mail is no spam (not-spam), or an operator removes the address."
BY_POLICY = "An operator removes the address, or the policy no longer has this effect."

LIFTED_WHEN: Mapping[str, str] = {
    "added-by-operator": BY_OPERATOR_ONLY,
    "removed-by-operator": BY_POLICY,
    "simulator": BY_POLICY,
    "suppression-list-echo": BY_POLICY,
    "out-of-office": BY_POLICY,
    "email-validation": BY_OPERATOR,
    "unsubscribed-recipient": BY_POLICY,
    "sender-refused": BY_POLICY,
    "hard-bounce": BY_OPERATOR,
    "invalid-address": BY_OPERATOR,
    "content-refused": BY_POLICY,
    "soft-bounce": "A message is delivered, unless the last step of the ladder was reached; or an operator removes the "
    "address.",
    "account-list-bounce": BY_OPERATOR,
    "account-list-complaint": BY_NOT_SPAM,
    "not-spam": BY_POLICY,
    "complaint": BY_NOT_SPAM,
    "subscription": "The recipient subscribes again, or an operator removes the address.",
    "delivered": BY_POLICY,
    "no-rule": BY_POLICY,
}
"""What lifts an entry, by the rule that suppressed: a row for every rule."""

FORGOTTEN = "Suppressed everywhere: the recipient was forgotten. Their events and entries were erased."

DETAILS = (
    *("bounce_type", "bounce_subtype", "status", "diagnostic_code", "feedback_type", "complaint_subtype"),
    *("smtp_response", "delay_type", "link", "reject_reason", "error_message", "contact_list", "list_reason"),
    *("scope", "operator", "note"),
)
"""Fields of an event that a line of the timeline shows, in this order."""

NO_RULE = RULES[-1].id
"""The rule that matches what no other does."""

BOOKKEEPING = (ledger.FIRST_OPEN, ledger.FIRST_CLICK)
"""Kinds of ledger items that repeat an event."""


class Moment(msgspec.Struct, frozen=True):
    """An event of the timeline."""

    event: Event
    rule: str | None
    """The id of the rule that it matches; None if it matches none."""
    effect: str | None
    is_evidence: bool
    """Whether an entry is based on it."""


def timeline(events: Iterable[Event], entries: Iterable[Entry], policy: Policy) -> list[Moment]:
    """Return all events of a recipient, the newest last, and evidence that the ledger has expired."""
    evidence = {ledger.key(event): event for entry in entries for event in entry.evidence}
    recorded = {ledger.key(event): event for event in events if event.kind not in BOOKKEEPING}
    chronological = sorted((evidence | recorded).items(), key=lambda item: (item[1].occurred_at or EARLIEST, item[0]))
    return [_moment(event, policy, is_evidence=key in evidence) for key, event in chronological]


def _moment(event: Event, policy: Policy, *, is_evidence: bool) -> Moment:
    rule = rule_for(event, policy)
    if rule.id == NO_RULE:
        return Moment(event, None, None, is_evidence)
    return Moment(event, rule.id, rule.effect.value, is_evidence)


def verdict(entry: Entry, now: datetime) -> str:
    """Return what an entry means for mail of its scope, as a sentence."""
    where, cause = describe_scope(entry.scope), f"{entry.rule} since {format_time(entry.since)}"
    if entry.is_in_force(now):
        end = f"until {format_time(entry.until)}" if entry.until else "until lifted"
        return f"Suppressed {where}: {cause}, {end}."
    end = "until" if entry.lifted_by in (None, ENDED) else f"lifted by {entry.lifted_by}"
    return f"Ended {where}: {cause}, {end} {format_time(entry.until)}."


def lifted_when(entry: Entry) -> str:
    """Return what would lift an entry that is in force."""
    end = f"Its time ends it on {format_time(entry.until)}. " if entry.until else ""
    return end + LIFTED_WHEN.get(entry.rule, BY_OPERATOR)


def describe_scope(scope: str) -> str:
    """Return a scope in words, after which a sentence continues."""
    kind, _, name = scope.partition("#")
    if kind == "topic":
        contact_list, _, topic = name.partition("/")
        return f"for topic {topic} of contact list {contact_list}"
    return "everywhere" if scope == EVERYWHERE else f"for {'stream' if kind == 'stream' else 'contact list'} {name}"


def describe_event(event: Event) -> str:
    """Return what distinguishes an event, in one line."""
    values = (getattr(event, name) for name in DETAILS)
    return " ".join(" ".join(str(value).split()) for value in values if value)


def format_time(time: datetime | None) -> str:
    """Return a time as people read it, to the minute."""
    return f"{time.astimezone(UTC):%d %b %Y %H:%M} UTC" if time else "an unknown time"


def spellings(address: str, entries: Sequence[Entry], events: Iterable[Event]) -> list[str]:
    """Return every known spelling of an address, the given one first: SES's account list has each as an address of its
    own."""
    evidence = [event for entry in entries for event in entry.evidence]
    known = [*(entry.recipient_raw for entry in entries), *(event.recipient_raw for event in [*events, *evidence])]
    return list(dict.fromkeys([address, address.lower(), *filter(None, known)]))
