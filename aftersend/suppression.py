"""Who is mailed no more, and why: a pure function of a recipient's facts and the policy. Never of their order.

The table of rules is the policy; the first rule that matches a fact says what the fact does.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Literal

import msgspec

from aftersend import ledger
from aftersend.events import ADDED, ECHOES_OF_A_LIST, NOT_SPAM, REMOVED, BounceType, Event, Kind

EVERYWHERE = "*"
"""The scope of an entry that stands for every message."""

REASONS = ("operator", "bounce", "complaint")
"""Why an entry stands; of several the one named first, which is harder to take back."""


EARLIEST = datetime.min.replace(tzinfo=UTC)
"""Where a fact stands whose time nobody could read: before all others."""


class Effect(Enum):
    """What a fact does about suppression. Every fact is recorded and counted, whatever it does here."""

    SUPPRESS = "suppress"  # adds the recipient, until removed
    LIFT_COMPLAINT = "lift"  # takes back what complaints before it made
    LIFT = "lift everything"  # takes back whatever was before it
    NONE = "none"


class Rule(msgspec.Struct, frozen=True):
    """Facts that match `when` have the `effect`; the id is what an entry names as its cause."""

    id: str
    when: Callable[[Event], bool]
    effect: Effect = Effect.NONE
    reason: str = ""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an environment may set about suppression."""

    simulator: Literal["apart", "real"] = "apart"
    """`apart`: mailbox simulator addresses are never suppressed; `real`: as any other address."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One recipient's standing in one scope. An entry that was lifted stays, with an end, so that its history and its
    version stay too."""

    recipient: str
    scope: str = EVERYWHERE
    reason: str
    """One of REASONS."""
    rule: str
    since: datetime | None = None
    """When the fact that suppressed happened, if that is known."""
    until: datetime | None = None
    """When it ended; None while it stands."""
    lifted_by: str | None = None
    """The rule that ended it."""
    spelling: str | None = None
    """The address as SES spelled it: the account suppression list is case-sensitive."""
    evidence: list[Event] = []
    """The facts the entry stands on, enough to decide again when the ledger has let go of them."""
    decided_from: str = ""
    """Digest of every fact that was decided from, so that a decision that saw another fact is never mistaken for
    this one: without it, of two decisions taken at once the one that saw less could be the last to be written."""
    version: int = 0
    """How many times the entry was written; the condition of the next write."""

    def says_the_same_as(self, other: "Entry") -> bool:
        return msgspec.structs.replace(self, version=0) == msgspec.structs.replace(other, version=0)

    def is_in_force(self, now: datetime) -> bool:
        return self.lifted_by is None and (self.until is None or now < self.until)


def bounced(
    bounce_type: str, *, subtypes: Iterable[str] | None = None, status: str | None = None
) -> Callable[[Event], bool]:
    """Matches bounces of the type and, where given, one of the subtypes and a status that begins so."""
    known = None if subtypes is None else frozenset(subtypes)
    return lambda fact: (
        fact.kind == Kind.BOUNCE
        and fact.bounce_type == bounce_type
        and (known is None or fact.bounce_subtype in known)
        and (status is None or (fact.status or "").startswith(status))
    )


def is_echo_of_a_list(fact: Event) -> bool:
    """SES refused the message itself because of a list: it says what the list says, nothing new about the address."""
    return (fact.bounce_subtype or fact.complaint_subtype) in ECHOES_OF_A_LIST


def is_out_of_office(fact: Event) -> bool:
    """An auto-reply: SES calls it a transient bounce, but the mail arrived. It lacks all that a real report has."""
    return bounced(BounceType.TRANSIENT, subtypes=["General"])(fact) and fact.action is None and fact.status is None


def is_not_spam(fact: Event) -> bool:
    return fact.kind == Kind.COMPLAINT and fact.feedback_type == NOT_SPAM


def is_complaint(fact: Event) -> bool:
    """Of whatever feedback type: a provider may invent new ones, and a missed complaint costs reputation."""
    return fact.kind == Kind.COMPLAINT


SIMULATOR = Rule("simulator", lambda fact: fact.is_simulated)
"""Left out of the table where the policy treats the mailbox simulator's addresses as real."""

