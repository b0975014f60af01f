"""Build the HTTP responses of SES's APIs: JSON for the API v2, XML for the API v1."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

JSON, XML = {"Content-Type": "application/json"}, {"Content-Type": "text/xml"}


class Response(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class RequestError(Exception):
    """A request that SES rejects, with the error code and message of its response."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


def json_response(content: dict[str, Any]) -> Response:
    return Response(200, JSON, json.dumps(content).encode())


STATUSES = {"NotFoundException": 404, "TooManyRequestsException": 429, "AccessDeniedException": 403}
"""HTTP status of an error by its code; all others have 400."""


def json_error(error: RequestError) -> Response:
    status = STATUSES.get(error.code, 400)
    return Response(status, JSON | {"x-amzn-ErrorType": error.code}, json.dumps({"message": error.message}).encode())


def xml_response(action: str, result: str) -> Response:
    body = (
        f'<{action}Response xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></{action}Response>"
    )
    return Response(200, XML, body.encode())


def xml_error(error: RequestError) -> Response:
    body = (
        '<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type><Code>'
        f"{error.code}</Code><Message>{escape(error.message)}</Message></Error><RequestId>local</RequestId></ErrorResponse>"
    )
    return Response(400, XML, body.encode())
