"""Facts drawn at random, and the copies they may arrive in: both shapes, differently written, over either route."""

import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from local.ses import NOTIFICATION_TYPES, Message, SimulatedEvent, event_record, new_id, notification
from tests.record_files import in_sns_envelope, setup
from tests.world.world import World

READERS = [f"Reader{number}@mail.example" for number in range(4)]
CAMPAIGNS = ["spring", "summer"]

OPTIONAL = (
    "headers",
    "commonHeaders",
    "headersTruncated",
    "sourceIp",
    "callerIdentity",
    "sendingAccountId",
    "sourceArn",
)
OPTIONAL += ("diagnosticCode", "reportingMTA", "remoteMtaIp", "userAgent", "arrivalDate", "processingTimeMillis")
"""Fields that may be missing from a copy; none of them tells two facts apart (but an open's agent: see below)."""


@dataclass
class Fact:
    """What happened, in every copy in which it may be told."""

    copies: list[str]
    """Payloads; the first is event publishing's own."""


def a_fact(draw: random.Random, message: Message) -> Fact:
    kind, details = draw.choice(HAPPENINGS)
    outcome: SimulatedEvent = {
        "event": kind,
        "seconds": draw.randrange(1, 5000),
        "feedbackId": f"feedback-{draw.random()}",
        **details,
    }
    if draw.random() < 0.5:
        outcome["to"] = draw.sample(message.destination, draw.randint(1, len(message.destination)))
    records = [event_record(message, outcome)] * 2
    if kind in NOTIFICATION_TYPES:
        records += [notification(message, outcome)] * 2
    return Fact([json.dumps(records[0]), *(_rewritten(record, draw) for record in records[1:])])


HAPPENINGS: list[tuple[str, dict[str, Any]]] = [
    ("Send", {}),
    ("Delivery", {}),
    ("Open", {"ipAddress": "192.0.2.1"}),
    ("Open", {"ipAddress": "192.0.2.2"}),
    ("Click", {"link": "https://bookshop.example/1"}),
    ("DeliveryDelay", {}),
    ("Subscription", {}),
    ("Rendering Failure", {}),
    (
        "Bounce",
        {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550",
        },
    ),
    ("Bounce", {"bounceType": "Permanent", "bounceSubType": "General", "action": "failed", "status": "5.7.1"}),
    ("Bounce", {"bounceType": "Transient", "bounceSubType": "General"}),
    ("Bounce", {"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"}),
    ("Complaint", {"complaintFeedbackType": "abuse"}),
    ("Complaint", {"complaintFeedbackType": "not-spam"}),
]


def a_message(draw: random.Random, now: datetime) -> Message:
    sent_at = now - timedelta(hours=draw.randrange(1, 30))
    return Message(
        id=new_id(sent_at, draw),
        source="Moonlit Books <news@bookshop.example>",
        destination=draw.sample(READERS, draw.choice([1, 1, 1, 2, 3])),
        subject="Your next book",
        sent_at=sent_at,
        configuration_set="newsletter",
        tags={"campaign": [draw.choice(CAMPAIGNS)], "genre": ["sci-fi"]},
    )


def facts(draw: random.Random, now: datetime, number: int) -> list[Fact]:
    messages = [a_message(draw, now) for _ in range(max(1, number // 4))]
    return [a_fact(draw, draw.choice(messages)) for _ in range(number)]


def tell(world: World, told: list[Fact], *, poison: bool = True) -> list[str]:
    """Every fact arrives, over either route or both, in some of its copies, in any order, some of them several times.

    Returns what was delivered.
    """
    deliveries = [copy for fact in told for copy in _delivered(fact, world.draw)]
    deliveries += [setup("topic-validation.txt"), setup("subscription-succeeded.json")]
    deliveries += ["no record", '{"eventType": "Bounce"}'] if poison else []
    world.draw.shuffle(deliveries)
    for number, payload in enumerate(deliveries):
        match world.draw.randrange(4):
            case 0:
                world.publish(payload)
            case 1:
                world.publish(in_sns_envelope(payload))
            case _:
                world.store([payload, *world.draw.sample(deliveries, world.draw.randrange(3))], f"object-{number}")
    return deliveries


def _delivered(fact: Fact, draw: random.Random) -> list[str]:
    """Some of a fact's copies, at least one of event publishing: identity notifications alone bear no tags."""
    others = draw.choices(fact.copies, k=draw.randrange(4))
    return [draw.choice(fact.copies[:2]), *others]


def _rewritten(record: dict[str, Any], draw: random.Random) -> str:
    """The same fact, written differently: without some optional fields, times in another format and fraction."""
    keeps_agent = "open" in record or "click" in record  # there the agent tells one open from another

    def rewrite(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            kept = {key: held for key, held in value.items() if key not in left_out}
            return {key: rewrite(held, key) for key, held in draw.sample(list(kept.items()), len(kept))}
        if isinstance(value, list):
            return [rewrite(element) for element in value]
        return _another_format(value, draw) if name in ("timestamp", "expirationTime") else value

    left_out = {name for name in OPTIONAL if draw.random() < 0.3 and not (name == "userAgent" and keeps_agent)}
    return json.dumps(rewrite(record))


def _another_format(time: str, draw: random.Random) -> str:
    moment = datetime.fromisoformat(time)
    offset = timedelta(hours=draw.choice([0, 0, 1, -5]))
    return draw.choice(
        [
            time,
            moment.isoformat(timespec="microseconds"),
            moment.astimezone(timezone(offset)).isoformat(timespec="milliseconds"),
            time.removesuffix("Z") + "000Z",
        ]
    )
