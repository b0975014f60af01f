"""Call each project's parser as it runs in production, with the verification of signatures off."""

import logging
from datetime import datetime
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import django
from django.conf import settings

from aftersend.parsing import parse

settings.configure(AWS_SES_VERIFY_EVENT_SIGNATURES=False, ANYMAIL={"WEBHOOK_SECRET": "name:secret"})
django.setup()
logging.disable()  # django-ses logs every record, which is no part of parsing

from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView  # noqa: E402 (Django must be configured before)
from django_ses import signals  # noqa: E402 (as well)
from django_ses.views import SESEventWebhookView  # noqa: E402 (as well)

Request = SimpleNamespace


class Values(NamedTuple):
    """Hold what a parser returns of a record; None for what it does not return."""

    kind: str | None
    recipients: list[str] | None
    message_id: str | None
    occurred_at: datetime | None


def make_request(payload: str) -> Request:
    return Request(body=payload.encode(), encoding=None, META={})


def parse_with_aftersend(request: Request) -> list[Any]:
    return parse(request.body)


def aftersend_values(request: Request) -> Values:
    [events] = parse(request.body)
    assert isinstance(events, list)
    recipients = [event.recipient_raw or event.recipient or "" for event in events]
    return Values(events[0].kind, recipients, events[0].message_id, events[0].occurred_at)


_anymail_view = AmazonSESTrackingWebhookView()

ANYMAIL_KINDS = {
    "bounced": "Bounce",
    "clicked": "Click",
    "complained": "Complaint",
    "delivered": "Delivery",
    "failed": "Rendering Failure",
    "opened": "Open",
    "rejected": "Reject",
    "sent": "Send",
    "unknown": None,
}


def parse_with_anymail(request: Request) -> list[Any]:
    return _anymail_view.parse_events(request)


def anymail_values(request: Request) -> Values:
    events = parse_with_anymail(request)
    recipients = [event.recipient for event in events]
    return Values(ANYMAIL_KINDS[events[0].event_type], recipients, events[0].message_id, events[0].timestamp)


_django_ses_view = SESEventWebhookView()

DJANGO_SES_SIGNALS = {
    "bounce": signals.bounce_received,
    "complaint": signals.complaint_received,
    "delivery": signals.delivery_received,
    "send": signals.send_received,
    "open": signals.open_received,
    "click": signals.click_received,
}


def parse_with_django_ses(request: Request) -> None:
    _django_ses_view.request = request
    _django_ses_view.post(request)


def django_ses_values(request: Request) -> Values | None:
    """Return the values of the signal that django-ses sends with the record's own objects; None if it sends none."""
    received: list[tuple[str, dict[str, Any]]] = []

    def receive(name: str, **arguments: Any) -> None:
        received.append((name, arguments))

    receivers = [(signal, partial(receive, name)) for name, signal in DJANGO_SES_SIGNALS.items()]
    for signal, receiver in receivers:
        signal.connect(receiver)
    parse_with_django_ses(request)
    for signal, receiver in receivers:
        signal.disconnect(receiver)
    if not received:
        return None
    [(name, arguments)] = received
    mail, body = arguments["mail_obj"], arguments[f"{name}_obj"]
    affected = body.get("bouncedRecipients") or body.get("complainedRecipients")
    recipients = [each["emailAddress"] for each in affected] if affected else body.get("recipients")
    occurred_at = datetime.fromisoformat(body.get("timestamp", mail["timestamp"]))
    return Values(name.capitalize(), recipients or mail["destination"], mail["messageId"], occurred_at)
