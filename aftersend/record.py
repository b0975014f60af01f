"""What a record of SES tells, as events: one for each recipient it is about.

The record's values are taken as they are: unknown types and subtypes are kept verbatim, what is missing is None.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from aftersend import wire
from aftersend.addresses import bare
from aftersend.events import Event, Kind, Preferences

BELIEVED_UNTIL = {Kind.OPEN: timedelta(days=90), Kind.CLICK: timedelta(days=90), Kind.SUBSCRIPTION: timedelta(days=400)}
BELIEVED_UNTIL_OTHERWISE = timedelta(days=30)
"""How long after the message was sent an event is believed to have happened; SES collects opens for 60 days."""

FIRST_YEAR, LAST_YEAR = 2000, 2100
"""A time outside is no time: SES is younger, and no clock is that far ahead."""

Told = list[tuple[str | None, datetime | None, dict[str, Any]]]
"""What is told of each recipient: the address, when it happened (if SES says so), and the fields of the kind."""


def events(kind: str, record: wire.Record, mended: Iterable[str] = ()) -> list[Event]:
    """The events in a record of that kind (as SES spells it, or unknown), at least one."""
    mail = record.mail or _NO_MAIL
    sent_at = _utc(mail.timestamp)
    source = bare(mail.source) if mail.source else ""
    mended = tuple(mended)
    found = []
    for address, stated_at, details in _TOLD.get(kind, _of_each_destination)(mail.destination or [], record) or NOBODY:
        stated_at = _utc(stated_at)
        occurred_at = _believed(kind, stated_at, sent_at)
        spelling = bare(address) if address else ""
        recipient = spelling.lower()
        event = Event(
            kind=kind,
            message_id=mail.message_id,
            sent_at=sent_at,
            occurred_at=occurred_at,
            stated_at=None if stated_at == occurred_at else stated_at,
            recipient=recipient or None,
            spelling=None if spelling == recipient else spelling,
            source=source,
            tags=mail.tags or {},
            mended=mended,
            **details,
        )
        found.append(event)
    return found


_NO_MAIL = wire.Mail()
NOBODY: Told = [(None, None, {})]


def _believed(kind: str, stated_at: datetime | None, sent_at: datetime | None) -> datetime | None:
    """A bouncing server's clock is not trusted: nothing happens before its message was sent or very long after."""
    if stated_at is None or sent_at is None:
        return stated_at or sent_at
    if stated_at <= sent_at:
        return sent_at
    longest = BELIEVED_UNTIL.get(kind, BELIEVED_UNTIL_OTHERWISE)
    return stated_at if stated_at - sent_at <= longest else sent_at + longest


def _of_each_destination(destination: list[str], _: wire.Record) -> Told:
    return [(address, None, {}) for address in destination]


def _bounced(destination: list[str], record: wire.Record) -> Told:
    bounce = record.bounce or wire.Bounce()
    told: Told = []
    for bounced in bounce.bounced_recipients or [wire.AffectedRecipient()]:
        address, reported = _affected(bounced.email_address, destination)
        details = {
            "reported": reported,
            "bounce_type": bounce.bounce_type,
            "bounce_subtype": bounce.bounce_sub_type,
            "action": bounced.action,
            "status": bounced.status,
            "diagnostic": bounced.diagnostic_code,
            "feedback_id": bounce.feedback_id,
        }
        told.append((address, bounce.timestamp, details))
    return told


def _affected(named: str | None, destination: list[str]) -> tuple[str | None, str | None]:
    """The destination a bounce is about, and the address it named if that is another: a forwarded mail bounces for
    the address it was forwarded to, which must not be suppressed in the place of the one that was mailed."""
    if not named or not destination or named in destination:
        return named, None
    lowered = bare(named).lower()
    if lowered in {bare(address).lower() for address in destination}:
        return named, None
    return _only(destination), lowered


