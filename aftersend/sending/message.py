"""Compose one message for each sending interface: the parameters of an operation, or a MIME message. Pure."""

import re
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr
from typing import Any

import msgspec

from aftersend.sending.interfaces import Interface, SendingOptions, headers, parameters
from aftersend.sending.message_tags import InvalidMessage

MAX_LINE_CHARACTERS = 998
"""RFC 5322, section 2.1.1."""

HEADER_POLICY = SMTP.clone(max_line_length=MAX_LINE_CHARACTERS, cte_type="7bit")
"""How to write MIME messages for SES. With its own line length of 78, Python's email package writes a longer value as
encoded words (`=?utf-8?q?…?=`), in which SES finds no tags. SES keeps 7-bit content only, if it rewrites links."""

NOT_IN_HEADERS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Line breaks and other control characters, and what a terminal passed that is not UTF-8."""


class OutgoingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a message to send.

    Raises:
        InvalidMessage: if the sender or the subject cannot be in a header.
    """

    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str | None = None
    html: str | None = None
    own_headers: dict[str, str] = {}
    """Headers of one's own: name → value."""

    def __post_init__(self) -> None:
        """Check what becomes a header."""
        if NOT_IN_HEADERS.search(self.sender + self.subject):
            raise InvalidMessage("The sender or the subject has a line break or another control character: remove it.")


def mime_message(message: OutgoingMessage, ses_headers: Mapping[str, str]) -> EmailMessage:
    """Return a message as MIME, with headers that SES reads, as `headers` returns them."""
    mime = EmailMessage(policy=HEADER_POLICY)
    mime["From"], mime["To"], mime["Subject"] = message.sender, ", ".join(message.recipients), message.subject
    for name, value in (message.own_headers | dict(ses_headers)).items():
        mime[name] = value
    if message.text is not None:
        mime.set_content(message.text)
    if message.html is not None:
        add = mime.set_content if message.text is None else mime.add_alternative
        add(message.html, subtype="html")
    return mime


def smtp_message(message: OutgoingMessage, options: SendingOptions) -> EmailMessage:
    """Return a message for SMTP, where all options are headers."""
    return mime_message(message, headers(options))


def request(interface: Interface, message: OutgoingMessage, options: SendingOptions) -> dict[str, Any]:
    """Return the parameters that send a message by one of COMPOSED. SendEmail of v1 takes no headers of one's own."""
    return COMPOSED[interface](message) | parameters(interface, options)


def _encoded(address: str) -> str:
    """Return an address with its display name as MIME encodes it (RFC 2047), which SES needs if it is not ASCII.

    Source: "SendEmail" in the SES API v1 reference. An address that is not ASCII itself is left for SES to refuse.
    """
    name, bracket, rest = address.rpartition("<")
    if name.isascii() or not bracket or not rest.isascii():
        return address
    return formataddr((name.strip(' "'), rest.rstrip("> ")))


def _recipients(message: OutgoingMessage) -> list[str]:
    return [_encoded(each) for each in message.recipients]


def _v2(message: OutgoingMessage) -> dict[str, Any]:
    own = [{"Name": name, "Value": value} for name, value in message.own_headers.items()]
    return {
        "FromEmailAddress": _encoded(message.sender),
        "Destination": {"ToAddresses": _recipients(message)},
        "Content": {"Simple": _subject_and_body(message) | ({"Headers": own} if own else {})},
    }


def _v2_raw(message: OutgoingMessage) -> dict[str, Any]:
    return {
        "FromEmailAddress": _encoded(message.sender),
        "Destination": {"ToAddresses": _recipients(message)},
        "Content": {"Raw": {"Data": mime_message(message, {}).as_bytes()}},
    }


def _v1(message: OutgoingMessage) -> dict[str, Any]:
    return {
        "Source": _encoded(message.sender),
        "Destination": {"ToAddresses": _recipients(message)},
        "Message": _subject_and_body(message),
    }


def _v1_raw(message: OutgoingMessage) -> dict[str, Any]:
    return {
        "Source": _encoded(message.sender),
        "Destinations": _recipients(message),
        "RawMessage": {"Data": mime_message(message, {}).as_bytes()},
    }


def _subject_and_body(message: OutgoingMessage) -> dict[str, Any]:
    parts = {"Text": message.text, "Html": message.html}
    body = {name: {"Data": part, "Charset": "UTF-8"} for name, part in parts.items() if part is not None}
    return {"Subject": {"Data": message.subject, "Charset": "UTF-8"}, "Body": body}


COMPOSED: Mapping[Interface, Callable[[OutgoingMessage], dict[str, Any]]] = {
    Interface.V2: _v2,
    Interface.V2_RAW: _v2_raw,
    Interface.V1: _v1,
    Interface.V1_RAW: _v1_raw,
}
"""The interfaces that send one message without a template."""
