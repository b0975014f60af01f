"""Store the size of the suppression list, in a partition of its own of the counters table.

Its item never expires. Its partition has no `#`, which those of counters have: no reader of counters meets it.
"""

from typing import Any

import msgspec

from aftersend.aws.serialization import serialize
from aftersend.contract import PARTITION_KEY, SORT_KEY, SUPPRESSION_LIST_PARTITION
from aftersend.suppression.list_size import ListSize

SIZE = "size"
KEY = serialize({PARTITION_KEY: SUPPRESSION_LIST_PARTITION, SORT_KEY: SIZE})


class ListSizes:
    """Read and replace the size that was counted last."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def get(self) -> ListSize | None:
        """Return the size; None if nothing was counted yet."""
        item = self._dynamodb.get_item(TableName=self._table, Key=KEY).get("Item")
        return msgspec.json.decode(item[SIZE]["S"], type=ListSize) if item else None

    def put(self, size: ListSize) -> None:
        """Replace the size. Of two runs at once either is right."""
        item = KEY | serialize({SIZE: msgspec.json.encode(size).decode()})
        self._dynamodb.put_item(TableName=self._table, Item=item)
