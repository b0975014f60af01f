"""Count very many events in a world in which everything goes wrong, and compare with an oracle that shares no code.

Events are counted in slices, each in a world of its own, so that memory is bounded by a slice however many there are.
"""

import json
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from multiprocessing import get_context
from typing import Any

from aftersend.metrics import GROUPS, OTHER_VALUES, Published
from local.ses import NOTIFICATION_TYPES, Message, SimulatedEvent, event_record, new_id, notification
from local.traffic import CountKey, ExpectedCounts
from tests.world.world import World, function_process

SLICE = 10_000
"""Events of a world."""

OBJECT_LINES, SNS_RATE, REPEATED_RATE = 400, 0.5, 0.1
"""Lines of an archive object; how much of the feedback arrives over SNS as well; how often a record is repeated."""

FAULT_RATE, KILL_RATE = 0.02, 0.2

CAMPAIGNS = ("spring", "summer", "autumn", "winter", "clearance")
PUBLISHED = Published(values={"campaign": ("spring", "summer"), "genre": ()})
"""The values of tags that have metrics; the others are added up."""

DOMAINS = ("gmail.com", "hotmail.co.uk", "aol.com", "me.com", "mail.example", "simulator.amazonses.com")

BOUNCES: tuple[dict[str, str], ...] = (
    {"bounceType": "Permanent", "bounceSubType": "General", "action": "failed", "status": "5.1.1"},
    {"bounceType": "Permanent", "bounceSubType": "General", "action": "failed", "status": "5.7.1"},
    {"bounceType": "Permanent", "bounceSubType": "NoEmail", "action": "failed", "status": "5.1.1"},
    {"bounceType": "Permanent", "bounceSubType": "Suppressed", "action": "failed", "status": "5.1.1"},
    {"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"},
    {"bounceType": "Permanent", "bounceSubType": "EmailValidationSuppressed"},
    {"bounceType": "Transient", "bounceSubType": "General"},
    {"bounceType": "Transient", "bounceSubType": "General", "action": "failed", "status": "4.4.7"},
    {"bounceType": "Transient", "bounceSubType": "MailboxFull", "action": "failed", "status": "4.2.2"},
    {"bounceType": "Transient", "bounceSubType": "ContentRejected", "action": "failed", "status": "5.6.0"},
    {"bounceType": "Transient", "bounceSubType": "CustomTimeoutExceeded", "action": "failed", "status": "4.4.7"},
    {"bounceType": "Undetermined", "bounceSubType": "Undetermined"},
)

Story = tuple[Message, list[SimulatedEvent]]


def run_slice(seed: int, number: int = SLICE) -> list[str]:
    """Count about so many events, and describe what is not as it must be."""
    world, expected = World(seed), ExpectedCounts()
    records = _deliver(world, expected, number)
    with world.answer_calls():
        assert world.counters.publish_values(Published(), PUBLISHED)
    rates = world.dynamodb.fault_rates
    rates.throttled, rates.unprocessed, rates.conflicts = FAULT_RATE / 5, FAULT_RATE, FAULT_RATE
    world.run(kill_rate=KILL_RATE)
    rates.throttled = rates.unprocessed = rates.conflicts = 0.0
    world.feedback_queue.redrive()
    world.object_queue.redrive()
    world.run()
    assert records >= number
    return [*_differences(world, expected), *_overcounted(world)]


def _differences(world: World, expected: ExpectedCounts) -> Iterator[str]:
    counts = {CountKey(*row, measure): count for (row, measure), count in world.state().counts.items()}
    for cell in sorted(counts.keys() | expected.counts.keys()):
        if counts.get(cell, 0) != expected.counts[cell]:
            yield f"{cell}: {counts.get(cell, 0)} instead of {expected.counts[cell]}"


def _overcounted(world: World) -> Iterator[str]:
    """Describe metrics that exceed the counters, and values of tags that have metrics without a place."""
    counts = world.state().counts
    for (tag, value, group), emitted in world.tag_metrics.items():
        places = PUBLISHED.values.get(tag, ())
        if value not in (*places, OTHER_VALUES):
            yield f"a metric of {tag}={value}, which has no place"
        counted = sum(
            count
            for (row, measure), count in counts.items()
            if row.tag == tag and measure in GROUPS[group]
            if row.value == value or (value == OTHER_VALUES and row.value not in places)
        )
        if emitted > counted:
            yield f"metric {group} of {tag}={value}: {emitted}, counted {counted}"


