"""Define the suppression policy: a table of rules, of which the first that matches an event decides its effect."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

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

MAX_LADDER_STEPS = 4
"""Together with the limit of `soft_bounce_days`, so that an entry's evidence stays far below 400 KB."""


class Effect(Enum):
    """Say what an event does to a suppression entry. Every event is recorded and counted, whatever its effect."""

    SUPPRESS = "suppress"  # suppresses the recipient, until lifted or for the rule's days
    SOFT_BOUNCE = "soft-bounce"  # moves the ladder of soft bounces (ladder.py)
    RESET = "reset"  # resets the ladder: the mailbox takes mail
    SUBSCRIPTION = "subscription"  # suppresses and lifts in the scopes of the contact list and its topics
    LIFT_COMPLAINT = "lift-complaint"  # lifts what earlier complaints did
    LIFT_SUBSCRIPTION = "lift-subscription"  # lifts what an earlier opt-out did
    LIFT = "lift"  # lifts whatever came before
    NONE = "none"


class Rule(msgspec.Struct, frozen=True):
    """Give events that match `when` the `effect`; suppression entries name the id as their cause."""

    id: str
    when: Callable[[Event], bool]
    effect: Effect = Effect.NONE
    reason: str = ""
    days: int | None = None
    """How long the rule suppresses; None if until lifted."""


Days = Annotated[int, Meta(ge=1, le=365, description="a whole number of days, from 1 to 365")]


SettableRule = Literal[
    "email-validation",
    "sender-refused",
    "hard-bounce",
    "invalid-address",
    "content-refused",
    "soft-bounce",
    "complaint",
    "not-spam",
    "subscription",
]
"""The other rules follow from what happened, not from a policy."""

LIFTING_RULES = ("not-spam", "subscription")
"""Settable rules that also lift, so that the only other effect they can have is `none`."""

