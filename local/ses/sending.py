"""Check messages as SES does and pass them to the simulator.

A sender chooses the events of a message, and optionally its sending time, in a header, which is removed from the
message as SES removes its own X-SES-… headers:

    X-Local-SES-Simulation: {"events": [{"event": "Send"}, {"event": "Delivery"}, {"event": "Open", "seconds": 90}]}

Without the header, the message is sent and delivered; addresses of the mailbox simulator get the events SES documents.
"""

import json
import random
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message as Mime
from typing import Any

from local.ses import mime
from local.ses.addresses import address_of, check_addresses, check_recipients
from local.ses.outcomes import is_simulator
from local.ses.records import EVENT_BODIES, Message, new_id
from local.ses.responses import RequestError
from local.ses.simulator import LocalSes
from local.ses.tags import Tags, tags_of_header

SIMULATION_HEADER = "X-Local-SES-Simulation"

MAX_BYTES_V1, MAX_BYTES_V2 = 10 * 2**20, 40 * 2**20
"""Size of a message ("Service quotas" in the SES developer guide); SMTP has that of v2."""

_ADDRESS_FIELDS = ("From", "To", "Cc", "Bcc", "Subject", "Date", "MIME-Version")
"""Headers that a record has from the message itself."""


@dataclass
class Draft:
    """A message as a sender gives it, over any interface."""

    operation: str
    """SES's name of the operation; the value of the tag `ses:operation`."""
    source: str
    destination: list[str]
    content: Mime
    configuration_set: str | None = None
    tags: Tags = field(default_factory=dict)
    max_bytes: int = MAX_BYTES_V2
    list_management: dict[str, Any] | None = None
    """`ContactListName` and optionally `TopicName`."""
    return_path: str | None = None
    """Where bounces are forwarded; None is to the sender."""
    failure: dict[str, Any] | None = None
    """The event of a template that cannot be rendered."""


def raw_draft(operation: str, raw: bytes, source: str | None, destination: list[str], **options: Any) -> Draft:
    """Return the draft of a MIME message. What the request states replaces what the message's headers state."""
    content = message_from_bytes(raw)
    if len(raw) > (limit := options.get("max_bytes", MAX_BYTES_V2)):
        raise RequestError("InvalidParameterValue", f"Message length is more than {limit} bytes long: '{len(raw)}'.")
    sender = source or mime.header(content, "From")
    if not sender:
        raise RequestError("InvalidParameterValue", "Missing required header 'From'.")
    recipients = destination or mime.header_addresses(content, "To", "Cc", "Bcc")
    draft = Draft(operation, sender, recipients, content, **options)
    draft.configuration_set = draft.configuration_set or mime.header(content, "X-SES-CONFIGURATION-SET") or None
    draft.tags = draft.tags or tags_of_header(mime.header(content, "X-SES-MESSAGE-TAGS"))
    draft.list_management = draft.list_management or _list_management(
        mime.header(content, "X-SES-LIST-MANAGEMENT-OPTIONS")
    )
    return draft


def _list_management(header: str) -> dict[str, Any] | None:
    """Parse a header such as `readers; topic=new-books` ("Using subscription management")."""
    name, _, topic = (part.strip() for part in header.partition(";"))
    options = {"ContactListName": name, "TopicName": topic.partition("=")[2].strip()}
    return {key: value for key, value in options.items() if value} if name else None


