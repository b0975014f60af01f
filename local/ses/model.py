"""Read requests and write responses by botocore's models of SES's two APIs, which state every operation's fields."""

import json
import re
from base64 import b64decode
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape

from local.ses.responses import RequestError

V1_VERSION = "2010-12-01"
V2_PREFIX = "/v2/email/"

Parameters = dict[str, Any]


class Call(NamedTuple):
    """A call of an operation, with its parameters as boto3 takes them."""

    operation: str
    parameters: Parameters


@cache
def service(name: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(name)


def parse_v1(body: bytes) -> Call:
    """Parse a form of the API v1.

    Raises:
        RequestError: if it is no form, names an unknown action or lacks a required field.
    """
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True)
    except ValueError:
        raise RequestError("MalformedQueryString", "The query string is not valid UTF-8.") from None
    form = dict(pairs)
    operation = form.get("Action", "")
    if operation not in service("ses").operation_names:
        raise RequestError("InvalidAction", f"Could not find operation {operation} for version {V1_VERSION}")
    tree: Parameters = {}
    for name, value in pairs:
        _insert(tree, name.split("."), value)
    shape = service("ses").operation_model(operation).input_shape
    return Call(operation, _coerce(shape, tree) if shape else {})


def _insert(tree: Parameters, path: list[str], value: str) -> None:
    for name in path[:-1]:
        branch = tree.setdefault(name, {})
        tree = branch if isinstance(branch, dict) else {}
    tree[path[-1]] = value


def parse_v2(method: str, url: str, body: bytes) -> Call:
    """Parse a request of the API v2.

    Raises:
        RequestError: if no operation has this method and path, or the body is no JSON of its parameters.
    """
    parts = urlsplit(url)
    for its_method, pattern, operation in _routes():
        if method == its_method and (match := pattern.fullmatch(parts.path)):
            return Call(operation.name, _parse_parameters(operation, match, parts.query, body))
    raise RequestError("InvalidAction", f"SES has no operation {method} {parts.path}.")


@cache
def _routes() -> list[tuple[str, re.Pattern[str], OperationModel]]:
    """Return method, path and operation of the API v2; paths without variables come first."""
    operations = [service("sesv2").operation_model(name) for name in service("sesv2").operation_names]
    operations.sort(key=lambda operation: operation.http["requestUri"].count("{"))
    return [
        (each.http["method"], re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", each.http["requestUri"])), each)
        for each in operations
    ]


def _parse_parameters(operation: OperationModel, match: re.Match[str], query: str, body: bytes) -> Parameters:
    try:
        values = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise RequestError("MalformedQueryString", "The body is not a JSON object.")
    shape, queried = operation.input_shape, parse_qs(query, keep_blank_values=True)
    if shape is None:
        return {}
    for name, member in shape.members.items():
        wire_name = member.serialization.get("name", name)
        if member.serialization.get("location") == "uri":
            values[name] = unquote(match[wire_name])
        elif wire_name in queried:
            values[name] = queried[wire_name] if member.type_name == "list" else queried[wire_name][0]
    return _coerce(shape, values)


def _coerce(shape: Shape, value: Any, path: str = "") -> Any:
    """Return a value of a request in the type that its shape states.

    Raises:
        RequestError: if it has another type or lacks a required member.
    """
    try:
        return _COERCIONS.get(shape.type_name, lambda _shape, plain, _path: str(plain))(shape, value, path)
    except (ValueError, TypeError, AttributeError, KeyError):
        raise RequestError("MalformedQueryString", f"The value at '{path}' is not a valid {shape.type_name}.") from None


def _coerce_structure(shape: Any, value: Parameters, path: str) -> Parameters:
    members = {name: member for name, member in value.items() if name in shape.members and member is not None}
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if name not in members:
            place = prefix + name[0].lower() + name[1:]
            raise RequestError(
                "ValidationError",
                f"1 validation error detected: Value null at '{place}' failed to satisfy constraint: "
                "Member must not be null",
            )
    return {
        name: _coerce(shape.members[name], member, prefix + name[0].lower() + name[1:])
        for name, member in members.items()
    }


def _coerce_list(shape: Any, value: Any, path: str) -> list[Any]:
    if isinstance(value, dict):  # a form: {"member": {"1": …, "2": …}}
        value = [item for _, item in sorted(value["member"].items(), key=lambda pair: int(pair[0]))]
    elif value == "":  # how a form states an empty list
        value = []
    if not isinstance(value, list):
        raise TypeError
    return [_coerce(shape.member, item, f"{path}.{number}.member") for number, item in enumerate(value, 1)]


def _coerce_string(_shape: Any, value: Any, _path: str) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()  # raises a ValueError for half of a surrogate pair, which JSON can state
    return value


_COERCIONS: dict[str, Any] = {
    "structure": _coerce_structure,
    "list": _coerce_list,
    "string": _coerce_string,
    "map": lambda _shape, value, _path: dict(value),
    "boolean": lambda _shape, value, _path: value in (True, "true"),
    "integer": lambda _shape, value, _path: int(value),
    "blob": lambda _shape, value, _path: b64decode(value, validate=True),
    "timestamp": lambda _shape, value, _path: datetime.fromisoformat(value),
}


def serialize_v1(operation: str, result: Parameters) -> str:
    """Return the content of the result element of an API v1 response."""
    shape = service("ses").operation_model(operation).output_shape
    return _xml(shape, result) if shape else ""


def _xml(shape: Any, value: Any) -> str:
    if shape.type_name == "structure":
        return "".join(f"<{name}>{_xml(shape.members[name], member)}</{name}>" for name, member in value.items())
    if shape.type_name == "list":
        return "".join(f"<member>{_xml(shape.member, item)}</member>" for item in value)
    if shape.type_name == "map":
        entries = ((escape(key), _xml(shape.value, item)) for key, item in value.items())
        return "".join(f"<entry><key>{key}</key><value>{item}</value></entry>" for key, item in entries)
    if isinstance(value, bool):
        return str(value).lower()
    return escape(value.isoformat() if isinstance(value, datetime) else str(value))
