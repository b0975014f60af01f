"""Build the records that SES publishes about a message, complete and in SES's own form.

They follow SES's documentation and captured records. Nothing here imports aftersend: the code that parses these records
must not share code with the code that builds them.
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from local.ses.addresses import address_of

ACCOUNT = "000000000000"
SOURCE_IP, OUTGOING_IP = "198.51.100.17", "203.0.113.25"

EVENT_BODIES = {
    "Send": "send",
    "Reject": "reject",
    "Rendering Failure": "failure",
    "DeliveryDelay": "deliveryDelay",
    "Delivery": "delivery",
    "Bounce": "bounce",
    "Complaint": "complaint",
    "Subscription": "subscription",
    "Open": "open",
    "Click": "click",
}
"""Every event type, and the key of the record that holds its details."""

NOTIFICATION_TYPES = ("Bounce", "Complaint", "Delivery")
"""The event types that identity notifications exist for."""

SimulatedEvent = dict[str, Any]
"""An event to simulate: `event` (an event type), `seconds` after the message was sent, `to` (the affected recipients;
all if absent), and details by their names in the record, such as `bounceType`."""


@dataclass(frozen=True)
class Message:
    """A message that SES accepted."""

    id: str
    source: str
    destination: list[str]
    subject: str
    sent_at: datetime
    operation: str = "SendEmail"
    configuration_set: str | None = None
    tags: dict[str, list[str]] = field(default_factory=dict)
    headers: list[dict[str, str]] = field(default_factory=list)
    region: str = "us-east-1"

    @property
    def from_domain(self) -> str:
        return address_of(self.source).rpartition("@")[2].lower()


def event_record(message: Message, event: SimulatedEvent) -> dict[str, Any]:
    """Return the record of event publishing, which has an `eventType` and message tags."""
    event_type = event["event"]
    automatic = {
        "ses:operation": [message.operation],
        "ses:configuration-set": [message.configuration_set],
        "ses:source-ip": [SOURCE_IP],
        "ses:from-domain": [message.from_domain],
        "ses:caller-identity": ["bookshop-mailer"],
    }
    if event_type == "Delivery":
        automatic["ses:outgoing-ip"] = [OUTGOING_IP]
    mail = _mail(message) | _header_fields(message, message.id) | {"tags": automatic | message.tags}
    return {"eventType": event_type, "mail": mail, EVENT_BODIES[event_type]: _DETAILS[event_type](message, event)}


def notification(message: Message, event: SimulatedEvent, *, with_headers: bool = False) -> dict[str, Any]:
    """Return the record of an identity notification, which has a `notificationType` and no message tags."""
    event_type = event["event"]
    mail = _mail(message) | {"sourceIp": SOURCE_IP, "callerIdentity": "bookshop-mailer"}
    if with_headers:
        # In a notification, this is the Message-ID header of the message and not the id SES gave it.
        mail |= _header_fields(message, message_id=f"<{message.id[:20]}@{message.from_domain}>")
    return {
        "notificationType": event_type,
        EVENT_BODIES[event_type]: _DETAILS[event_type](message, event),
        "mail": mail,
    }


def _mail(message: Message) -> dict[str, Any]:
    return {
        "timestamp": _time(message.sent_at),
        "source": message.source,
        "sourceArn": f"arn:aws:ses:{message.region}:{ACCOUNT}:identity/{message.from_domain}",
        "sendingAccountId": ACCOUNT,
        "messageId": message.id,
        "destination": message.destination,
    }


def _header_fields(message: Message, message_id: str) -> dict[str, Any]:
    common = {
        "from": [message.source],
        "to": message.destination,
        "messageId": message_id,
        "subject": message.subject,
    }
    return {"headersTruncated": False, "headers": _headers(message), "commonHeaders": common}


def _headers(message: Message) -> list[dict[str, str]]:
    return [
        {"name": "Date", "value": format_datetime(message.sent_at)},
        {"name": "From", "value": message.source},
        {"name": "To", "value": ", ".join(message.destination)},
        {"name": "Subject", "value": message.subject},
        {"name": "MIME-Version", "value": "1.0"},
        {"name": "Content-Type", "value": 'multipart/alternative; boundary="----=_Part_7_1"'},
        *message.headers,
    ]


def _affected_recipients(message: Message, event: SimulatedEvent) -> list[str]:
    return [address_of(address) for address in event.get("to", message.destination)]


def _occurred_at(message: Message, event: SimulatedEvent) -> str:
    return _time(message.sent_at + timedelta(seconds=event.get("seconds", 1)))


def _bounce(message: Message, event: SimulatedEvent) -> dict[str, Any]:
    report = {name: event[name] for name in ("action", "status", "diagnosticCode") if name in event}
    details = {
        "feedbackId": event["feedbackId"],
        "bounceType": event.get("bounceType", "Permanent"),
        "bounceSubType": event.get("bounceSubType", "General"),
        "bouncedRecipients": [{"emailAddress": address, **report} for address in _affected_recipients(message, event)],
        "timestamp": _occurred_at(message, event),
    }
    return details | ({"reportingMTA": "dns; a8-50.smtp-out.amazonses.com"} if report else {})


def _complaint(message: Message, event: SimulatedEvent) -> dict[str, Any]:
    report = {}
    if "complaintFeedbackType" in event:
        report = {
            "userAgent": event.get("userAgent", "Yahoo!-Mail-Feedback/2.0"),
            "complaintFeedbackType": event["complaintFeedbackType"],
            "arrivalDate": _time(message.sent_at),
        }
    return {
        "feedbackId": event["feedbackId"],
        "complaintSubType": event.get("complaintSubType"),
        "complainedRecipients": [{"emailAddress": address} for address in _affected_recipients(message, event)],
        "timestamp": _occurred_at(message, event),
        **report,
    }


def _delivery(message: Message, event: SimulatedEvent) -> dict[str, Any]:
    return {
        "timestamp": _occurred_at(message, event),
        "processingTimeMillis": int(event.get("seconds", 1) * 1000),
        "recipients": _affected_recipients(message, event),
        "smtpResponse": "250 2.6.0 Message received",
        "remoteMtaIp": "192.0.2.54",
        "reportingMTA": "a8-53.smtp-out.amazonses.com",
    }


def _delivery_delay(message: Message, event: SimulatedEvent) -> dict[str, Any]:
    return {
        "delayType": event.get("delayType", "TransientCommunicationFailure"),
        "expirationTime": _time(message.sent_at + timedelta(hours=14)),
        "delayedRecipients": [
            {"emailAddress": address, "status": "4.4.1", "diagnosticCode": "smtp; 421 4.4.1 Unable to connect to host"}
            for address in _affected_recipients(message, event)
        ],
        "timestamp": _occurred_at(message, event),
    }


def _open(message: Message, event: SimulatedEvent) -> dict[str, Any]:
    return {
        "ipAddress": event.get("ipAddress", "192.0.2.131"),
        "timestamp": _occurred_at(message, event),
        "userAgent": event.get("userAgent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)"),
        "isBotEvent": event.get("isBotEvent", "Unlikely"),
    }


def _click(message: Message, event: SimulatedEvent) -> dict[str, Any]:
    link = event.get("link", "https://bookshop.example/books/the-left-hand-of-darkness?from=newsletter")
    return _open(message, event) | {"link": link, "linkTags": event.get("linkTags")}


def _subscription(message: Message, event: SimulatedEvent) -> dict[str, Any]:
    def preferences(unsubscribe_all: bool) -> dict[str, Any]:
        status = "OptOut" if unsubscribe_all else "OptIn"
        topics = [{"topicName": event.get("topicName", "new-books"), "subscriptionStatus": status}]
        return {"unsubscribeAll": unsubscribe_all, "topicSubscriptionStatus": topics}

    return {
        "contactList": event.get("contactList", "readers"),
        "timestamp": _occurred_at(message, event),
        "source": "UnsubscribeHeader",
        "newTopicPreferences": preferences(True),
        "oldTopicPreferences": preferences(False),
    }


_DETAILS: dict[str, Callable[[Message, SimulatedEvent], dict[str, Any]]] = {
    "Send": lambda _message, _event: {},
    "Reject": lambda _message, _event: {"reason": "Bad content"},
    "Rendering Failure": lambda _message, event: {
        "templateName": event.get("templateName", "spring-catalogue"),
        "errorMessage": event.get("errorMessage", "Attribute 'first_name' is not present in the rendering data."),
    },
    "DeliveryDelay": _delivery_delay,
    "Delivery": _delivery,
    "Bounce": _bounce,
    "Complaint": _complaint,
    "Subscription": _subscription,
    "Open": _open,
    "Click": _click,
}


def new_id(moment: datetime, rng: random.Random) -> str:
    """Return an id like those of SES messages and feedback: it starts with the time in hexadecimal milliseconds."""
    unique = uuid.UUID(int=rng.getrandbits(128), version=4)
    return f"0100{int(moment.timestamp() * 1000):012x}-{unique}-000000"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