def _complained(_: list[str], record: wire.Record) -> Told:
    complaint = record.complaint or wire.Complaint()
    complained = complaint.complained_recipients or [wire.AffectedRecipient()]
    details = {
        "feedback_type": complaint.complaint_feedback_type,
        "complaint_subtype": complaint.complaint_sub_type,
        "candidates": len(complained) if len(complained) > 1 else None,
        "agent": complaint.user_agent,
        "feedback_id": complaint.feedback_id,
    }
    return [(candidate.email_address, complaint.timestamp, details) for candidate in complained]


def _delivered(_: list[str], record: wire.Record) -> Told:
    delivery = record.delivery or wire.Delivery()
    details = {"processing_milliseconds": delivery.processing_time_millis, "response": delivery.smtp_response}
    return [(address, delivery.timestamp, details) for address in delivery.recipients or [None]]


def _delayed(_: list[str], record: wire.Record) -> Told:
    delay = record.delivery_delay or wire.DeliveryDelay()
    expires_at = _utc(delay.expiration_time)
    told: Told = []
    for delayed in delay.delayed_recipients or [wire.AffectedRecipient()]:
        details = {
            "status": delayed.status,
            "diagnostic": delayed.diagnostic_code,
            "delay_type": delay.delay_type,
            "delay_expires_at": expires_at,
        }
        told.append((delayed.email_address, delay.timestamp, details))
    return told


def _rejected(destination: list[str], record: wire.Record) -> Told:
    reason = record.reject.reason if record.reject else None
    return [(address, None, {"reject_reason": reason}) for address in destination]


def _failed_to_render(destination: list[str], record: wire.Record) -> Told:
    failure = record.failure or wire.Failure()
    details = {"template": failure.template_name, "error": failure.error_message}
    return [(address, None, details) for address in destination]


def _opened(destination: list[str], record: wire.Record) -> Told:
    opened = record.open or wire.Open()
    details = {"address": opened.ip_address, "agent": opened.user_agent, "bot": opened.is_bot_event}
    return [(_only(destination), opened.timestamp, details)]


def _clicked(destination: list[str], record: wire.Record) -> Told:
    clicked = record.click or wire.Click()
    details = {
        "address": clicked.ip_address,
        "agent": clicked.user_agent,
        "bot": clicked.is_bot_event,
        "link": clicked.link,
        "link_tags": clicked.link_tags or {},
    }
    return [(_only(destination), clicked.timestamp, details)]


def _subscribed(destination: list[str], record: wire.Record) -> Told:
    subscription = record.subscription or wire.Subscription()
    details = {
        "contact_list": subscription.contact_list,
        "subscription_source": subscription.source,
        "old_preferences": _preferences(subscription.old_topic_preferences),
        "new_preferences": _preferences(subscription.new_topic_preferences),
    }
    return [(next(iter(destination), None), subscription.timestamp, details)]


_TOLD: dict[str, Callable[[list[str], wire.Record], Told]] = {
    Kind.SEND: _of_each_destination,
    Kind.REJECT: _rejected,
    Kind.RENDERING_FAILURE: _failed_to_render,
    Kind.DELIVERY_DELAY: _delayed,
    Kind.DELIVERY: _delivered,
    Kind.BOUNCE: _bounced,
    Kind.COMPLAINT: _complained,
    Kind.SUBSCRIPTION: _subscribed,
    Kind.OPEN: _opened,
    Kind.CLICK: _clicked,
}
"""How the events of each kind are told."""


def _preferences(found: wire.TopicPreferences | None) -> Preferences | None:
    if found is None:
        return None
    topics = {
        topic.topic_name: topic.subscription_status
        for topic in found.topic_subscription_status or ()
        if topic.topic_name and topic.subscription_status
    }
    return Preferences(bool(found.unsubscribe_all), topics)


def _only(addresses: list[str]) -> str | None:
    """Opens and clicks name nobody: with several destinations they belong to the message alone."""
    return addresses[0] if len(addresses) == 1 else None


def _utc(moment: datetime | None) -> datetime | None:
    """In UTC and whole milliseconds, so that copies of one fact written with other fractions are equal."""
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return None
    if moment.tzinfo is not UTC:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    excess = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - excess) if excess else moment
