"""Update the per-tag counters from the changes in the ledger's stream. Triggered by the stream, one shard at a time.

Whatever fails is raised, so that Lambda retries the batch until the stream drops it. Only a record that cannot be
decoded is left out: it would fail however often it is retried, and hold up its shard all the while.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from aftersend import ledger
from aftersend.aws.attempts import Attempts, attempts
from aftersend.aws.counters_table import CheckpointMoved, CountersTable
from aftersend.aws.ledger_image import countable_event
from aftersend.contract import ONLY_SHARD, PARTITION_KEY, UNCOUNTABLE_RECORDS, Variable
from aftersend.counting import START, Change, Counted, Counts, commits, contributions, difference, pad_sequence_number
from aftersend.events import Event
from aftersend.metrics import Changes, add_increases, decreases, emf_documents, metric_changes
from lambdas import counting, dependencies
from lambdas.dependencies import logger
from lambdas.settings import is_set, setting, text_setting

CHECKPOINT_ATTEMPTS = 5

Record = dict[str, Any]


class CheckpointContention(Exception):
    """Other invocations kept counting the same shard; counting again later is safe."""


class UnnamedShard(Exception):
    """Lambda named no shard: under one name for all, checkpoints of one shard would hide the records of another."""


class Undecodable(Exception):
    """An image in the stream is not the item of an event."""


class StreamChanges(NamedTuple):
    """Hold what a batch changes, and the records that can never be counted because they cannot be decoded."""

    changes: list[Change]
    undecodable: list[Record]


def handler(
    event: dict[str, Any],
    _context: object = None,
    *,
    counters: CountersTable | None = None,
    emit_metric: Callable[[dict[str, Any]], None] = dependencies.emit_metric,
    attempts: Attempts = attempts,
) -> dict[str, Any]:
    """Count a batch of the ledger's stream and emit what configuration sets and tag values add up to as metrics."""
    changes, undecodable = stream_changes(event["Records"], setting(Variable.COUNTED, Counted))
    counted = count(changes, _shard(event), counters or counting.counters(), attempts, partial(_emit, emit_metric))
    if undecodable:
        keys = [ledger.digest(record["dynamodb"].get("Keys")) for record in undecodable]
        logger.error("Records cannot be decoded and were not counted.", extra={"keys": keys})
        emit_metric(dependencies.environment_document({UNCOUNTABLE_RECORDS: len(keys)}))
    logger.info("Counted a batch of changes.", extra={"records": len(event["Records"]), "moved": counted})
    return {"state": {}}  # the window's own state is not used: the checkpoints show what was counted


def _emit(emit_metric: Callable[[dict[str, Any]], None], changes: Changes) -> None:
    for document in emf_documents(changes, text_setting(Variable.ENVIRONMENT), datetime.now(UTC)):
        emit_metric(document)


def _shard(event: dict[str, Any]) -> str:
    if shard := event.get("shardId"):
        return shard
    if is_set(Variable.EMULATED):
        return ONLY_SHARD
    raise UnnamedShard("The batch has no shardId. Does the event source mapping have a tumbling window?")


def stream_changes(records: list[Record], counted: Counted) -> StreamChanges:
    """Return how the stream records change the counts. Removals change nothing: expiry does not subtract."""
    result = StreamChanges([], [])
    for record in records:
        if record["eventName"] not in ("INSERT", "MODIFY"):
            continue
        item = record["dynamodb"]
        try:
            new, old = (_contributions(image, counted) for image in (item["NewImage"], item.get("OldImage")))
        except Undecodable:
            result.undecodable.append(record)
        else:
            result.changes.append(Change(pad_sequence_number(item["SequenceNumber"]), difference(new, old)))
    return result


def _contributions(image: dict[str, Any] | None, counted: Counted) -> Counts:
    if image is None or image[PARTITION_KEY]["S"].startswith(ledger.OWN_PARTITION):
        return Counter()
    return contributions(_decode(image, counted), counted)


def _decode(image: dict[str, Any], counted: Counted) -> Event:
    """Decode an item; nothing else of what a record takes is its own defect."""
    try:
        return countable_event(image, counted.names)
    except ValueError as error:  # msgspec.ValidationError is one
        raise Undecodable from error


def count(
    changes: list[Change],
    shard: str,
    counters: CountersTable,
    attempts: Attempts = attempts,
    emit: Callable[[Changes], None] = lambda changes: None,
) -> int:
    """Count the changes that were not counted yet, and return how many counters moved.

    Safe to interrupt at any point: counts are committed together with the checkpoint they reach. Metrics are emitted
    so that an interruption makes them too small: what is taken back before the commit, what is added after it.
    """
    if not changes:
        return 0
    moved, added = 0, Changes()
    for _ in attempts(CHECKPOINT_ATTEMPTS):
        checkpoint = counters.checkpoint(shard)
        try:
            for commit in commits(changes, checkpoint or START):
                change = metric_changes(commit.counts, counters.published_values())
                emit(decreases(change))
                counters.commit(shard, checkpoint, commit.checkpoint, commit.counts)
                checkpoint = commit.checkpoint
                add_increases(added, change)
                moved += len(commit.counts)
        except CheckpointMoved:
            continue
        emit(added)
        return moved
    raise CheckpointContention(f"The checkpoint of the shard moved in each of {CHECKPOINT_ATTEMPTS} attempts.")
