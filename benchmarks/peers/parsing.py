"""Reading, beside django-anymail's and django-ses's, over every record of tests/events: whether we agree, and how fast.

    make benchmark

Each reader's own code runs as it does in production, with the checks of signatures off. The others read what Amazon SNS
posts to them, an envelope around the record; Aftersend's topic delivers raw, so it has a figure for either. The floor
is what no Python reader can go below without leaving fields out: typed decoding, and an event made for each recipient
right where it is decoded.
"""

import argparse
import gc
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import django
import msgspec
from django.conf import settings

from aftersend.events import Event, Kind
from aftersend.parsing import ses_schema
from aftersend.parsing.parser import parse
from tests.record_files import RECORD_FILES, in_sns_envelope

settings.configure(AWS_SES_VERIFY_EVENT_SIGNATURES=False, ANYMAIL={"WEBHOOK_SECRET": "name:secret"})
django.setup()
logging.disable()  # django-ses logs every record; that is no part of reading

from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView  # noqa: E402 (Django must be configured before)
from django_ses import signals  # noqa: E402 (as well)
from django_ses.views import SESEventWebhookView  # noqa: E402 (as well)

RECORDS = {f"{file.parent.name}/{file.stem}": json.dumps(json.loads(file.read_bytes())) for file in RECORD_FILES}
ENVELOPED = {name: in_sns_envelope(record) for name, record in RECORDS.items()}

AT_LEAST = {"django-anymail": 3.0, "django-ses": 4.0}
"""How many times as fast as theirs ours has to be, each in the form it gets."""
AT_MOST_OF_THE_FLOOR = 1.6
RAW = "Aftersend, raw"


class Said(NamedTuple):
    """What a reader says of a record. What it does not tell is None."""

    kind: str | None
    recipients: list[str] | None
    message_id: str | None
    at: datetime | None


Request = SimpleNamespace


def ours(request: Request) -> list[Any]:
    return parse(request.body)


def said_by_us(request: Request) -> Said:
    [events] = parse(request.body)
    assert isinstance(events, list)
    recipients = [event.recipient_raw or event.recipient or "" for event in events]
    return Said(events[0].kind, recipients, events[0].message_id, events[0].occurred_at)


anymail_view = AmazonSESTrackingWebhookView()

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


def anymail(request: Request) -> list[Any]:
    return anymail_view.parse_events(request)


def said_by_anymail(request: Request) -> Said:
    events = anymail(request)
    return Said(
        ANYMAIL_KINDS[events[0].event_type],
        [event.recipient for event in events],
        events[0].message_id,
        events[0].timestamp,
    )


django_ses_view = SESEventWebhookView()

DJANGO_SES_SIGNALS = {
    "bounce": signals.bounce_received,
    "complaint": signals.complaint_received,
    "delivery": signals.delivery_received,
    "send": signals.send_received,
    "open": signals.open_received,
    "click": signals.click_received,
}


def django_ses(request: Request) -> None:
    django_ses_view.request = request
    django_ses_view.post(request)


def said_by_django_ses(request: Request) -> Said | None:
    """It hands the record's own objects on; recipients and time are where the documentation of SES has them."""
    heard: list[tuple[str, dict[str, Any]]] = []

    def hear(name: str, **given: Any) -> None:
        heard.append((name, given))

    hearing = [partial(hear, name) for name in DJANGO_SES_SIGNALS]
    for signal, receiver in zip(DJANGO_SES_SIGNALS.values(), hearing, strict=True):
        signal.connect(receiver)
    django_ses(request)
    for signal, receiver in zip(DJANGO_SES_SIGNALS.values(), hearing, strict=True):
        signal.disconnect(receiver)
    if not heard:
        return None
    [(name, given)] = heard
    mail, body = given["mail_obj"], given[f"{name}_obj"]
    affected = body.get("bouncedRecipients") or body.get("complainedRecipients")
    recipients = [each["emailAddress"] for each in affected] if affected else body.get("recipients")
    at = body.get("timestamp", mail["timestamp"])
    return Said(name.capitalize(), recipients or mail["destination"], mail["messageId"], datetime.fromisoformat(at))


_envelope = msgspec.json.Decoder(ses_schema.Record).decode
_record = msgspec.json.Decoder(ses_schema.Record).decode


