"""Measure items as DynamoDB does, and refuse requests beyond its limits.

The limits are those of "Quotas in Amazon DynamoDB" in the developer guide, and of the operations' API reference.
"""

import json
import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.world.calls import Fault

Item = dict[str, Any]
Key = tuple[str, str]

MAX_KEY_BYTES = {"partition_key": 2_048, "sort_key": 1_024}
INDEXES = (("message_id", "feedback_day"), ("feedback_day", "sent_at"))
"""Partition and sort keys of the ledger's global secondary indexes; no other table has these attributes."""

MAX_ATTRIBUTE_NAME_BYTES = 65_535
MAX_SIGNIFICANT_DIGITS = 38
MIN_EXPONENT, MAX_EXPONENT = -130, 125
"""Of numbers in scientific notation: their magnitude is from 1E-130 to 9.99…E+125."""

MAX_ITEM_BYTES = 400 * 1024
MAX_BATCH_PUTS = 25
MAX_BATCH_REQUEST_BYTES = 16 * 1024**2
"""Of the request as JSON: items may be larger there than they are stored."""

MAX_TRANSACTION_ACTIONS = 100
MAX_TRANSACTION_BYTES = 4 * 1024**2
"""Of all items together, as they are stored."""


MAX_EXPRESSION_BYTES, MAX_OPERATORS = 4 * 1024, 300
"""Of an UpdateExpression. Which parts of it count as operators is not documented: the model counts every term."""


def key_of(item: Item) -> Key:
    return item["partition_key"]["S"], item["sort_key"]["S"]


def item_bytes(item: Item) -> int:
    """Measure an item, after "DynamoDB item sizes and formats" in the developer guide."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def write_units(item: Item) -> int:
    return math.ceil(item_bytes(item) / 1024)


def index_write_units(old: Item, new: Item) -> int:
    """Return what indexes add to replacing an item: a write each, and two where the item gets another key ("Using
    Global Secondary Indexes in DynamoDB"); nothing for an item without an index's keys, or without a change."""
    return sum(_index_write_units(old, new, keys) for keys in INDEXES) if old != new else 0


def _index_write_units(old: Item, new: Item, keys: tuple[str, str]) -> int:
    indexed = [item for item in (old, new) if all(name in item for name in keys)]
    has_moved = len({tuple(item[name]["S"] for name in keys) for item in indexed}) > 1
    return sum(map(write_units, indexed)) if has_moved else max(map(write_units, indexed), default=0)


def check_key(key: Item) -> None:
    for name, limit in MAX_KEY_BYTES.items():
        _require(0 < len(key[name]["S"].encode()) <= limit, f"{name} is empty or has more than {limit} bytes")


def check_attributes(attributes: Item) -> None:
    for name, value in attributes.items():
        limit = MAX_ATTRIBUTE_NAME_BYTES
        _require(0 < len(name.encode()) <= limit, f"an attribute name is empty or has more than {limit} bytes")
        _check_value(value)


def check_item(item: Item) -> None:
    check_key(item)
    check_attributes(item)
    for name in {name for keys in INDEXES for name in keys} & item.keys():
        limit = MAX_KEY_BYTES["sort_key"]
        _require(0 < len(item[name]["S"].encode()) <= limit, f"{name} is empty or has more than {limit} bytes")
    _require(item_bytes(item) <= MAX_ITEM_BYTES, f"an item has more than {MAX_ITEM_BYTES} bytes")


def check_batch(call: dict[str, Any]) -> None:
    """Refuse a BatchWriteItem, whole, for one item of it or for their number and size."""
    [requests] = call["RequestItems"].values()
    items = [request["PutRequest"]["Item"] for request in requests]
    _require(1 <= len(items) <= MAX_BATCH_PUTS, f"a batch has 1 to {MAX_BATCH_PUTS} puts")
    _require(len({key_of(item) for item in items}) == len(items), "a batch names an item twice")
    for item in items:
        check_item(item)
    limit = MAX_BATCH_REQUEST_BYTES
    _require(len(json.dumps(call)) <= limit, f"a batch has more than {limit} bytes of JSON")


def check_transaction(actions: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Refuse a TransactWriteItems, whole, for what is in the request itself."""
    limit = MAX_TRANSACTION_ACTIONS
    _require(1 <= len(actions) <= limit, f"a transaction has 1 to {limit} actions")
    keys = {(action["TableName"], key_of(action.get("Item") or action["Key"])) for _, action in actions}
    _require(len(keys) == len(actions), "a transaction names an item twice")
    for kind, action in actions:
        if kind == "Put":
            check_item(action["Item"])
        else:
            check_key(action["Key"])
            _check_update(action["UpdateExpression"])
            names = action.get("ExpressionAttributeNames", {})
            check_attributes({name: {"BOOL": True} for name in names.values()})
            check_attributes(action.get("ExpressionAttributeValues", {}))


def check_transaction_size(items: Sequence[Item]) -> None:
    limit = MAX_TRANSACTION_BYTES
    _require(sum(map(item_bytes, items)) <= limit, f"the items of a transaction have more than {limit} bytes")


def _check_update(expression: str) -> None:
    size, limit = len(expression.encode()), MAX_EXPRESSION_BYTES
    _require(size <= limit, f"an UpdateExpression has more than {limit} bytes")
    operators = len(re.findall(r":\w+", expression))
    _require(operators <= MAX_OPERATORS, f"an UpdateExpression has more than {MAX_OPERATORS} operators")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise Fault("ValidationException", message)


def _check_value(value: Item) -> None:
    [(kind, content)] = value.items()
    match kind:
        case "N":
            number = Decimal(content)
            digits, limit = _significant_digits(number), MAX_SIGNIFICANT_DIGITS
            _require(digits <= limit, f"a number has more than {limit} significant digits")
            in_range = not number or MIN_EXPONENT <= number.adjusted() <= MAX_EXPONENT
            _require(in_range, f"a number is beyond 1E{MIN_EXPONENT} to 1E{MAX_EXPONENT + 1}")
        case "L":
            for element in content:
                _check_value(element)
        case "M":
            check_attributes(content)


def _value_bytes(value: Item) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return 1 + math.ceil(_significant_digits(Decimal(content)) / 2)
        case "L":
            return 3 + sum(1 + _value_bytes(element) for element in content)
        case "M":
            return 3 + len(content) + item_bytes(content)
    return 1


def _significant_digits(number: Decimal) -> int:
    return len("".join(map(str, number.as_tuple().digits)).strip("0"))
