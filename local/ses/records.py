"""The records SES publishes about a message, complete and as SES writes them.

Written from SES's documentation and captured records, and from nothing of aftersend: what reads these records must not
have written them.
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parseaddr
from typing import Any

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
"""Each event type and the key its details stand under."""

NOTIFICATION_TYPES = ("Bounce", "Complaint", "Delivery")

Outcome = dict[str, Any]
"""One thing that happens to a message: `event` (an event type), `seconds` after it was sent, `to` (those of the
recipients it happens to; all, if absent), and whatever else the event's details are to say."""


@dataclass(frozen=True)
class Message:
    """A message as SES accepted it."""

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
        return parseaddr(self.source)[1].rpartition("@")[2].lower()


def event_record(message: Message, outcome: Outcome) -> dict[str, Any]:
    """The record of event publishing: with `eventType` and message tags."""
    kind = outcome["event"]
    automatic = {
        "ses:operation": [message.operation],
        "ses:configuration-set": [message.configuration_set],
        "ses:source-ip": [SOURCE_IP],
        "ses:from-domain": [message.from_domain],
        "ses:caller-identity": ["bookshop-mailer"],
    }
    if kind == "Delivery":
        automatic["ses:outgoing-ip"] = [OUTGOING_IP]
    mail = _mail(message) | _with_headers(message, message.id) | {"tags": automatic | message.tags}
    return {"eventType": kind, "mail": mail, EVENT_BODIES[kind]: _DETAILS[kind](message, outcome)}


def notification(message: Message, outcome: Outcome, *, with_headers: bool = False) -> dict[str, Any]:
    """The record of an identity notification: with `notificationType`, without tags; headers only where asked for."""
    kind = outcome["event"]
    mail = _mail(message) | {"sourceIp": SOURCE_IP, "callerIdentity": "bookshop-mailer"}
    if with_headers:
        # Here the id is the one in the message's own header, not SES's.
        mail |= _with_headers(message, message_id=f"<{message.id[:20]}@{message.from_domain}>")
    return {"notificationType": kind, EVENT_BODIES[kind]: _DETAILS[kind](message, outcome), "mail": mail}


def _mail(message: Message) -> dict[str, Any]:
    return {
        "timestamp": _time(message.sent_at),
        "source": message.source,
        "sourceArn": f"arn:aws:ses:{message.region}:{ACCOUNT}:identity/{message.from_domain}",
        "sendingAccountId": ACCOUNT,
        "messageId": message.id,
        "destination": message.destination,
    }


def _with_headers(message: Message, message_id: str) -> dict[str, Any]:
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


def _affected(message: Message, outcome: Outcome) -> list[str]:
    return [parseaddr(address)[1] for address in outcome.get("to", message.destination)]


def _happened(message: Message, outcome: Outcome) -> str:
    return _time(message.sent_at + timedelta(seconds=outcome.get("seconds", 1)))


def _bounce(message: Message, outcome: Outcome) -> dict[str, Any]:
    report = {name: outcome[name] for name in ("action", "status", "diagnosticCode") if name in outcome}
    details = {
        "feedbackId": outcome["feedbackId"],
        "bounceType": outcome["bounceType"],
        "bounceSubType": outcome["bounceSubType"],
        "bouncedRecipients": [{"emailAddress": address, **report} for address in _affected(message, outcome)],
        "timestamp": _happened(message, outcome),
    }
    return details | ({"reportingMTA": "dns; a8-50.smtp-out.amazonses.com"} if report else {})


def _complaint(message: Message, outcome: Outcome) -> dict[str, Any]:
    report = {}
    if "complaintFeedbackType" in outcome:
        report = {
            "userAgent": "Yahoo!-Mail-Feedback/2.0",
            "complaintFeedbackType": outcome["complaintFeedbackType"],
            "arrivalDate": _time(message.sent_at),
        }
    return {
        "feedbackId": outcome["feedbackId"],
        "complaintSubType": outcome.get("complaintSubType"),
        "complainedRecipients": [{"emailAddress": address} for address in _affected(message, outcome)],
        "timestamp": _happened(message, outcome),
        **report,
    }


def _delivery(message: Message, outcome: Outcome) -> dict[str, Any]:
    return {
        "timestamp": _happened(message, outcome),
        "processingTimeMillis": int(outcome.get("seconds", 1) * 1000),
        "recipients": _affected(message, outcome),
        "smtpResponse": "250 2.6.0 Message received",
        "remoteMtaIp": "192.0.2.54",
        "reportingMTA": "a8-53.smtp-out.amazonses.com",
    }


def _delay(message: Message, outcome: Outcome) -> dict[str, Any]:
    return {
        "delayType": outcome.get("delayType", "TransientCommunicationFailure"),
        "expirationTime": _time(message.sent_at + timedelta(hours=14)),
        "delayedRecipients": [
            {"emailAddress": address, "status": "4.4.1", "diagnosticCode": "smtp; 421 4.4.1 Unable to connect to host"}
            for address in _affected(message, outcome)
        ],
        "timestamp": _happened(message, outcome),
    }


def _opened(message: Message, outcome: Outcome) -> dict[str, Any]:
    return {
        "ipAddress": outcome.get("ipAddress", "192.0.2.131"),
        "timestamp": _happened(message, outcome),
        "userAgent": outcome.get("userAgent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)"),
        "isBotEvent": "Unlikely",
    }


def _clicked(message: Message, outcome: Outcome) -> dict[str, Any]:
    link = outcome.get("link", "https://bookshop.example/books/the-left-hand-of-darkness?from=newsletter")
    return _opened(message, outcome) | {"link": link, "linkTags": outcome.get("linkTags")}


def _subscription(message: Message, outcome: Outcome) -> dict[str, Any]:
    def preferences(unsubscribe_all: bool) -> dict[str, Any]:
        status = "OptOut" if unsubscribe_all else "OptIn"
        topics = [{"topicName": "new-books", "subscriptionStatus": status}]
        return {"unsubscribeAll": unsubscribe_all, "topicSubscriptionStatus": topics}

    return {
        "contactList": "readers",
        "timestamp": _happened(message, outcome),
        "source": "UnsubscribeHeader",
        "newTopicPreferences": preferences(True),
        "oldTopicPreferences": preferences(False),
    }


_DETAILS: dict[str, Callable[[Message, Outcome], dict[str, Any]]] = {
    "Send": lambda _message, _outcome: {},
    "Reject": lambda _message, _outcome: {"reason": "Bad content"},
    "Rendering Failure": lambda _message, _outcome: {
        "templateName": "spring-catalogue",
        "errorMessage": "Attribute 'first_name' is not present in the rendering data.",
    },
    "DeliveryDelay": _delay,
    "Delivery": _delivery,
    "Bounce": _bounce,
    "Complaint": _complaint,
    "Subscription": _subscription,
    "Open": _opened,
    "Click": _clicked,
}


def new_id(moment: datetime, draw: random.Random) -> str:
    """An id as SES gives messages, bounces and complaints: it begins with the time in hexadecimal milliseconds."""
    unique = uuid.UUID(int=draw.getrandbits(128), version=4)
    return f"0100{int(moment.timestamp() * 1000):012x}-{unique}-000000"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
