"""Publish changes of suppression entries as events. Triggered by the stream of the suppressions table.

A record that EventBridge does not accept is delivered again, with all later ones of its shard: subscribers may get an
event several times, always with the same id. Only a record that cannot be decoded is left out: it would fail however
often it is retried, and hold up its shard all the while. One of a newer version of Aftersend waits for that version.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from aftersend import ledger
from aftersend.aws.clients import client
from aftersend.aws.event_bus import BusEvent, EventBus
from aftersend.aws.secrets import secret_text
from aftersend.aws.serialization import deserialize
from aftersend.aws.suppression_reader import FORGOTTEN
from aftersend.contract import PARTITION_KEY, UNPUBLISHABLE_CHANGES, Variable
from aftersend.recipient_hash import keyed_hash
from aftersend.suppression import Entry, Policy, change_detail, detail_type, entry_from_attributes
from lambdas import dependencies
from lambdas.dependencies import logger
from lambdas.settings import setting, text_setting

Record = dict[str, Any]


class EntryChange(NamedTuple):
    """Hold an entry before and after a change, and the position of the change in the stream."""

    sequence_number: str
    old: Entry | None
    new: Entry


def handler(
    event: dict[str, Any],
    _context: object = None,
    *,
    bus: EventBus | None = None,
    hash_key: Callable[[], str] = lambda: secret_text(text_setting(Variable.HASH_KEY_SECRET)),
    emit_metric: Callable[[dict[str, Any]], None] = dependencies.emit_metric,
) -> dict[str, Any]:
    """Publish a batch of the stream; return the first record that must be delivered again."""
    changes, undecodable = entry_changes(event["Records"])
    if undecodable:
        _report(undecodable, emit_metric)
    published = [(kind, change) for change in changes if (kind := detail_type(change.old, change.new))]
    key = hash_key() if published else ""
    refused = (bus or EventBus(client("events"), text_setting(Variable.EVENT_BUS))).publish(
        [BusEvent(kind, _detail(change.new, key)) for kind, change in published]
    )
    logger.info("Published a batch of changes.", extra={"published": len(published), "refused": len(refused)})
    first = [published[index][1].sequence_number for index in sorted(refused)[:1]]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in first]}


def entry_changes(records: list[Record]) -> tuple[list[EntryChange], list[Record]]:
    """Return the changes of entries, and the records that cannot be decoded. Hashes of forgotten recipients are none,
    and removals are left out: they erase, and lift nothing."""
    changes, undecodable = [], []
    for record in records:
        item = record["dynamodb"]
        if record["eventName"] not in ("INSERT", "MODIFY") or item["NewImage"][PARTITION_KEY]["S"] == FORGOTTEN:
            continue
        try:
            old = _decode(item["OldImage"]) if "OldImage" in item else None
            changes.append(EntryChange(item["SequenceNumber"], old, _decode(item["NewImage"])))
        except (msgspec.ValidationError, TypeError, ValueError):
            undecodable.append(record)
    return changes, undecodable


def _decode(image: dict[str, Any]) -> Entry:
    return entry_from_attributes(deserialize(image))


def _detail(entry: Entry, key: str) -> str:
    change = change_detail(
        entry,
        environment=text_setting(Variable.ENVIRONMENT),
        recipient_hash=keyed_hash(entry.recipient, key),
        policy=setting(Variable.POLICY, Policy),
        include_address=setting(Variable.INCLUDE_ADDRESS, bool),
    )
    return msgspec.json.encode(change).decode()


def _report(undecodable: list[Record], emit_metric: Callable[[dict[str, Any]], None]) -> None:
    keys = [ledger.digest(record["dynamodb"].get("Keys")) for record in undecodable]
    logger.error("Records cannot be decoded and were not published.", extra={"keys": keys})
    emit_metric(dependencies.environment_document({UNPUBLISHABLE_CHANGES: len(keys)}))
