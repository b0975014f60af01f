"""Perform the operations of SES's APIs v1 and v2, by name."""

import json
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from local.ses import api_account, api_identities, api_standalone, api_templates, api_v1, api_v2
from local.ses.model import V1_VERSION, V2_PREFIX, Call, Parameters, parse_v1, parse_v2, serialize_v1
from local.ses.responses import RequestError, Response, json_error, json_response, xml_error, xml_response
from local.ses.simulator import LocalSes

Operations = dict[str, Callable[[LocalSes, Parameters], dict[str, Any]]]

V1: Operations = api_v1.OPERATIONS | api_identities.OPERATIONS | api_templates.V1
V2: Operations = api_v2.OPERATIONS | api_account.OPERATIONS | api_templates.V2
"""Operations performed here. They take parameters and return content as boto3 has them."""


def _is_v1(method: str, path: str, body: bytes) -> bool:
    """Return whether a request is one of the API v1. Other services' query APIs have other versions."""
    return (method, path) == ("POST", "/") and f"Version={V1_VERSION}".encode() in body


def perform(ses: LocalSes, method: str, url: str, body: bytes) -> Response | None:
    """Return the response to a request of SES's APIs, or None for one that only the emulator can answer."""
    path = urlsplit(url).path
    if _is_v1(method, path, body):
        return _answer(ses, lambda: parse_v1(body), V1, api_standalone.V1, xml_error, _xml_content)
    if path.startswith(V2_PREFIX):
        return _answer(
            ses, lambda: parse_v2(method, url, body), V2, api_standalone.V2, json_error, lambda _, it: json_response(it)
        )
    return None


def _xml_content(operation: str, result: dict[str, Any]) -> Response:
    return xml_response(operation, serialize_v1(operation, result))


def _answer(
    ses: LocalSes,
    parse: Callable[[], Call],
    operations: Operations,
    standalone: Operations,
    error_response: Callable[[RequestError], Response],
    response: Callable[[str, dict[str, Any]], Response],
) -> Response | None:
    operation = ""
    try:
        operation, parameters = parse()
        known = operations if ses.has_emulator else operations | standalone
        if operation not in known:
            return None if ses.has_emulator else error_response(_not_performed(operation))
        return response(operation, known[operation](ses, parameters))
    except RequestError as error:
        return error_response(error)
    except Exception as error:  # noqa: BLE001  the caller gets an error of AWS, whatever is wrong here
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{operation} failed at {place.filename}:{place.lineno}: {json.dumps(repr(error))}"
        return error_response(RequestError("InternalFailure", reason))


def _not_performed(operation: str) -> RequestError:
    return RequestError("InvalidAction", f"The local SES does not perform {operation}: see docs/local-ses.md.")
