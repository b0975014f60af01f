"""Update the per-tag counters from the changes in the ledger's stream. Triggered by the stream, one shard at a time."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from aftersend import ledger
from aftersend.aws.attempts import Attempts, attempts
from aftersend.aws.counters_table import CheckpointMoved, CountersTable
from aftersend.aws.serialization import deserialize
from aftersend.contract import Variable
from aftersend.counting import SLOTS, Change, Counted, Counts, commits, contributions, difference, pad_sequence_number
from aftersend.metrics import emf_documents
from lambdas import dependencies
from lambdas.dependencies import logger
from lambdas.settings import setting, text_setting

ONLY_SHARD = "the-only-shard"
"""Used where Lambda names no shard, as in the emulator; AWS names it because the event source mapping has a window."""

CHECKPOINT_ATTEMPTS = 5


class CheckpointContention(Exception):
    """Other invocations kept counting the same shard; counting again later is safe."""


def handler(
    event: dict[str, Any],
    _context: object = None,
    *,
    counters: CountersTable | None = None,
    emit_metric: Callable[[dict[str, Any]], None] = dependencies.emit_metric,
    attempts: Attempts = attempts,
) -> dict[str, Any]:
    """Count a batch of the ledger's stream and emit totals per configuration set as metrics."""
    changes = list(stream_changes(event["Records"], setting(Variable.COUNTED, Counted)))
    counts = count(changes, event.get("shardId", ONLY_SHARD), counters or dependencies.counters(), attempts)
    for document in emf_documents(counts, text_setting(Variable.ENVIRONMENT), datetime.now(UTC)):
        emit_metric(document)
    logger.info("Counted a batch of changes.", extra={"records": len(event["Records"]), "moved": len(counts)})
    return {"state": {}}  # the window's own state is not used: the checkpoints show what was counted


def stream_changes(records: Iterable[dict[str, Any]], counted: Counted) -> Iterator[Change]:
    """Return how each stream record changes the counts. Removals change nothing: expiry does not subtract."""
    for record in records:
        if record["eventName"] in ("INSERT", "MODIFY"):
            item = record["dynamodb"]
            new, old = (
                contributions(ledger.event_from_attributes(deserialize(image)), counted) if image else Counter()
                for image in (item["NewImage"], item.get("OldImage"))
            )
            yield Change(pad_sequence_number(item["SequenceNumber"]), difference(new, old))


def count(changes: list[Change], shard: str, counters: CountersTable, attempts: Attempts = attempts) -> Counts:
    """Count the changes that were not counted yet and return what was counted.

    Safe to interrupt at any point: the counts of a slot are committed together with the checkpoint they reach.
    """
    total: Counts = Counter()
    if not changes:
        return total
    for _ in attempts(CHECKPOINT_ATTEMPTS):
        try:
            for counts in _count_slots(changes, shard, counters):
                total.update(counts)
            return total
        except CheckpointMoved:
            continue
    raise CheckpointContention(f"The checkpoints of the shard moved in each of {CHECKPOINT_ATTEMPTS} attempts.")


def _count_slots(changes: list[Change], shard: str, counters: CountersTable) -> Iterator[Counts]:
    """Commit the counts of each slot after its checkpoint; return each commit's counts."""
    checkpoints = counters.checkpoints(shard)
    for slot in range(SLOTS):
        checkpoint = checkpoints.get(slot)
        for commit in commits(changes, slot, checkpoint or ""):
            counters.commit(shard, slot, checkpoint, commit.checkpoint, commit.counts)
            checkpoint = commit.checkpoint
            yield commit.counts
