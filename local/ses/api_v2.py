"""Perform SendEmail of the SES API v2."""

import json
from base64 import b64decode
from typing import Any

from local.ses.responses import RequestError, Response, json_error, json_response
from local.ses.sending import SENDING_PAUSED, accept, accept_raw
from local.ses.simulator import LocalSes


def perform_v2(ses: LocalSes, method: str, path: str, body: bytes) -> Response | None:
    """Return the response to SendEmail, or None for every other request."""
    if (method, path) != ("POST", "/v2/email/outbound-emails"):
        return None
    try:
        return json_response({"MessageId": _send_email(ses, json.loads(body))})
    except RequestError as error:
        code = "SendingPausedException" if error.code == SENDING_PAUSED else error.code
        return json_error(RequestError(code, error.message))


def _send_email(ses: LocalSes, request: dict[str, Any]) -> str:
    content = request["Content"]
    tags = {tag["Name"]: tag["Value"] for tag in request.get("EmailTags", ())}
    if raw := content.get("Raw"):
        return accept_raw(
            ses,
            b64decode(raw["Data"]),
            source=request.get("FromEmailAddress"),
            destination=_destination(request),
            configuration_set=request.get("ConfigurationSetName"),
            tags=tags,
        )
    simple = content.get("Simple") or content.get("Template") or {}
    return accept(
        ses,
        source=request["FromEmailAddress"],
        destination=_destination(request),
        subject=simple.get("Subject", {}).get("Data", ""),
        configuration_set=request.get("ConfigurationSetName"),
        tags=tags,
        headers={header["Name"]: header["Value"] for header in simple.get("Headers", ())},
    )


def _destination(request: dict[str, Any]) -> list[str]:
    destination = request.get("Destination", {})
    return [address for field in ("To", "Cc", "Bcc") for address in destination.get(f"{field}Addresses", ())]