def floor(request: Request) -> list[Event]:
    """Everything in one place: no other shape than this one, no wrong type, no forward, no doubtful clock."""
    record = _record(_envelope(request.body).sns_message or "")
    mail = record.mail
    assert mail
    kind = record.event_type or record.notification_type or ""
    destination = mail.destination or []
    details: dict[str, Any] = {}
    at = mail.timestamp
    recipients: list[Any] = list(destination)
    if kind == Kind.BOUNCE and (bounce := record.bounce):
        at, recipients = bounce.timestamp, [each.email_address for each in bounce.bounced_recipients or ()]
        first = (bounce.bounced_recipients or [ses_schema.AffectedRecipient()])[0]
        details = {
            "bounce_type": bounce.bounce_type,
            "bounce_subtype": bounce.bounce_sub_type,
            "action": first.action,
            "status": first.status,
            "diagnostic_code": first.diagnostic_code,
            "feedback_id": bounce.feedback_id,
        }
    elif kind == Kind.COMPLAINT and (complaint := record.complaint):
        at, recipients = complaint.timestamp, [each.email_address for each in complaint.complained_recipients or ()]
        details = {
            "feedback_type": complaint.complaint_feedback_type,
            "complaint_subtype": complaint.complaint_sub_type,
            "user_agent": complaint.user_agent,
            "feedback_id": complaint.feedback_id,
        }
    elif kind == Kind.DELIVERY and (delivery := record.delivery):
        at, recipients = delivery.timestamp, list(delivery.recipients or ())
        details = {"processing_time_millis": delivery.processing_time_millis, "smtp_response": delivery.smtp_response}
    elif kind == Kind.DELIVERY_DELAY and (delay := record.delivery_delay):
        at, recipients = delay.timestamp, [each.email_address for each in delay.delayed_recipients or ()]
        first = (delay.delayed_recipients or [ses_schema.AffectedRecipient()])[0]
        details = {
            "status": first.status,
            "diagnostic_code": first.diagnostic_code,
            "delay_type": delay.delay_type,
            "delay_expires_at": delay.expiration_time,
        }
    elif kind == Kind.REJECT and record.reject:
        details = {"reject_reason": record.reject.reason}
    elif kind == Kind.RENDERING_FAILURE and record.failure:
        details = {"template_name": record.failure.template_name, "error_message": record.failure.error_message}
    elif kind == Kind.OPEN and (opened := record.open):
        at = opened.timestamp
        details = {
            "ip_address": opened.ip_address,
            "user_agent": opened.user_agent,
            "bot_likelihood": opened.is_bot_event,
        }
    elif kind == Kind.CLICK and (clicked := record.click):
        at = clicked.timestamp
        details = {
            "ip_address": clicked.ip_address,
            "user_agent": clicked.user_agent,
            "bot_likelihood": clicked.is_bot_event,
            "link": clicked.link,
            "link_tags": clicked.link_tags,
        }
    elif kind == Kind.SUBSCRIPTION and (subscription := record.subscription):
        at = subscription.timestamp
        details = {"contact_list": subscription.contact_list, "subscription_source": subscription.source}
    return [
        Event(
            kind=kind,
            message_id=mail.message_id,
            sent_at=mail.timestamp,
            occurred_at=at,
            recipient=recipient.lower() if recipient else None,
            recipient_raw=recipient,
            source=mail.source or "",
            tags=mail.tags or {},
            **details,
        )
        for recipient in recipients
    ]


def reason_for_difference(peer: str, part: str) -> str | None:
    """Why a peer says something else than we do; None where nobody has looked into it."""
    if peer == "django-anymail" and part == "at":
        return "it takes the time Amazon SNS passed the message on; SES's own time of the event is in the record"
    if peer == "django-anymail" and part == "kind":
        return "it does not know the type and calls it unknown"
    if peer == "django-ses" and part == "record":
        return "it knows six types, and drops the others with a line in the log"
    return None


def compare() -> int:
    """Prints each difference with its reason; returns how many have none."""
    unexplained, agreed = 0, 0
    found: dict[tuple[str, str, str], list[str]] = {}
    for name, body in ENVELOPED.items():
        mine = said_by_us(_request(body))
        for peer, says in (("django-anymail", said_by_anymail), ("django-ses", said_by_django_ses)):
            theirs = says(_request(body))
            if theirs is None:
                parts = ["record"]
            else:
                parts = [part for part in Said._fields if getattr(mine, part) != getattr(theirs, part)]
                agreed += len(Said._fields) - len(parts)
            for part in parts:
                reason = reason_for_difference(peer, part)
                unexplained += reason is None
                found.setdefault((peer, part, reason or "UNEXPLAINED"), []).append(name)
    print(f"Agreement on {len(RECORDS)} records: {agreed} values are the same. The others:")
    for (peer, part, reason), names in found.items():
        print(f"  {peer}, {part}: {reason}\n    {', '.join(names)}")
    return unexplained


def _request(body: str) -> Request:
    return Request(body=body.encode(), encoding=None, META={})


def measure(rounds: int, repetitions: int) -> dict[str, float]:
    """Median seconds a record by reader; all take turns within each round, so that a slow moment is everybody's."""
    readers: dict[str, Callable[[Request], Any]] = {
        RAW: ours,
        "Aftersend": ours,
        "the floor": floor,
        "django-anymail": anymail,
        "django-ses": django_ses,
    }
    taken: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(rounds):
        for name, reader in readers.items():
            given = RECORDS if name == RAW else ENVELOPED
            requests = [_request(body) for body in given.values() for _ in range(repetitions)]
            gc.collect()
            started = time.perf_counter()
            for request in requests:
                reader(request)
            taken[name].append((time.perf_counter() - started) / len(requests))
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description="Reads tests/events beside other projects' readers.")
    parser.add_argument("--rounds", type=int, default=15, help="rounds in which all readers take turns (15)")
    parser.add_argument("--repetitions", type=int, default=100, help="times a round reads each record (100)")
    arguments = parser.parse_args()
    unexplained = compare()
    taken = measure(arguments.rounds, arguments.repetitions)
    print(f"\nSpeed, on Python {sys.version.split()[0]}: the median of {arguments.rounds} rounds")
    for name, seconds in sorted(taken.items(), key=lambda each: each[1]):
        print(f"  {name:<16}{seconds * 1e6:7.1f} µs a record")
    print()
    missed = 0
    for peer, least in AT_LEAST.items():
        raw, enveloped = (taken[peer] / taken[name] for name in (RAW, "Aftersend"))
        missed += raw < least
        print(f"  {raw:.1f} times as fast as {peer} (wanted: at least {least:g}); of an envelope {enveloped:.1f} times")
    of_the_floor = taken["Aftersend"] / taken["the floor"]
    print(f"  {of_the_floor:.2f} times the floor's time (wanted: at most {AT_MOST_OF_THE_FLOOR:g})")
    missed += of_the_floor > AT_MOST_OF_THE_FLOOR
    if unexplained:
        print(f"\n{unexplained} differences have no reason.")
    return 1 if unexplained or missed else 0


if __name__ == "__main__":
    sys.exit(main())
