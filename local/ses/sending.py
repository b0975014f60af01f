"""Check messages as SES does and pass them to the simulator.

A sender chooses the events of a message, and optionally its sending time, in a header, which is removed from the
message as SES removes its own X-SES-… headers:

    X-Local-SES-Simulation: {"events": [{"event": "Send"}, {"event": "Delivery"}, {"event": "Open", "seconds": 90}]}

Without the header, the message is sent and delivered; addresses of the mailbox simulator get the events SES documents.
"""

import json
import random
import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import getaddresses

from local.ses.records import Message, new_id
from local.ses.responses import RequestError
from local.ses.simulator import LocalSes

SIMULATION_HEADER = "X-Local-SES-Simulation"

SENDING_PAUSED = "ConfigurationSetSendingPausedException"
"""The error code of the SES API v1; v2 has `SendingPausedException` for it."""

MESSAGE_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
"""What SES accepts as the name or value of a message tag ("MessageTag" in the SES API v2 reference)."""


def accept_raw(
    ses: LocalSes,
    raw: bytes,
    *,
    source: str | None,
    destination: list[str],
    configuration_set: str | None,
    tags: dict[str, str],
) -> str:
    """Accept a MIME message and return its id. Tags of the request replace all tags of the message's header."""
    mime = message_from_bytes(raw)
    headers = {name: str(value) for name, value in mime.items()}
    addresses_in_headers = [address for _, address in getaddresses(mime.get_all("To", []) + mime.get_all("Cc", []))]
    pairs = [pair.strip() for pair in headers.pop("X-SES-MESSAGE-TAGS", "").split(",")]
    return accept(
        ses,
        source=source or headers["From"],
        destination=destination or addresses_in_headers,
        subject=headers.get("Subject", ""),
        configuration_set=configuration_set or headers.pop("X-SES-CONFIGURATION-SET", None),
        tags=tags or dict(pair.split("=", 1) for pair in pairs if pair),
        headers=headers,
    )


def accept(
    ses: LocalSes,
    *,
    source: str,
    destination: list[str],
    subject: str,
    configuration_set: str | None,
    tags: dict[str, str],
    headers: dict[str, str],
) -> str:
    """Accept a message and return its id.

    Raises:
        RequestError: if SES would reject the request.
    """
    _check_tags(tags)
    configuration_set = _configuration_set(ses, source, configuration_set)
    simulation = json.loads(headers.pop(SIMULATION_HEADER, "{}"))
    sent_at = datetime.fromisoformat(simulation["sent_at"]) if "sent_at" in simulation else datetime.now(UTC)
    message = Message(
        id=new_id(sent_at, random.Random()),
        source=source,
        destination=destination,
        subject=subject,
        sent_at=sent_at,
        configuration_set=configuration_set,
        tags={name: [value] for name, value in tags.items()},
        headers=[{"name": name, "value": value} for name, value in headers.items()],
    )
    ses.accept(message, simulation.get("events"))
    return message.id


def _check_tags(tags: dict[str, str]) -> None:
    for text in (text for tag in tags.items() for text in tag):
        if not MESSAGE_TAG.fullmatch(text):
            reason = f"Invalid tag value <{text}>: only alphanumeric ASCII characters, '_', and '-' are allowed."
            raise RequestError("InvalidParameterValue", reason)


def _configuration_set(ses: LocalSes, source: str, name: str | None) -> str | None:
    """Return the configuration set of the request, or else the default of the sending identity."""
    try:
        name = name or ses.default_configuration_set(source)
    except KeyError as unknown:
        reason = f"Email address is not verified. The following identities failed the check: {unknown.args[0]}"
        raise RequestError("MessageRejected", reason) from None
    if name and not ses.configuration_set_exists(name):
        raise RequestError("ConfigurationSetDoesNotExist", f"Configuration set <{name}> does not exist.")
    if name and not ses.sending_enabled(name):
        raise RequestError(SENDING_PAUSED, f"Configuration set sending is paused for configuration set <{name}>.")
    return name
