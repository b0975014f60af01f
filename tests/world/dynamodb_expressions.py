"""Evaluate the expressions Aftersend sends to DynamoDB: conditions, key conditions and updates."""

import copy
import re
from collections.abc import Callable
from typing import Any

from tests.world.dynamodb_limits import Item


def condition_holds(call: dict[str, Any], stored: Item) -> bool:
    """Evaluate a call's condition on an item; an empty item stands for none."""
    values, names = call.get("ExpressionAttributeValues", {}), call.get("ExpressionAttributeNames", {})
    terms = call.get("ConditionExpression", "").split(" OR ")
    return terms == [""] or any(_term_holds(term, stored, values, names) for term in terms)


def _term_holds(term: str, stored: Item, values: Item, names: dict[str, str]) -> bool:
    if absent := re.fullmatch(r"attribute_not_exists\((\w+)\)", term):
        return absent[1] not in stored
    name, operator, placeholder = term.split()
    name = names.get(name, name)
    if name not in stored:
        return False
    [(stored_type, stored_value)], [(type_, value)] = stored[name].items(), values[placeholder].items()
    return stored_type == type_ and (stored_value == value if operator == "=" else stored_value < value)


def key_condition(call: dict[str, Any]) -> tuple[str, Callable[[str], bool]]:
    """Return the partition that a query names, and a function that says whether it selects a sort key."""
    values, expression = call["ExpressionAttributeValues"], call["KeyConditionExpression"]
    condition = re.fullmatch(
        r"partition_key = (:\w+)(?: AND (?:begins_with\(sort_key, (:\w+)\)|sort_key = (:\w+)))?", expression
    )
    assert condition, "the model knows no other query"
    partition, prefix, sort = (values[name]["S"] if name else "" for name in condition.groups())
    return partition, sort.__eq__ if sort else lambda key: key.startswith(prefix)


def projection(call: dict[str, Any], item: Item) -> Item:
    """Return a copy of the attributes of an item that a call asks for; without a projection, of all."""
    names = call.get("ExpressionAttributeNames", {})
    wanted = [names.get(name, name) for name in call.get("ProjectionExpression", "").split(", ")]
    return copy.deepcopy({name: item[name] for name in item if wanted == [""] or name in wanted})


def updated_item(action: dict[str, Any], stored: Item) -> Item:
    """Return the item as an Update leaves it."""
    item = dict(stored or action["Key"])  # values are replaced, never changed
    additions, _, settings = action["UpdateExpression"].removeprefix("ADD ").partition(" SET ")
    values, names = action["ExpressionAttributeValues"], action.get("ExpressionAttributeNames", {})
    for addition in additions.split(", "):
        name, placeholder = addition.split()
        name = names.get(name, name)
        item[name] = {"N": str(int(item.get(name, {"N": "0"})["N"]) + int(values[placeholder]["N"]))}
    for setting in settings.split(", "):
        name, placeholder = setting.split(" = ")
        item[name] = values[placeholder]
    return item
