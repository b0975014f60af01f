"""Make events for tests: fields that are not given have usual values."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from aftersend.events import ADDED, REMOVED, Event, Kind
from aftersend.suppression import EVERYWHERE, Entry, Policy, decide

SENT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
NOW = SENT + timedelta(days=1)
READER = "reader@mail.example"
TAGS = {
    "ses:configuration-set": ["newsletter"],
    "ses:from-domain": ["bookshop.example"],
    "campaign": ["spring-catalogue"],
    "genre": ["sci-fi"],
}


def an_event(kind: str, *, minutes: float = 1, message: str | None = "message-1", **given: Any) -> Event:
    """Return an event that happened so many minutes after its message was sent."""
    defaults: dict[str, Any] = {"recipient": READER, "sent_at": SENT, "source": "news@bookshop.example", "tags": TAGS}
    fields: dict[str, Any] = defaults | given
    if "occurred_at" not in fields:
        fields["occurred_at"] = fields["sent_at"] + timedelta(minutes=minutes)
    return Event(kind=kind, message_id=message, **fields)


def a_bounce(bounce_type: str = "Permanent", subtype: str | None = "General", **given: Any) -> Event:
    given = {"action": "failed", "status": "5.1.1"} | given
    return an_event(Kind.BOUNCE, bounce_type=bounce_type, bounce_subtype=subtype, **given)


def an_out_of_office_reply(**given: Any) -> Event:
    return a_bounce("Transient", action=None, status=None, **given)


def a_complaint(feedback_type: str | None = "abuse", **given: Any) -> Event:
    return an_event(Kind.COMPLAINT, feedback_type=feedback_type, **given)


def a_not_spam_report(minutes: float = 30, **given: Any) -> Event:
    return a_complaint("not-spam", minutes=minutes, **given)


def an_open(**given: Any) -> Event:
    given = {"ip_address": "192.0.2.131", "user_agent": "Mozilla/5.0"} | given
    return an_event(Kind.OPEN, **given)


def added_by_operator(minutes: float = 5, **given: Any) -> Event:
    given = {"operator": "ops", "tags": {}, "source": ""} | given
    return an_event(ADDED, minutes=minutes, message="act-1", **given)


def removed_by_operator(minutes: float = 30, **given: Any) -> Event:
    given = {"operator": "ops", "tags": {}, "source": ""} | given
    return an_event(REMOVED, minutes=minutes, message="act-2", **given)


def decide_everywhere(events: Iterable[Event], policy: Policy | None = None, now: datetime = NOW) -> Entry | None:
    """Return the entry for all mail that events call for."""
    return decide(events, policy or Policy(), now).get(EVERYWHERE)
