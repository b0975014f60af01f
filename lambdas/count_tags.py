"""Moves the per-tag counters by what the ledger's stream says is new. Triggered by the stream, a shard at a time."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from aftersend import ledger, metrics
from aftersend.aws.clients import attempts, client
from aftersend.aws.counters_table import CountersTable, PositionMoved
from aftersend.aws.items import plain
from aftersend.counting import SLOTS, Change, Counted, Counts, commits, contributions, difference, position
from lambdas.settings import setting, text_setting
from lambdas.work import logger

ONLY_SHARD = "the-only-shard"
"""Stands in where Lambda names no shard, as the emulator does; AWS names it because the mapping has a window."""

POSITION_ATTEMPTS = 5


class StillMoving(Exception):
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
    to: CountersTable | None = None,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """`say` is how CloudWatch hears of metrics."""
    new = list(changes(event["Records"], setting("COUNTED", Counted)))
    counted = count(new, event.get("shardId", ONLY_SHARD), to or table())
    for document in metrics.documents(counted, text_setting("ENVIRONMENT"), datetime.now(UTC)):
        say(msgspec.json.encode(document).decode())
    logger.info("batch done", extra={"records": len(event["Records"]), "moved": len(counted)})
    return {"state": {}}  # the window's own state is not used: what was counted is known by the positions


def changes(records: Iterable[dict[str, Any]], counted: Counted) -> Iterator[Change]:
    """What each record of the stream changes. Removals change nothing: expiry and erasure do not subtract."""
    for record in records:
        if record["eventName"] in ("INSERT", "MODIFY"):
            found = record["dynamodb"]
            new, old = (
                contributions(ledger.event_of(plain(image)), counted) if image else Counter()
                for image in (found["NewImage"], found.get("OldImage"))
            )
            yield Change(position(found["SequenceNumber"]), difference(new, old))


def count(changes: list[Change], shard: str, to: CountersTable) -> Counts:
    """Count what was not counted yet; what was counted, for the metrics.

    Safe to stop at any point: the counts of a slot are committed together with the position they reach.
    """
    total: Counts = Counter()
    if not changes:
        return total
    for _ in attempts(POSITION_ATTEMPTS):
        try:
            for committed in _count_from(to.positions(shard), changes, shard, to):
                total.update(committed)
            return total
        except PositionMoved:
            continue
    raise StillMoving(f"The positions of the shard moved under {POSITION_ATTEMPTS} attempts.")


def _count_from(positions: dict[int, str], changes: list[Change], shard: str, to: CountersTable) -> Iterator[Counts]:
    for slot in range(SLOTS):
        reached = positions.get(slot)
        for commit in commits(changes, slot, reached or ""):
            to.commit(shard, slot, reached, commit.position, commit.counts)
            reached = commit.position
            yield commit.counts
