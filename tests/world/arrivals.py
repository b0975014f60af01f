"""Generate random events as SES publishes them, and deliver them as SES may: in several copies, over either route."""

import copy
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from aftersend.events import Event
from aftersend.parsing import parse
from local.ses import NOTIFICATION_TYPES, Message, event_record, new_id, notification
from tests.record_files import in_sns_envelope, setup
from tests.world.world import World

READERS = [*(f"Reader{number}@mail.example" for number in range(4)), "bounce+1@simulator.amazonses.com"]
"""The first four are people; the last is an address of the mailbox simulator."""

CAMPAIGNS = ["spring", "summer"]

HARD_BOUNCE = {"bounceType": "Permanent", "bounceSubType": "General", "action": "failed", "status": "5.1.1"}

SOFT_BOUNCE = {"bounceType": "Transient", "bounceSubType": "MailboxFull", "action": "failed", "status": "4.2.2"}

EVENT_TYPES: list[tuple[str, dict[str, Any]]] = [
    ("Send", {}),
    ("Delivery", {}),
    ("Open", {"ipAddress": "192.0.2.1"}),
    ("Open", {"ipAddress": "192.0.2.2"}),
    ("Open", {"ipAddress": "192.0.2.3", "userAgent": "Mozilla/5.0"}),
    ("Open", {"ipAddress": "192.0.2.4", "isBotEvent": "Likely"}),
    ("Open", {"ipAddress": "192.0.2.5", "userAgent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}),
    ("Click", {"link": "https://bookshop.example/1"}),
    ("Click", {"link": "https://bookshop.example/1", "userAgent": "python-requests/2.32.3"}),
    ("DeliveryDelay", {}),
    ("Subscription", {}),
    ("Rendering Failure", {}),
    ("Bounce", HARD_BOUNCE | {"diagnosticCode": "smtp; 550"}),
    ("Bounce", HARD_BOUNCE | {"status": "5.7.1"}),
    ("Bounce", {"bounceType": "Transient", "bounceSubType": "General"}),
    ("Bounce", {"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"}),
    ("Bounce", {"bounceType": "Permanent", "bounceSubType": "EmailValidationSuppressed"}),
    ("Bounce", SOFT_BOUNCE),
    ("Complaint", {"complaintFeedbackType": "abuse"}),
    ("Complaint", {"complaintFeedbackType": "not-spam"}),
]
"""Event types with details that lead to different counts and entries: opens and clicks by people and by machines."""

HEADERS = [
    {"name": "X-Campaign", "value": "of a header"},
    {"name": "X-SES-MESSAGE-TAGS", "value": "genre=of-a-header, season=summer, region=north"},
]
"""Headers whose tags differ from those that event publishing names, and are more of the sender's own."""

DECISIVE = [
    ("Bounce", HARD_BOUNCE),
    ("Complaint", {"complaintFeedbackType": "abuse"}),
    ("Complaint", {"complaintFeedbackType": "not-spam"}),
]

OPTIONAL_FIELDS = (
    "headers",
    "commonHeaders",
    "headersTruncated",
    "sourceIp",
    "callerIdentity",
    "sendingAccountId",
    "sourceArn",
    "diagnosticCode",
    "reportingMTA",
    "remoteMtaIp",
    "userAgent",
    "arrivalDate",
    "processingTimeMillis",
)
"""Fields that a copy may lack without becoming another event; an open or click needs its `userAgent`, however."""


TIMES_NOT_IN_KEYS = ("bounce", "complaint", "delivery")
"""Parts of a record whose time differs between copies of one event, or is missing."""

OTHER_SOURCE = "bounces@mail.bookshop.example"
"""The envelope sender with a custom MAIL FROM domain: identity notifications may name it, of another domain."""


@dataclass
class PublishedEvent:
    """One event and the copies it may arrive in."""

    copies: list[str]
    """Records as JSON. The first two are event publishing's; identity notifications may follow."""


def a_message(rng: random.Random, now: datetime) -> Message:
    sent_at = now - timedelta(hours=rng.randrange(1, 30))
    return Message(
        id=new_id(sent_at, rng),
        source="Moonlit Books <news@bookshop.example>",
        destination=rng.sample(READERS, rng.choice([1, 1, 1, 2, 3])),
        subject="Your next book",
        sent_at=sent_at,
        configuration_set="newsletter",
        tags={"campaign": [rng.choice(CAMPAIGNS)], "genre": ["sci-fi"]},
        headers=HEADERS,
    )


def a_record(world: World, kind: str, **details: Any) -> dict[str, Any]:
    """Return a record of event publishing about a new message to the first of the readers."""
    message = a_message(world.rng, world.clock.now())
    message.destination[:] = [READERS[0]]
    return event_record(message, {"event": kind, "feedbackId": str(world.rng.random()), **details})


def a_published_event(rng: random.Random, message: Message, *, sent_at_missing: float = 0.0) -> PublishedEvent:
    kind, details = rng.choice(EVENT_TYPES)
    event: dict[str, Any] = {"event": kind, "seconds": rng.randrange(1, 5000), **details}
    event["feedbackId"] = f"feedback-{rng.random()}"
    if kind == "Delivery":  # of one message and recipient there is one
        event["seconds"] = 1 + 37 * sum(map(ord, message.id)) % 5000
    if rng.random() < 0.5:
        event["to"] = rng.sample(message.destination, rng.randint(1, len(message.destination)))
    records = [event_record(message, event)] * 2
    if kind in NOTIFICATION_TYPES:
        records += [notification(message, event, with_headers=True)] * 2
    others = [_rewrite(_vary(copy.deepcopy(record), rng, sent_at_missing), rng) for record in records[1:]]
    return PublishedEvent([json.dumps(records[0]), *others])


def published_events(
    rng: random.Random, now: datetime, number: int, *, sent_at_missing: float = 0.0
) -> list[PublishedEvent]:
    """Return events about a few messages; of `sent_at_missing` of the further copies the time of sending is missing."""
    messages = [a_message(rng, now) for _ in range(max(1, number // 4))]
    return [a_published_event(rng, rng.choice(messages), sent_at_missing=sent_at_missing) for _ in range(number)]


def _vary(record: dict[str, Any], rng: random.Random, sent_at_missing: float) -> dict[str, Any]:
    """Change what one event's copies may differ in, and what is counted depends on: counts move when the richer copy
    comes later. Of volume only what makes a copy incomplete, for of complete copies the last one counts."""
    mail, is_feedback = record["mail"], "bounce" in record or "complaint" in record
    if "tags" not in mail and rng.random() < 0.5:
        mail["source"] = OTHER_SOURCE
    if "tags" in mail and rng.random() < 0.2:
        del mail["source"], mail["tags"]["ses:from-domain"]
    if "tags" in mail and is_feedback and rng.random() < 0.2:
        del mail["tags"]["campaign"]
    if rng.random() < sent_at_missing:
        del mail["timestamp"]
    is_complete = "tags" in mail and ("source" in mail or "ses:from-domain" in mail["tags"]) and "timestamp" in mail
    for part in TIMES_NOT_IN_KEYS:
        if part == "delivery" and is_complete:  # volume: of complete copies the last one counts, and so does its time
            continue
        if part in record and rng.random() < 0.2:
            del record[part]["timestamp"]
        elif part in record and rng.random() < 0.2:
            moment = datetime.fromisoformat(record[part]["timestamp"]) + timedelta(days=rng.choice([1, 3, 40]))
            record[part]["timestamp"] = moment.isoformat()
    return record


def deliver(world: World, events: list[PublishedEvent], *, poison: bool = True) -> list[str]:
    """Deliver every event over one route or both, in some of its copies, some of them repeated, in any order.

    With poison, payloads that cannot be parsed are among them. Returns all payloads.
    """
    payloads = [copy for event in events for copy in _some_copies(event, world.rng)]
    payloads += [setup("topic-validation.txt"), setup("subscription-succeeded.json")]
    payloads += ["no record", '{"eventType": "Bounce"}'] if poison else []
    world.rng.shuffle(payloads)
    for number, payload in enumerate(payloads):
        match world.rng.randrange(4):
            case 0:
                world.publish(payload)
            case 1:
                world.publish(in_sns_envelope(payload))
            case _:
                lines = [payload, *world.rng.sample(payloads, world.rng.randrange(3))]
                world.store(lines, f"object-{number}")
    return payloads


def _some_copies(event: PublishedEvent, rng: random.Random) -> list[str]:
    """Choose copies, at least one of event publishing: identity notifications alone have no tags of SES's own."""
    others = rng.choices(event.copies, k=rng.randrange(4))
    return [rng.choice(event.copies[:2]), *others]


def _rewrite(record: dict[str, Any], rng: random.Random) -> str:
    """Write the same record differently: some optional fields dropped, fields reordered, times reformatted."""
    needs_user_agent = "open" in record or "click" in record  # it distinguishes one open from another
    optional = [name for name in OPTIONAL_FIELDS if not (name == "userAgent" and needs_user_agent)]
    dropped = {name for name in optional if rng.random() < 0.3}

    def rewrite(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            fields = [(key, field) for key, field in value.items() if key not in dropped]
            return {key: rewrite(field, key) for key, field in rng.sample(fields, len(fields))}
        if isinstance(value, list):
            return [rewrite(element) for element in value]
        return _reformat(value, rng) if name in ("timestamp", "expirationTime") else value

    return json.dumps(rewrite(record))


def _reformat(time: str, rng: random.Random) -> str:
    moment = datetime.fromisoformat(time)
    offset = timedelta(hours=rng.choice([0, 0, 1, -5]))
    return rng.choice(
        [
            time,
            moment.isoformat(timespec="microseconds"),
            moment.astimezone(timezone(offset)).isoformat(timespec="milliseconds"),
            time.removesuffix("Z") + "000Z",
        ]
    )


def decisive_events(
    world: World, number: int, kinds: Sequence[tuple[str, dict[str, str]]] = DECISIVE, within_days: float = 0.01
) -> list[Event]:
    """Return events that decide about the reader, on messages of their own, and so many days after they were sent."""
    payloads = []
    for kind, details in world.rng.choices(kinds, k=number):
        seconds = world.rng.randrange(1, int(within_days * 86_400))
        payloads.append(json.dumps(a_record(world, kind, seconds=seconds, **details)))
    results = [result for payload in payloads for result in parse(payload)]
    return [event for result in results if isinstance(result, list) for event in result]
