"""Moves the per-tag counters by what the ledger's stream says is new. Triggered by the stream, a shard at a time."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from aftersend import ledger
from aftersend.aws.clients import attempts, client
from aftersend.aws.counters_table import CheckpointMoved, CountersTable
from aftersend.aws.serialization import deserialize
from aftersend.counting import SLOTS, Change, Counted, Counts, commits, contributions, difference, pad_sequence_number
from aftersend.metrics import emf_documents
from lambdas.dependencies import logger
from lambdas.settings import setting, text_setting

ONLY_SHARD = "the-only-shard"
"""Stands in where Lambda names no shard, as the emulator does; AWS names it because the mapping has a window."""

CHECKPOINT_ATTEMPTS = 5


class CheckpointContention(Exception):
    """Another invocation kept counting the same shard; what is left is safe to try again."""


@cache
def table() -> CountersTable:
    return CountersTable(
        client("dynamodb"),
        text_setting("COUNTERS_TABLE"),
        kept_days=setting("RETENTION", ledger.Retention).counters_days,
        shard_suffixes=setting("COUNTER_SHARDS", int),
    )


def handler(
    event: dict[str, Any],
    _context: object = None,
    *,
    counters: CountersTable | None = None,
    emit_metric: Callable[[str], None] = print,
) -> dict[str, Any]:
    """`emit_metric` is how CloudWatch hears of metrics."""
    new = list(changes(event["Records"], setting("COUNTED", Counted)))
    counted = count(new, event.get("shardId", ONLY_SHARD), counters or table())
    for document in emf_documents(counted, text_setting("ENVIRONMENT"), datetime.now(UTC)):
        emit_metric(msgspec.json.encode(document).decode())
    logger.info("batch done", extra={"records": len(event["Records"]), "moved": len(counted)})
    return {"state": {}}  # the window's own state is not used: what was counted is known by the checkpoints


def changes(records: Iterable[dict[str, Any]], counted: Counted) -> Iterator[Change]:
    """What each record of the stream changes. Removals change nothing: expiry and erasure do not subtract."""
    for record in records:
        if record["eventName"] in ("INSERT", "MODIFY"):
            found = record["dynamodb"]
            new, old = (
                contributions(ledger.event_from_attributes(deserialize(image)), counted) if image else Counter()
                for image in (found["NewImage"], found.get("OldImage"))
            )
            yield Change(pad_sequence_number(found["SequenceNumber"]), difference(new, old))


def count(changes: list[Change], shard: str, counters: CountersTable) -> Counts:
    """Count what was not counted yet; what was counted, for the metrics.

    Safe to stop at any point: the counts of a slot are committed together with the position they reach.
    """
    total: Counts = Counter()
    if not changes:
        return total
    for _ in attempts(CHECKPOINT_ATTEMPTS):
        try:
            for committed in _count_from(counters.checkpoints(shard), changes, shard, counters):
                total.update(committed)
            return total
        except CheckpointMoved:
            continue
    raise CheckpointContention(f"The checkpoints of the shard moved under {CHECKPOINT_ATTEMPTS} attempts.")


def _count_from(
    checkpoints: dict[int, str], changes: list[Change], shard: str, counters: CountersTable
) -> Iterator[Counts]:
    for slot in range(SLOTS):
        reached = checkpoints.get(slot)
        for commit in commits(changes, slot, reached or ""):
            counters.commit(shard, slot, reached, commit.checkpoint, commit.counts)
            reached = commit.checkpoint
            yield commit.counts
