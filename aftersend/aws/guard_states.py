"""Store what the guard remembers about configuration sets, in a partition of its own of the counters table.

Its items never expire. Their partition has no `#`, which those of counters have: no reader of counters meets them.
"""

from typing import Any

import msgspec

from aftersend.aws.conditional_put import put_if
from aftersend.aws.serialization import serialize
from aftersend.contract import GUARD_PARTITION, PARTITION_KEY, SORT_KEY
from aftersend.metrics.guard import NOTHING, GuardState

STATE = "state"


class GuardStates:
    """Read and replace the guard's memory, an item per configuration set."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def get(self, name: str) -> GuardState:
        """Return what is remembered about a configuration set, as it is at this moment."""
        item = self._dynamodb.get_item(TableName=self._table, Key=_key(name), ConsistentRead=True).get("Item")
        return msgspec.json.decode(item[STATE]["S"], type=GuardState) if item else NOTHING

    def replace(self, name: str, expected: GuardState, state: GuardState) -> bool:
        """Replace what is remembered if it is still what is expected; tell whether it was."""
        if state == expected:
            return True
        return put_if(
            self._dynamodb,
            TableName=self._table,
            Item=_key(name) | serialize({STATE: _encode(state)}),
            # Where nothing is remembered any more, there is an item with an empty state.
            ConditionExpression=f"attribute_not_exists({PARTITION_KEY}) OR #state = :expected",
            ExpressionAttributeNames={"#state": STATE},  # a reserved word of DynamoDB's
            ExpressionAttributeValues=serialize({":expected": _encode(expected)}),
        )


def _key(name: str) -> dict[str, Any]:
    return serialize({PARTITION_KEY: GUARD_PARTITION, SORT_KEY: name})


def _encode(state: GuardState) -> str:
    return msgspec.json.encode(state).decode()
