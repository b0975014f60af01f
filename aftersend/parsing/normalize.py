"""Normalize a record into events: one for each recipient it is about.

Values are taken from the record as they are: unknown types and subtypes are kept verbatim, missing values are None.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from aftersend.events import Event, Kind, Preferences
from aftersend.parsing import ses_schema
from aftersend.parsing.addresses import bare_address
from aftersend.parsing.machines import machine

LONGEST_DELAY = {
    Kind.OPEN: timedelta(days=90),
    Kind.CLICK: timedelta(days=90),
    Kind.SUBSCRIPTION: timedelta(days=400),
    Kind.COMPLAINT: timedelta(days=400),
}
DEFAULT_LONGEST_DELAY = timedelta(days=30)
"""How long after its message was sent an event may happen; a later time is clamped. SES tracks opens for 60 days."""

FIRST_YEAR, LAST_YEAR = 2000, 2100
"""A time outside these years counts as missing: SES is younger, and no clock is that far ahead."""

Extracted = list[tuple[str | None, datetime | None, dict[str, Any]]]
"""For each recipient of a record: the address, the time in the record, and the values of fields of that kind alone."""


def normalize(kind: str, record: ses_schema.Record, coerced_fields: Iterable[str] = ()) -> list[Event]:
    """Return the events, at least one, of a record of a kind that SES documents or of an unknown one."""
    mail = record.mail or _EMPTY_MAIL
    extract = _EXTRACTORS.get(kind, _extract_destinations)
    sent_at = _utc(mail.timestamp)
    source = bare_address(mail.source) if mail.source else ""
    coerced_fields = tuple(coerced_fields)
    events = []
    for address, reported_at, details in extract(mail.destination or [], record) or _NO_RECIPIENT:
        reported_at = _utc(reported_at)
        occurred_at = _clamp_time(kind, reported_at, sent_at)
        recipient_raw = bare_address(address) if address else ""
        recipient = recipient_raw.lower()
        event = Event(
            kind=kind,
            message_id=mail.message_id or None,
            sent_at=sent_at,
            occurred_at=occurred_at,
            reported_at=None if reported_at == occurred_at else reported_at,
            recipient=recipient or None,
            recipient_raw=None if recipient_raw == recipient else recipient_raw,
            source=source,
            tags=mail.tags or {},
            coerced_fields=coerced_fields,
            **details,
        )
        events.append(event)
    return events


_EMPTY_MAIL = ses_schema.Mail()
_NO_RECIPIENT: Extracted = [(None, None, {})]


def _clamp_time(kind: str, reported_at: datetime | None, sent_at: datetime | None) -> datetime | None:
    """Clamp an event's time to a range after its message was sent: the bouncing server's clock may be wrong."""
    if reported_at is None or sent_at is None:
        return reported_at or sent_at
    if reported_at <= sent_at:
        return sent_at
    longest = LONGEST_DELAY.get(kind, DEFAULT_LONGEST_DELAY)
    return reported_at if reported_at - sent_at <= longest else sent_at + longest


def _extract_destinations(destination: list[str], _: ses_schema.Record) -> Extracted:
    return [(address, None, {}) for address in destination]


def _extract_bounce(destination: list[str], record: ses_schema.Record) -> Extracted:
    bounce = record.bounce or ses_schema.Bounce()
    extracted: Extracted = []
    destinations = set(destination)
    if any(bounced.email_address not in destinations for bounced in bounce.bounced_recipients or ()):
        destinations.update([bare_address(each).lower() for each in destination])
    for bounced in bounce.bounced_recipients or [ses_schema.AffectedRecipient()]:
        address, reported_recipient = _bounced_destination(bounced.email_address, destination, destinations)
        details = {
            "reported_recipient": reported_recipient,
            "bounce_type": bounce.bounce_type,
            "bounce_subtype": bounce.bounce_sub_type,
            "action": bounced.action,
            "status": bounced.status,
            "diagnostic_code": bounced.diagnostic_code,
            "feedback_id": bounce.feedback_id,
        }
        extracted.append((address, bounce.timestamp, details))
    return extracted


def _bounced_destination(
    address: str | None, destination: list[str], destinations: set[str]
) -> tuple[str | None, str | None]:
    """Return the destination a bounce is about, and the address it names if that is not among the `destinations`.

    A forwarded message bounces for the address it was forwarded to, which must not be suppressed in place of the
    destination.
    """
    if not address or not destination or address in destinations:
        return address, None
    bounced = bare_address(address).lower()
    if bounced in destinations:
        return address, None
    return _only(destination), bounced


def _extract_complaint(_: list[str], record: ses_schema.Record) -> Extracted:
    complaint = record.complaint or ses_schema.Complaint()
    complained = complaint.complained_recipients or [ses_schema.AffectedRecipient()]
    details = {
        "feedback_type": complaint.complaint_feedback_type,
        "complaint_subtype": complaint.complaint_sub_type,
        "candidate_count": len(complained) if len(complained) > 1 else None,
        "user_agent": complaint.user_agent,
        "feedback_id": complaint.feedback_id,
    }
    return [(candidate.email_address, complaint.timestamp, details) for candidate in complained]


def _extract_delivery(destination: list[str], record: ses_schema.Record) -> Extracted:
    delivery = record.delivery or ses_schema.Delivery()
    details = {"processing_time_millis": delivery.processing_time_millis, "smtp_response": delivery.smtp_response}
    return [(address, delivery.timestamp, details) for address in delivery.recipients or destination or [None]]


def _extract_delay(destination: list[str], record: ses_schema.Record) -> Extracted:
    delay = record.delivery_delay or ses_schema.DeliveryDelay()
    expires_at = _utc(delay.expiration_time)
    extracted: Extracted = []
    for delayed in delay.delayed_recipients or [ses_schema.AffectedRecipient(_only(destination))]:
        details = {
            "status": delayed.status,
            "diagnostic_code": delayed.diagnostic_code,
            "delay_type": delay.delay_type,
            "delay_expires_at": expires_at,
        }
        extracted.append((delayed.email_address, delay.timestamp, details))
    return extracted


def _extract_reject(destination: list[str], record: ses_schema.Record) -> Extracted:
    reason = record.reject.reason if record.reject else None
    return [(address, None, {"reject_reason": reason}) for address in destination]


def _extract_rendering_failure(destination: list[str], record: ses_schema.Record) -> Extracted:
    failure = record.failure or ses_schema.Failure()
    details = {"template_name": failure.template_name, "error_message": failure.error_message}
    return [(address, None, details) for address in destination]


def _extract_open(destination: list[str], record: ses_schema.Record) -> Extracted:
    opened = record.open or ses_schema.Open()
    details = {
        "ip_address": opened.ip_address,
        "user_agent": opened.user_agent,
        "bot_likelihood": opened.is_bot_event,
        "machine": machine(opened.is_bot_event, opened.user_agent),
    }
    return [(_only(destination), opened.timestamp, details)]


def _extract_click(destination: list[str], record: ses_schema.Record) -> Extracted:
    clicked = record.click or ses_schema.Click()
    details = {
        "ip_address": clicked.ip_address,
        "user_agent": clicked.user_agent,
        "bot_likelihood": clicked.is_bot_event,
        "machine": machine(clicked.is_bot_event, clicked.user_agent),
        "link": clicked.link,
        "link_tags": clicked.link_tags or {},
    }
    return [(_only(destination), clicked.timestamp, details)]


def _extract_subscription(destination: list[str], record: ses_schema.Record) -> Extracted:
    subscription = record.subscription or ses_schema.Subscription()
    details = {
        "contact_list": subscription.contact_list,
        "subscription_source": subscription.source,
        "old_preferences": _preferences(subscription.old_topic_preferences),
        "new_preferences": _preferences(subscription.new_topic_preferences),
    }
    return [(next(iter(destination), None), subscription.timestamp, details)]


_EXTRACTORS: dict[str, Callable[[list[str], ses_schema.Record], Extracted]] = {
    Kind.SEND: _extract_destinations,
    Kind.REJECT: _extract_reject,
    Kind.RENDERING_FAILURE: _extract_rendering_failure,
    Kind.DELIVERY_DELAY: _extract_delay,
    Kind.DELIVERY: _extract_delivery,
    Kind.BOUNCE: _extract_bounce,
    Kind.COMPLAINT: _extract_complaint,
    Kind.SUBSCRIPTION: _extract_subscription,
    Kind.OPEN: _extract_open,
    Kind.CLICK: _extract_click,
}
"""How recipients and fields of each kind are extracted."""


def _preferences(preferences: ses_schema.TopicPreferences | None) -> Preferences | None:
    if preferences is None:
        return None
    topics = {
        topic.topic_name: topic.subscription_status
        for topic in preferences.topic_subscription_status or ()
        if topic.topic_name and topic.subscription_status
    }
    return Preferences(bool(preferences.unsubscribe_all), topics)


def _only(addresses: list[str]) -> str | None:
    """Return the only destination: records of opens and clicks do not name which of several it was."""
    return addresses[0] if len(addresses) == 1 else None


def _utc(time: datetime | None) -> datetime | None:
    """Convert a time to UTC and whole milliseconds, so that copies of one event written differently are equal."""
    if time is None:
        return None
    if time.tzinfo is not UTC:
        if not FIRST_YEAR - 1 <= time.year <= LAST_YEAR + 1:  # the offset may lead into the next year
            return None
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        return None
    excess = time.microsecond % 1000
    return time.replace(microsecond=time.microsecond - excess) if excess else time
