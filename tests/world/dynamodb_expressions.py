"""Evaluate the expressions Aftersend sends to DynamoDB: conditions, key conditions, filters and updates."""

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


def key_condition(call: dict[str, Any], partition: str, sort: str) -> tuple[str, Callable[[str], bool]]:
    """Return the partition that a query names, and a function that says whether it selects a sort key."""
    values = call["ExpressionAttributeValues"]
    sorts = rf"begins_with\({sort}, (:\w+)\)|{sort} = (:\w+)|{sort} BETWEEN (:\w+) AND (:\w+)"
    condition = re.fullmatch(rf"{partition} = (:\w+)(?: AND (?:{sorts}))?", call["KeyConditionExpression"])
    assert condition, "the model knows no other query"
    key, prefix, equal, first, last = (values[name]["S"] if name else "" for name in condition.groups())
    if last:
        return key, lambda value: first <= value <= last
    return key, equal.__eq__ if equal else lambda value: value.startswith(prefix)


def filter_selects(call: dict[str, Any], item: Item) -> bool:
    """Evaluate a call's filter on an item."""
    if "FilterExpression" not in call:
        return True
    condition = re.fullmatch(r"(begins_with|contains)\((\w+)(?:\.(#\w+))?, (:\w+)\)", call["FilterExpression"])
    assert condition, "the model knows no other filter"
    function, name, member, placeholder = condition.groups()
    if member:
        value = item.get(name, {"M": {}})["M"].get(call["ExpressionAttributeNames"][member], {})
    else:
        value = item.get(name, {})
    operand = call["ExpressionAttributeValues"][placeholder]
    if function == "begins_with":
        return "S" in value and value["S"].startswith(operand["S"])
    return operand in value.get("L", ()) or ("S" in value and operand["S"] in value["S"])


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
