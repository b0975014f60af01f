"""Build the HTTP responses of SES's APIs: JSON for the API v2, XML for the API v1."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

XML = {"Content-Type": "text/xml"}
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NAMESPACE = "http://ses.amazonaws.com/doc/2010-12-01/"


class Response(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class RequestError(Exception):
    """A request that SES rejects, with the error code of the API v1 and the message of its response."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


V2_CODES = {
    "AccountSendingPausedException": "SendingPausedException",
    "AlreadyExists": "AlreadyExistsException",
    "ConfigurationSetAlreadyExists": "AlreadyExistsException",
    "ConfigurationSetDoesNotExist": "NotFoundException",
    "ConfigurationSetSendingPausedException": "SendingPausedException",
    "CustomVerificationEmailTemplateAlreadyExists": "AlreadyExistsException",
    "CustomVerificationEmailTemplateDoesNotExist": "NotFoundException",
    "FromEmailAddressNotVerified": "BadRequestException",
    "InvalidAction": "UnknownOperationException",
    "InvalidParameterValue": "BadRequestException",
    "InvalidRenderingParameter": "BadRequestException",
    "InvalidTemplate": "BadRequestException",
    "MalformedQueryString": "SerializationException",
    "MissingRenderingAttribute": "BadRequestException",
    "TemplateDoesNotExist": "NotFoundException",
    "ValidationError": "BadRequestException",
}
"""Error codes of the API v2 by those of v1, where they differ (botocore's models of `ses` and `sesv2`)."""

STATUSES = {
    "NotFoundException": 404,
    "UnknownOperationException": 404,
    "TooManyRequestsException": 429,
    "AccessDeniedException": 403,
    "InternalFailure": 500,
}
"""HTTP status of an error by its code; all others have 400."""


def json_response(content: dict[str, Any], status: int = 200, **headers: str) -> Response:
    named = {"Content-Type": "application/json", "x-amzn-RequestId": str(uuid.uuid4()), **headers}
    return Response(status, named, json.dumps(content).encode())


def json_error(error: RequestError) -> Response:
    code = V2_CODES.get(error.code, error.code)
    return json_response({"message": error.message}, STATUSES.get(code, 400), **{"x-amzn-ErrorType": code})


def xml_response(action: str, result: str) -> Response:
    body = (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>"
    )
    return Response(200, XML, body.encode())


def _xml_text(text: str) -> str:
    """Return text as XML can have it: without the control characters that it has not even escaped."""
    return escape(_NOT_IN_XML.sub("\ufffd", text))


def xml_error(error: RequestError) -> Response:
    body = (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{error.code}</Code>'
        f"<Message>{_xml_text(error.message)}</Message></Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return Response(STATUSES.get(error.code, 400), XML, body.encode())
