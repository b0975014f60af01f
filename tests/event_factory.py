"""Events as tests tell them: what is not said is as it usually is."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aftersend.events import ADDED, REMOVED, Event, Kind

SENT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
READER = "reader@mail.example"
TAGS = {
    "ses:configuration-set": ["newsletter"],
    "ses:from-domain": ["bookshop.example"],
    "campaign": ["spring-catalogue"],
    "genre": ["sci-fi"],
}


def an_event(kind: str, *, minutes: float = 1, message: str | None = "message-1", **parts: Any) -> Event:
    """An event so many minutes after its message was sent."""
    usual: dict[str, Any] = {"recipient": READER, "sent_at": SENT, "source": "news@bookshop.example", "tags": TAGS}
    told: dict[str, Any] = usual | parts
    if "occurred_at" not in told:
        told["occurred_at"] = told["sent_at"] + timedelta(minutes=minutes)
    return Event(kind=kind, message_id=message, **told)


def a_bounce(bounce_type: str = "Permanent", subtype: str = "General", **parts: Any) -> Event:
    parts = {"action": "failed", "status": "5.1.1"} | parts
    return an_event(Kind.BOUNCE, bounce_type=bounce_type, bounce_subtype=subtype, **parts)


def an_out_of_office_reply(**parts: Any) -> Event:
    return a_bounce("Transient", action=None, status=None, **parts)


def a_complaint(feedback_type: str | None = "abuse", **parts: Any) -> Event:
    return an_event(Kind.COMPLAINT, feedback_type=feedback_type, **parts)


def a_not_spam_report(minutes: float = 30, **parts: Any) -> Event:
    return a_complaint("not-spam", minutes=minutes, **parts)


def an_open(**parts: Any) -> Event:
    parts = {"ip_address": "192.0.2.131", "user_agent": "Mozilla/5.0"} | parts
    return an_event(Kind.OPEN, **parts)


def added_by_operator(minutes: float = 5, **parts: Any) -> Event:
    parts = {"operator": "ops", "tags": {}, "source": ""} | parts
    return an_event(ADDED, minutes=minutes, message="act-1", **parts)


def removed_by_operator(minutes: float = 30, **parts: Any) -> Event:
    parts = {"operator": "ops", "tags": {}, "source": ""} | parts
    return an_event(REMOVED, minutes=minutes, message="act-2", **parts)
