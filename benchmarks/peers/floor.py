"""Parse records with the least work any Python parser can do without leaving fields out.

Records are decoded into types, and an event is made for each recipient. There are no other envelopes than SNS, no wrong
types, no forwards and no impossible times.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from aftersend.events import Event, Kind
from aftersend.parsing import ses_schema
from benchmarks.peers.parsers import Request

_decode_envelope = msgspec.json.Decoder(ses_schema.Record).decode
_decode_record = msgspec.json.Decoder(ses_schema.Record).decode

Details = tuple[list[Any], datetime | None, dict[str, Any]]
"""Recipients, time, and the fields of the kind."""


def parse_with_floor(request: Request) -> list[Event]:
    record = _decode_record(_decode_envelope(request.body).sns_message or "")
    mail = record.mail
    kind = record.event_type or record.notification_type or ""
    recipients, occurred_at, details = _DETAILS[kind](record)
    return [
        Event(
            kind=kind,
            message_id=mail.message_id,
            sent_at=mail.timestamp,
            occurred_at=occurred_at,
            recipient=recipient.lower() if recipient else None,
            recipient_raw=recipient,
            source=mail.source or "",
            tags=mail.tags or {},
            **details,
        )
        for recipient in recipients
    ]


def _bounce(record: ses_schema.Record) -> Details:
    bounce = record.bounce
    first = bounce.bounced_recipients[0]
    details = {
        "bounce_type": bounce.bounce_type,
        "bounce_subtype": bounce.bounce_sub_type,
        "action": first.action,
        "status": first.status,
        "diagnostic_code": first.diagnostic_code,
        "feedback_id": bounce.feedback_id,
    }
    return [each.email_address for each in bounce.bounced_recipients], bounce.timestamp, details


def _complaint(record: ses_schema.Record) -> Details:
    complaint = record.complaint
    details = {
        "feedback_type": complaint.complaint_feedback_type,
        "complaint_subtype": complaint.complaint_sub_type,
        "user_agent": complaint.user_agent,
        "feedback_id": complaint.feedback_id,
    }
    return [each.email_address for each in complaint.complained_recipients], complaint.timestamp, details


def _delivery(record: ses_schema.Record) -> Details:
    delivery = record.delivery
    details = {"processing_time_millis": delivery.processing_time_millis, "smtp_response": delivery.smtp_response}
    return delivery.recipients, delivery.timestamp, details


def _delay(record: ses_schema.Record) -> Details:
    delay = record.delivery_delay
    first = delay.delayed_recipients[0]
    details = {
        "status": first.status,
        "diagnostic_code": first.diagnostic_code,
        "delay_type": delay.delay_type,
        "delay_expires_at": delay.expiration_time,
    }
    return [each.email_address for each in delay.delayed_recipients], delay.timestamp, details


def _rendering_failure(record: ses_schema.Record) -> Details:
    failure = record.failure
    details = {"template_name": failure.template_name, "error_message": failure.error_message}
    return record.mail.destination, record.mail.timestamp, details


def _open(record: ses_schema.Record) -> Details:
    opened = record.open
    details = {"ip_address": opened.ip_address, "user_agent": opened.user_agent, "bot_likelihood": opened.is_bot_event}
    return record.mail.destination, opened.timestamp, details


def _click(record: ses_schema.Record) -> Details:
    clicked = record.click
    details = {
        "ip_address": clicked.ip_address,
        "user_agent": clicked.user_agent,
        "bot_likelihood": clicked.is_bot_event,
        "link": clicked.link,
        "link_tags": clicked.link_tags,
    }
    return record.mail.destination, clicked.timestamp, details


def _subscription(record: ses_schema.Record) -> Details:
    subscription = record.subscription
    details = {"contact_list": subscription.contact_list, "subscription_source": subscription.source}
    return record.mail.destination, subscription.timestamp, details


_DETAILS: dict[str, Callable[[ses_schema.Record], Details]] = {
    Kind.SEND: lambda record: (record.mail.destination, record.mail.timestamp, {}),
    Kind.REJECT: lambda record: (
        record.mail.destination,
        record.mail.timestamp,
        {"reject_reason": record.reject.reason},
    ),
    Kind.RENDERING_FAILURE: _rendering_failure,
    Kind.DELIVERY_DELAY: _delay,
    Kind.DELIVERY: _delivery,
    Kind.BOUNCE: _bounce,
    Kind.COMPLAINT: _complaint,
    Kind.SUBSCRIPTION: _subscription,
    Kind.OPEN: _open,
    Kind.CLICK: _click,
}
