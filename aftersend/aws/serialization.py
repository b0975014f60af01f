"""Serialize plain values to DynamoDB items and back.

boto3's own TypeSerializer takes four times as long (it checks for sets, binaries and decimals, none of which occur).
"""

from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]
"""Attribute values by name, as DynamoDB's API writes them."""


def serialize(values: Mapping[str, Any]) -> Item:
    """Serialize plain values by name to an item."""
    return {name: serialize_value(value) for name, value in values.items()}


def serialize_value(value: Any) -> dict[str, Any]:
    """Serialize a str, bool, int, list or mapping to an attribute value."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case list() | tuple():
            return {"L": [serialize_value(element) for element in value]}
        case dict():
            return {"M": serialize(value)}
    raise TypeError(f"A value of type {type(value).__name__} cannot be stored in an item.")


def deserialize(item: Mapping[str, Any]) -> dict[str, Any]:
    """Deserialize an item to plain values by name."""
    return {name: deserialize_value(value) for name, value in item.items()}


def deserialize_value(attribute_value: Mapping[str, Any]) -> Any:
    """Deserialize an attribute value to a str, bool, int, list or dict."""
    [(data_type, value)] = attribute_value.items()
    match data_type:
        case "S" | "BOOL":
            return value
        case "N":
            return int(value)
        case "L":
            return [deserialize_value(element) for element in value]
        case "M":
            return deserialize(value)
    raise TypeError(f"An attribute of DynamoDB type {data_type} is not supported.")