RULES = (
    # What a person decided stands before all else: nothing automatic lifts it, and what they removed only newer facts
    # can bring back.
    Rule("added-by-operator", lambda fact: fact.kind == ADDED, Effect.SUPPRESS, "operator"),
    Rule("removed-by-operator", lambda fact: fact.kind == REMOVED, Effect.LIFT),
    SIMULATOR,
    Rule("echo-of-a-list", is_echo_of_a_list),
    Rule("out-of-office", is_out_of_office),
    # Policy or reputation refused the sender: one mistake of ours would empty a list.
    Rule("refused-sender", bounced(BounceType.PERMANENT, status="5.7.")),
    Rule(
        "hard-bounce",
        bounced(BounceType.PERMANENT, subtypes=["General", "NoEmail", "Suppressed"]),
        Effect.SUPPRESS,
        "bounce",
    ),
    Rule("not-spam", is_not_spam, Effect.LIFT_COMPLAINT),
    Rule("complaint", is_complaint, Effect.SUPPRESS, "complaint"),
    Rule("no-rule", lambda _: True),
)


@cache
def rules(policy: Policy) -> tuple[Rule, ...]:
    """The table as the policy sets it."""
    return tuple(rule for rule in RULES if rule is not SIMULATOR or policy.simulator == "apart")


def rule_for(fact: Event, policy: Policy) -> Rule:
    """The first rule that matches; the last one matches everything."""
    return next(rule for rule in rules(policy) if rule.when(fact))


def rule_if_it_decides(event: Event, policy: Policy) -> Rule | None:
    """The rule for an event of a kind that may decide; None for all others, whatever the table would say of them."""
    return rule_for(event, policy) if ledger.group(event) is ledger.Group.FEEDBACK else None


def decide(facts: Iterable[Event], policy: Policy) -> Entry | None:
    """The entry a recipient's facts call for, in force or lifted; None where nothing they did ever suppressed.

    Facts may come in any order and number of copies (of two with one key the later given counts): they are folded by
    when they happened. Where a complaint and its retraction bear the same time, the complaint stands.
    """
    decisive = _decisive(facts, policy)
    standing: dict[str, tuple[Event, Rule]] = {}
    lifted = None
    for fact, rule in decisive:
        if rule.effect is Effect.SUPPRESS:
            standing.setdefault(rule.reason, (fact, rule))
            continue
        for reason in reversed(REASONS) if rule.effect is Effect.LIFT else ("complaint",):
            if reason in standing:
                lifted = (*standing.pop(reason), fact, rule)
    digest = ledger.digest([(*ledger.key(fact), str(fact.occurred_at)) for fact, _ in decisive])
    if standing:
        return _entry(*standing[min(standing, key=REASONS.index)], [fact for fact, _ in standing.values()], digest)
    if lifted:
        made, rule, lift, lifting_rule = lifted
        entry = _entry(made, rule, [made, lift], digest)
        return msgspec.structs.replace(entry, until=lift.occurred_at, lifted_by=lifting_rule.id)
    return None


def _decisive(facts: Iterable[Event], policy: Policy) -> list[tuple[Event, Rule]]:
    """The facts that do something, each once, by when they happened, with the rule that says so."""
    once = {ledger.key(fact): fact for fact in facts if fact.recipient is not None}
    ruled = ((key, fact, rule_for(fact, policy)) for key, fact in once.items())
    acting = [(key, fact, rule) for key, fact, rule in ruled if rule.effect is not Effect.NONE]
    acting.sort(key=lambda found: (found[1].occurred_at or EARLIEST, found[2].effect is Effect.SUPPRESS, found[0]))
    return [(fact, rule) for _, fact, rule in acting]


def _entry(made_by: Event, rule: Rule, evidence: list[Event], digest: str) -> Entry:
    assert made_by.recipient is not None, "decisive facts name their recipient"
    return Entry(
        recipient=made_by.recipient,
        reason=rule.reason,
        rule=rule.id,
        since=made_by.occurred_at,
        spelling=made_by.spelling,
        evidence=[_as_evidence(fact) for fact in evidence],
        decided_from=digest,
    )


def _as_evidence(fact: Event) -> Event:
    """The fact without what never decides and would make the entry large."""
    return msgspec.structs.replace(fact, tags={}, source="", agent=None)
