"""Draw what may happen to a recipient, and policies to decide by: every kind of event, scope and setting."""

import random
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

from aftersend import ledger
from aftersend.events import ADDED, ON_ACCOUNT_LIST, PUT_ON_ACCOUNT_LIST, REMOVED, Event, Kind, Preferences
from aftersend.suppression import Policy
from tests.event_factory import SENT, an_event

DAYS = 70
"""How long a story takes: longer than two windows of soft bounces."""

MESSAGES = 25

SCOPES = (None, "stream#news", "list#readers", "topic#readers/books")
BOUNCES = (
    *[("Permanent", subtype) for subtype in ("General", "EmailValidationSuppressed", "OnAccountSuppressionList")],
    *[("Transient", subtype) for subtype in ("MailboxFull", "MailboxFull", "General", "ContentRejected")],
    ("Undetermined", "Undetermined"),
)
EFFECTS = ("suppress", "none", "1 day", "20 days")
SETTABLE = ("email-validation", "sender-refused", "hard-bounce", "content-refused", "soft-bounce", "complaint")


def a_policy(rng: random.Random) -> Policy:
    effects: Any = {rule: rng.choice(EFFECTS) for rule in SETTABLE if rng.random() < 0.15}
    effects |= {rule: "none" for rule in ("not-spam", "subscription") if rng.random() < 0.1}
    return Policy(
        complaint_scope=rng.choice(["everywhere", "stream"]),
        stream_tag=rng.choice([None, "brand"]),
        soft_bounce_days=rng.randint(1, 4),
        soft_bounce_window_days=rng.choice([5, 30]),
        soft_bounce_ladder_days=tuple(rng.choice([(), (1, 3), (1, 3, 7, 30)])),
        effects=effects,
    )


def some_events(rng: random.Random) -> list[Event]:
    """Return events of every kind that may decide, each once, in any order. Few have no time or the time of another."""
    often = rng.choices([1, 4], k=len(MAKERS))
    events = [maker(rng) for maker in rng.choices(MAKERS, often, k=rng.randint(1, 25))]
    return list({ledger.key(event): event for event in events}.values())


def a_fact(rng: random.Random, kind: str, **given: Any) -> Event:
    """Return an event about one of some messages. A message that bounces does so within days, as at SES."""
    number = rng.randrange(MESSAGES)
    sent_at = SENT + timedelta(days=number * DAYS / MESSAGES)
    occurred_at = sent_at + timedelta(hours=rng.randrange(1, 60))
    fields: dict[str, Any] = {"message": f"message-{number}", "sent_at": sent_at, "occurred_at": occurred_at}
    if rng.random() < 0.03:
        fields |= {"sent_at": None, "occurred_at": None}
    return an_event(kind, **fields | given)


def tags(rng: random.Random) -> dict[str, list[str]]:
    return rng.choice([{}, {"ses:configuration-set": ["news"]}, {"ses:configuration-set": ["news"], "brand": ["a"]}])


def a_bounce(rng: random.Random) -> Event:
    bounce_type, subtype = rng.choice(BOUNCES)
    action, status = rng.choice([(None, None), ("failed", "4.2.2"), ("failed", "5.7.1"), ("failed", "5.1.1")])
    details = {"bounce_type": bounce_type, "bounce_subtype": subtype, "action": action, "status": status}
    return a_fact(rng, Kind.BOUNCE, **details)


def a_soft_bounce(rng: random.Random) -> Event:
    details = {"bounce_type": "Transient", "bounce_subtype": "MailboxFull", "action": "failed", "status": "4.2.2"}
    return a_fact(rng, Kind.BOUNCE, **details)


def a_complaint(rng: random.Random) -> Event:
    subtype = "OnAccountSuppressionList" if rng.random() < 0.1 else None
    feedback_type = rng.choice(["abuse", "not-spam", None])
    return a_fact(rng, Kind.COMPLAINT, feedback_type=feedback_type, complaint_subtype=subtype, tags=tags(rng))


def a_subscription(rng: random.Random) -> Event:
    def preferences() -> Preferences | None:
        topics = {topic: rng.choice(["OptIn", "OptOut"]) for topic in ("books", "films") if rng.random() < 0.6}
        return Preferences(rng.random() < 0.3, topics) if rng.random() < 0.9 else None

    choices = {"old_preferences": preferences(), "new_preferences": preferences()}
    return a_fact(rng, Kind.SUBSCRIPTION, contact_list="readers", **choices)


def an_act(rng: random.Random) -> Event:
    scope, kind = rng.choice(SCOPES), rng.choice([ADDED, REMOVED])
    return a_fact(rng, kind, message=f"operator-{rng.random()}", operator="ops", scope=scope, tags={}, source="")


def an_account_list_event(rng: random.Random) -> Event:
    kind = rng.choice([ON_ACCOUNT_LIST, PUT_ON_ACCOUNT_LIST])
    return a_fact(rng, kind, message="account-list", list_reason=rng.choice(["BOUNCE", "COMPLAINT"]), tags={})


def another(rng: random.Random) -> Event:
    return a_fact(rng, rng.choice([Kind.DELIVERY, Kind.DELIVERY, Kind.SEND, Kind.OPEN, "Unknown"]))


MAKERS = (a_bounce, a_soft_bounce, a_complaint, a_subscription, an_act, an_account_list_event, another)


class Story(NamedTuple):
    """What happens to a recipient, and when it is decided by which policy."""

    rng: random.Random
    policy: Policy
    events: list[Event]
    now: datetime


def a_whole_story(rng: random.Random) -> Story:
    now = SENT + timedelta(hours=rng.randrange(24 * (DAYS + 40)))
    return Story(rng, a_policy(rng), some_events(rng), now)


STORIES = st.integers(0, 2**32).map(lambda seed: a_whole_story(random.Random(seed)))
"""Hypothesis chooses seeds alone: where it chose every number, most stories would be short and alike."""
