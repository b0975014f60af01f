"""Define the suppression policy: a table of rules, of which the first that matches an event decides its effect."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Literal

import msgspec

from aftersend import ledger
from aftersend.events import (
    ADDED,
    NOT_SPAM,
    ON_ACCOUNT_LIST,
    REMOVED,
    SUPPRESSION_LIST_SUBTYPES,
    BounceType,
    Event,
    Kind,
)

EARLIEST = datetime.min.replace(tzinfo=UTC)
"""Where an event without a readable time is sorted: before all others."""


class Effect(Enum):
    """Say what an event does to a suppression entry. Every event is recorded and counted, whatever its effect."""

    SUPPRESS = "suppress"  # suppresses the recipient, until lifted
    LIFT_COMPLAINT = "lift-complaint"  # lifts what earlier complaints did
    LIFT = "lift"  # lifts whatever came before
    NONE = "none"


class Rule(msgspec.Struct, frozen=True):
    """Give events that match `when` the `effect`; suppression entries name the id as their cause."""

    id: str
    when: Callable[[Event], bool]
    effect: Effect = Effect.NONE
    reason: str = ""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold what an environment may set about suppression."""

    simulator: Literal["separate", "real"] = "separate"
    """`separate`: mailbox simulator addresses are never suppressed; `real`: like any other address."""
    account_list: Literal["sync", "read", "off"] = "read"
    """`read`: what SES's account suppression list has for reasons unknown here is suppressed here too; `sync`: the
    account list is also changed to match; `off`: the lists are not compared."""


def bounce(
    bounce_type: str, *, subtypes: Iterable[str | None] | None = None, status: str | None = None
) -> Callable[[Event], bool]:
    """Match bounces of the type and, where given, one of the subtypes and a status with that prefix."""
    known = None if subtypes is None else frozenset(subtypes)
    return lambda event: (
        event.kind == Kind.BOUNCE
        and event.bounce_type == bounce_type
        and (known is None or event.bounce_subtype in known)
        and (status is None or (event.status or "").startswith(status))
    )


def is_suppression_list_echo(event: Event) -> bool:
    """Match what SES refused to send because of a suppression list: it repeats the list and is no new feedback."""
    subtypes = {Kind.BOUNCE: event.bounce_subtype, Kind.COMPLAINT: event.complaint_subtype}
    return subtypes.get(event.kind) in SUPPRESSION_LIST_SUBTYPES


def is_out_of_office(event: Event) -> bool:
    """Match auto-replies. SES reports them as transient bounces without action and status, but the mail arrived."""
    return bounce(BounceType.TRANSIENT, subtypes=["General"])(event) and event.action is None and event.status is None


def is_not_spam(event: Event) -> bool:
    """Match complaints that take an earlier complaint back."""
    return event.kind == Kind.COMPLAINT and event.feedback_type == NOT_SPAM


def is_on_account_list(reason: str) -> Callable[[Event], bool]:
    """Match what was taken over from SES's account suppression list."""
    return lambda event: event.kind == ON_ACCOUNT_LIST and event.list_reason == reason


def is_complaint(event: Event) -> bool:
    """Match complaints of any feedback type: providers may invent some, and a missed complaint costs reputation."""
    return event.kind == Kind.COMPLAINT


SIMULATOR = Rule("simulator", lambda event: event.is_simulated)
"""Left out of the table where the policy treats mailbox simulator addresses as real."""

RULES = (
    # An operator's act comes first: nothing automatic lifts what a person added, and after a removal only newer events
    # count.
    Rule("added-by-operator", lambda event: event.kind == ADDED, Effect.SUPPRESS, "operator"),
    Rule("removed-by-operator", lambda event: event.kind == REMOVED, Effect.LIFT),
    SIMULATOR,
    Rule("suppression-list-echo", is_suppression_list_echo),
    Rule("out-of-office", is_out_of_office),
    # Policy or reputation refused the sender, not the address: one mistake of the sender's would empty a list.
    Rule("sender-refused", bounce(BounceType.PERMANENT, status="5.7.")),
    Rule(
        "hard-bounce",
        bounce(BounceType.PERMANENT, subtypes=["General", "NoEmail", "Suppressed", None, ""]),  # none is General
        Effect.SUPPRESS,
        "bounce",
    ),
    Rule("account-list-bounce", is_on_account_list("BOUNCE"), Effect.SUPPRESS, "bounce"),
    Rule("account-list-complaint", is_on_account_list("COMPLAINT"), Effect.SUPPRESS, "complaint"),
    Rule("not-spam", is_not_spam, Effect.LIFT_COMPLAINT),
    Rule("complaint", is_complaint, Effect.SUPPRESS, "complaint"),
    Rule("no-rule", lambda _: True),
)


@cache
def rules(policy: Policy) -> tuple[Rule, ...]:
    """Return the table with the policy's settings applied."""
    return tuple(rule for rule in RULES if rule is not SIMULATOR or policy.simulator == "separate")


def rule_for(event: Event, policy: Policy) -> Rule:
    """Return the first rule that matches; the last one matches everything."""
    return next(rule for rule in rules(policy) if rule.when(event))


def rule_for_feedback(event: Event, policy: Policy) -> Rule | None:
    """Return the rule for an event of a kind that may decide; None for all others."""
    return rule_for(event, policy) if ledger.group(event) is ledger.Group.FEEDBACK else None
