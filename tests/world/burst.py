"""Let thousands of recipients bounce at once, as after a mailing to an old list. None may stay unsuppressed."""

import json
from collections.abc import Iterator

from aftersend.aws.suppressions_table import SuppressionsTable
from local.ses import Message, event_record, new_id
from tests.world.arrivals import HARD_BOUNCE
from tests.world.calls import CLIENTS
from tests.world.queues import VISIBILITY_TIMEOUT
from tests.world.world import Kill, World

BATCH = 10
"""Messages that an invocation of record_feedback gets."""

KILL_RATE, REPEATED_RATE, THROTTLED_RATE = 0.1, 0.05, 0.02
"""How often an invocation is killed, a message is delivered twice, and DynamoDB throttles a request."""

STEPS_PER_BATCH = 100
"""Far more invocations than any run takes."""


def lost_in_burst(number: int, seed: int) -> tuple[set[str], World]:
    """Publish so many bounces at one moment, and return the recipients who are not suppressed at the end."""
    world = World(seed)
    world.dynamodb.fault_rates.throttled = THROTTLED_RATE
    recipients = {f"reader-{each}@mail.example" for each in range(number)}
    for payload in _bounces(world, sorted(recipients)):
        for _ in range(1 + (world.rng.random() < REPEATED_RATE)):
            world.publish(payload)
    _drain(world, number)
    with world.answer_calls():
        entries = list(SuppressionsTable(CLIENTS["dynamodb"], "suppressions").entries())
    return recipients - {entry.recipient for entry in entries if entry.is_in_force(world.clock.now())}, world


def _bounces(world: World, recipients: list[str]) -> Iterator[str]:
    sent_at = world.clock.now()
    world.clock.advance(minutes=1)
    for recipient in recipients:
        message = Message(
            id=new_id(sent_at, world.rng),
            source="news@bookshop.example",
            destination=[recipient],
            subject="Your next book",
            sent_at=sent_at,
            configuration_set="newsletter",
            tags={"campaign": ["spring"]},
        )
        yield json.dumps(
            event_record(message, {"event": "Bounce", "seconds": 1, "feedbackId": recipient, **HARD_BOUNCE})
        )


def _drain(world: World, number: int) -> None:
    """Invoke record_feedback until the queue is empty; dead letters are redriven."""
    queue = world.feedback_queue
    for _ in range(STEPS_PER_BATCH * (1 + number // BATCH)):
        if world.rng.random() < KILL_RATE:
            world.kill = Kill("record_feedback", world.rng.randrange(5 * BATCH), world.rng.random() < 0.5)
        world.feedback_mapping.step(limit=BATCH)
        world.clock.advance(seconds=1)
        if not any(message.visible_at <= world.clock.now() for message in queue.messages):
            queue.redrive()
            world.clock.moment += VISIBILITY_TIMEOUT
        if world.feedback_mapping.is_done() and not queue.dead_letters:
            return
    raise AssertionError("Messages are left.")