EffectSetting = Annotated[
    str,
    Meta(
        pattern=r"^(suppress|none|[1-9][0-9]{0,2} days?)$",
        description='"suppress", "none" or a number of days, as in "30 days"',
    ),
]


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold what an environment may set about suppression."""

    simulator: Literal["separate", "real"] = "separate"
    """`separate`: mailbox simulator addresses are never suppressed; `real`: like any other address."""
    account_list: Literal["sync", "read", "off"] = "read"
    """`read`: what SES's account suppression list has for reasons unknown here is suppressed here too; `sync`: the
    account list is also changed to match; `off`: the lists are not compared."""
    complaint_scope: Literal["everywhere", "stream"] = "everywhere"
    """Whether a complaint suppresses for all mail, or for the stream of the message complained about."""
    stream_tag: Annotated[str, Meta(min_length=1, description="the name of a message tag")] | None = None
    """The message tag whose value names the stream; None if the configuration set does."""
    soft_bounce_days: Annotated[int, Meta(ge=1, le=5, description="a whole number from 1 to 5")] = 5
    """On how many distinct days a recipient bounces softly, with no delivery in between, before they are suppressed."""
    soft_bounce_window_days: Annotated[int, Meta(ge=1, le=60, description="a whole number from 1 to 60")] = 30
    """Within how many days; at most `retention.volume_days`."""
    soft_bounce_ladder_days: Annotated[tuple[Days, ...], Meta(max_length=MAX_LADDER_STEPS)] = (1, 3, 7, 30)
    """For how long: at first, at the next soft bounce after that, and so on; after the last step until removed."""
    effects: dict[SettableRule, EffectSetting] = {}
    """Rule → what it does instead of its default: suppress until lifted, nothing, or suppress for so many days."""

    def __hash__(self) -> int:
        """Hash the policy, so that its table of rules is made once."""
        return hash(msgspec.json.encode(self))


def bounce(
    bounce_type: str,
    *,
    subtypes: Iterable[str | None] | None = None,
    status: str | None = None,
    action: str | None = None,
) -> Callable[[Event], bool]:
    """Match bounces of the type and, where given, one of the subtypes, the action and a status with that prefix."""
    known = None if subtypes is None else frozenset(subtypes)
    return lambda event: (
        event.kind == Kind.BOUNCE
        and event.bounce_type == bounce_type
        and (known is None or event.bounce_subtype in known)
        and (status is None or (event.status or "").startswith(status))
        and (action is None or event.action == action)
    )


def of_kind(kind: str) -> Callable[[Event], bool]:
    """Match all events of a kind."""
    return lambda event: event.kind == kind


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


SIMULATOR = Rule("simulator", lambda event: event.is_simulated)
"""Left out of the table where the policy treats mailbox simulator addresses as real."""

RULES = (
    # An operator's act comes first: nothing automatic lifts what a person added, and after a removal only newer events
    # count.
    Rule("added-by-operator", of_kind(ADDED), Effect.SUPPRESS, "operator"),
    Rule("removed-by-operator", of_kind(REMOVED), Effect.LIFT),
    SIMULATOR,
    Rule("suppression-list-echo", is_suppression_list_echo),
    Rule("out-of-office", is_out_of_office),
    # Neither was attempted: Auto Validation took the address for invalid, or the contact had unsubscribed. The latter
    # does not name the topic; the Subscription event, by which they did, does.
    Rule(
        "email-validation",
        bounce(BounceType.PERMANENT, subtypes=["EmailValidationSuppressed"]),
        Effect.SUPPRESS,
        "bounce",
        days=30,
    ),
    Rule("unsubscribed-recipient", bounce(BounceType.PERMANENT, subtypes=["UnsubscribedRecipient"])),
    # Policy or reputation refused the sender, not the address: one mistake of the sender's would empty a list.
    Rule("sender-refused", bounce(BounceType.PERMANENT, status="5.7.")),
    Rule(
        "hard-bounce",
        bounce(BounceType.PERMANENT, subtypes=["General", "NoEmail", "Suppressed", None, ""]),  # none is General
        Effect.SUPPRESS,
        "bounce",
    ),
    # SES mislabels these: the server refused the address for good (RFC 3463, 5.1.x).
    Rule("invalid-address", bounce(BounceType.TRANSIENT, status="5.1.", action="failed"), Effect.SUPPRESS, "bounce"),
    Rule(
        "content-refused",
        bounce(
            BounceType.TRANSIENT,
            subtypes=["MessageTooLarge", "ContentRejected", "AttachmentRejected", "CustomTimeoutExceeded"],
        ),
    ),
    Rule("soft-bounce", of_kind(Kind.BOUNCE), Effect.SOFT_BOUNCE, "bounce"),  # unknown types and subtypes, too
    Rule("account-list-bounce", is_on_account_list("BOUNCE"), Effect.SUPPRESS, "bounce"),
    Rule("account-list-complaint", is_on_account_list("COMPLAINT"), Effect.SUPPRESS, "complaint"),
    Rule("not-spam", is_not_spam, Effect.LIFT_COMPLAINT),
    # Of any other feedback type: providers may invent some, and a missed complaint costs reputation.
    Rule("complaint", of_kind(Kind.COMPLAINT), Effect.SUPPRESS, "complaint"),
    Rule("subscription", of_kind(Kind.SUBSCRIPTION), Effect.SUBSCRIPTION, "subscription"),
    Rule("delivered", of_kind(Kind.DELIVERY), Effect.RESET),
    Rule("no-rule", lambda _: True),
)


@cache
def rules(policy: Policy) -> tuple[Rule, ...]:
    """Return the table with the policy's settings applied."""
    settings = dict(policy.effects)
    table = [rule for rule in RULES if rule is not SIMULATOR or policy.simulator == "separate"]
    return tuple(_with_setting(rule, settings[rule.id]) if rule.id in settings else rule for rule in table)


def _with_setting(rule: Rule, setting: str) -> Rule:
    if setting == "none":
        return msgspec.structs.replace(rule, effect=Effect.NONE)
    days = None if setting == "suppress" else int(setting.split()[0])
    return msgspec.structs.replace(rule, effect=Effect.SUPPRESS, reason=rule.reason or "bounce", days=days)


def rule_for(event: Event, policy: Policy) -> Rule:
    """Return the first rule that matches; the last one matches everything."""
    return next(rule for rule in rules(policy) if rule.when(event))


def rule_for_feedback(event: Event, policy: Policy) -> Rule | None:
    """Return the rule for an event of a kind that may decide; None for all others."""
    return rule_for(event, policy) if ledger.group(event) is ledger.Group.FEEDBACK else None
