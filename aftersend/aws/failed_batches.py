"""Delete stored batches of the ledger's stream that a recount has counted."""

from collections.abc import Callable
from typing import Any

import msgspec

from aftersend.aws.serialization import Item
from aftersend.aws.stored_objects import StoredFailures
from aftersend.operations.failures import UNKNOWN_FORMAT


def delete_recounted(batches: StoredFailures, is_recounted: Callable[[list[Item]], bool]) -> tuple[int, int]:
    """Delete each object of whose items all were recounted; return how many were deleted and how many stay."""
    deleted = kept = 0
    for stored in batches.objects():
        if all(each.reason != UNKNOWN_FORMAT and is_recounted(_items(each.record)) for each in batches.records(stored)):
            batches.delete(stored)
            deleted += 1
        else:
            kept += 1
    return deleted, kept


def _items(document: str) -> list[Item]:
    """Return the items in a batch, before and after each change."""
    payload: Any = msgspec.json.decode(document)["payload"]
    records = (msgspec.json.decode(payload) if isinstance(payload, str) else payload)["Records"]
    images = (record["dynamodb"].get(name) for record in records for name in ("NewImage", "OldImage"))
    return [image for image in images if image]