def accept(ses: LocalSes, draft: Draft) -> str:
    """Accept a message and return its id.

    Raises:
        RequestError: if SES would reject the request.
    """
    check_addresses([draft.source])
    check_addresses(mime.header_addresses(draft.content, "Reply-To"))
    check_recipients(draft.destination)
    if len(draft.content.as_bytes()) > draft.max_bytes:
        raise RequestError("InvalidParameterValue", f"Message length is more than {draft.max_bytes} bytes long.")
    check_identities(ses, draft)
    configuration_set = sending_set(ses, draft.source, draft.configuration_set)
    simulation = _simulation(draft.content)
    sent_at = simulation.get("sent_at") or datetime.now(UTC)
    message = Message(
        id=new_id(sent_at, random.Random()),
        source=draft.source,
        destination=draft.destination,
        subject=mime.decoded(draft.content["Subject"]),
        sent_at=sent_at,
        operation=draft.operation,
        configuration_set=configuration_set,
        tags=draft.tags,
        headers=_record_headers(draft.content),
    )
    ses.accept(message, _delivered(draft.content), _events(draft, simulation), draft.list_management)
    return message.id


def _simulation(content: Mime) -> dict[str, Any]:
    """Return what the simulation header states: `events`, and `sent_at` as a time."""
    try:
        simulation = json.loads(mime.header(content, SIMULATION_HEADER) or "{}")
        if "sent_at" in simulation:
            simulation["sent_at"] = datetime.fromisoformat(simulation["sent_at"])
        if unknown := {event["event"] for event in simulation.get("events", ())} - EVENT_BODIES.keys():
            raise ValueError(f"unknown events {unknown}")
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        reason = f"The value of {SIMULATION_HEADER} is not valid: {error!r}"
        raise RequestError("InvalidParameterValue", reason) from None
    return simulation


def _events(draft: Draft, simulation: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the events of a message; None if they follow from its recipients."""
    if "events" in simulation:
        return simulation["events"]
    if draft.failure:
        return [draft.failure]
    return [{"event": "Send"}, {"event": "Reject"}] if mime.has_virus(draft.content) else None


def _record_headers(content: Mime) -> list[dict[str, str]]:
    """Return the headers of a message's records: also those that SES removes from the message."""
    own = {name.lower() for name in (*_ADDRESS_FIELDS, "Content-Type", SIMULATION_HEADER)}
    return [{"name": name, "value": str(value)} for name, value in content.items() if name.lower() not in own]


def _delivered(content: Mime) -> Mime:
    """Return the message as recipients get it."""
    delivered = copy(content)
    own = [name for name in content.keys() if name.lower().startswith("x-ses-")]  # noqa: SIM118  it is no dict
    for name in (*own, "Bcc", SIMULATION_HEADER):
        del delivered[name]
    return delivered


def check_identities(ses: LocalSes, draft: Draft) -> None:
    """Raise a RequestError unless SES lets the sender send; in the sandbox also unless it lets recipients get mail."""
    senders = mime.header_addresses(draft.content, "From", "Sender", "Return-Path")
    addresses = [address_of(each) for each in (draft.source, *senders, draft.return_path) if each]
    check_addresses(addresses)
    if ses.account_list.in_sandbox:
        addresses += [address_of(each) for each in draft.destination if not is_simulator(each)]
    check_verified(ses, addresses)


def check_verified(ses: LocalSes, addresses: list[str], code: str = "MessageRejected") -> None:
    unverified = [address for address in dict.fromkeys(addresses) if not ses.is_sender(address)]
    if unverified:
        reason = "Email address is not verified. The following identities failed the check in region"
        raise RequestError(code, f"{reason} {ses.region.upper()}: {', '.join(unverified)}")


def sending_set(ses: LocalSes, source: str, name: str | None) -> str | None:
    """Return the configuration set of a message: that of the request, or else the default of the sending identity.

    Raises:
        RequestError: if it does not exist, or if sending is paused for it or for the account.
    """
    if not ses.account_sending_enabled:
        raise RequestError("AccountSendingPausedException", "Email sending is disabled for this account.")
    name = name or ses.default_configuration_set(source)
    if name and not ses.configuration_set_exists(name):
        raise RequestError("ConfigurationSetDoesNotExist", f"Configuration set <{name}> does not exist.")
    if name and not ses.sending_enabled(name):
        reason = f"Configuration set sending is paused for configuration set <{name}>."
        raise RequestError("ConfigurationSetSendingPausedException", reason)
    return name