def _deliver(world: World, expected: ExpectedCounts, number: int) -> int:
    """Deliver the records of stories over both routes in any order, some repeatedly; return how many."""
    rng, lines, total = world.rng, list[str](), 0
    for message, events in _stories(rng, world.clock.now(), number):
        for event in events:
            expected.add(message, event)
            copies = _copies(message, event, rng)
            total += 1
            lines += copies * (1 + (rng.random() < REPEATED_RATE))
            if event["event"] in NOTIFICATION_TYPES and event["event"] != "Delivery" and rng.random() < SNS_RATE:
                world.publish(rng.choice(copies))
    rng.shuffle(lines)
    for number_of_object, start in enumerate(range(0, len(lines), OBJECT_LINES)):
        world.store(lines[start : start + OBJECT_LINES], f"object-{number_of_object}")
    return total


def _copies(message: Message, event: SimulatedEvent, rng: random.Random) -> list[str]:
    """Return the record as event publishing has it and, of some, as an identity notification, which has no tags."""
    copies = [json.dumps(event_record(message, event))]
    if event["event"] in NOTIFICATION_TYPES and rng.random() < SNS_RATE:
        copies.append(json.dumps(notification(message, event)))
    return copies


def _stories(rng: random.Random, now: datetime, number: int) -> Iterator[Story]:
    """Yield messages with their events until there are so many events."""
    total = 0
    while total < number:
        message = _message(rng, now)
        events = list(_events(message, rng))
        total += len(events)
        yield message, events


def _message(rng: random.Random, now: datetime) -> Message:
    sent_at = now - timedelta(seconds=rng.randrange(3_600, 6 * 86_400))
    recipients = rng.choice([1, 1, 1, 1, 2, 3])
    return Message(
        id=new_id(sent_at, rng),
        source="Moonlit Books <news@bookshop.example>",
        destination=[f"Reader-{rng.randrange(10**6)}-{n}@{rng.choice(DOMAINS)}" for n in range(recipients)],
        subject="Your next book",
        sent_at=sent_at,
        configuration_set=rng.choice(["newsletter", "receipts"]),
        tags={"campaign": [rng.choice(CAMPAIGNS)], "genre": [rng.choice(["sci-fi", "poetry"])]},
    )


def _events(message: Message, rng: random.Random) -> Iterator[SimulatedEvent]:
    """Yield what happens to a message: as much of everything as its recipients may see."""
    yield {"event": "Send"}
    if rng.random() < 0.02:
        yield {"event": rng.choice(["Reject", "Rendering Failure"])}
        return
    for recipient in message.destination:
        yield from _fate(recipient, rng)
    for number in range(rng.choice([0, 0, 1, 2, 5])):
        yield _engagement("Open", number, rng)
    for number in range(rng.choice([0, 0, 0, 1, 3])):
        yield _engagement("Click", number, rng) | {"link": f"https://bookshop.example/{number}"} | _link_tags(rng)
    if rng.random() < 0.02:
        yield {"event": "Subscription", "seconds": rng.randrange(1, 9_000)}


def _fate(recipient: str, rng: random.Random) -> Iterator[SimulatedEvent]:
    """Yield a delivery or a bounce of one recipient, and what may happen before and after it."""
    affected: dict[str, Any] = {"to": [recipient], "feedbackId": f"feedback-{rng.random()}"}
    if rng.random() < 0.1:
        yield {"event": "DeliveryDelay", "seconds": rng.randrange(1, 500), **affected}
    if rng.random() < 0.15:
        yield {"event": "Bounce", "seconds": rng.randrange(1, 90_000), **affected, **rng.choice(BOUNCES)}
        return
    yield {"event": "Delivery", "seconds": rng.choice([1, 2, 4, 29, 61, 4_000, 25_000]), **affected}
    if rng.random() < 0.05:
        kind = rng.choice(["abuse", "not-spam", "other"])
        yield {"event": "Complaint", "seconds": rng.randrange(1, 90_000), "complaintFeedbackType": kind, **affected}


def _engagement(kind: str, number: int, rng: random.Random) -> SimulatedEvent:
    agent = rng.choice([*[{}] * 5, {"isBotEvent": "Likely"}, {"userAgent": "Mozilla/5.0"}, {"userAgent": "curl/8.5"}])
    return {"event": kind, "seconds": number + 10 * rng.randrange(1, 80_000), "ipAddress": f"192.0.2.{number}", **agent}


def _link_tags(rng: random.Random) -> dict[str, Any]:
    return {"linkTags": rng.choice([None, {"position": ["top"]}, {"position": ["footer"], "unlisted": ["x"]}])}


def run_slices(events: int) -> Iterator[list[str]]:
    """Count so many events, a slice for each processor at a time; yield what is not as it must be in each slice."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as processes:
        yield from processes.map(_run_in_process, range(-(-events // SLICE)))


def _run_in_process(seed: int) -> list[str]:
    with function_process():
        return [f"slice {seed}: {line}" for line in run_slice(seed)]
