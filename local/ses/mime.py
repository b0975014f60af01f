"""Compose and read MIME messages."""

import re
from collections.abc import Iterable, Mapping
from email.header import decode_header, make_header
from email.message import Message
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import getaddresses

from local.ses.responses import RequestError

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The file that virus scanners report for tests. Written in two parts, so that they do not report this one."""

_HEADER_NAME = re.compile("[!-9;-~]+")
"""Names of headers ("MessageHeader" in the SES API v2 reference)."""


def compose(
    fields: Mapping[str, str], text: str | None, html: str | None, headers: Iterable[Mapping[str, str]] = ()
) -> Message:
    """Compose a message. `fields` are From, To and the like; `headers` are the caller's own, by `Name` and `Value`.

    Raises:
        RequestError: if a header contains a line break, or its name is none.
    """
    parts = [
        MIMEText(content, kind, "utf-8") for kind, content in (("plain", text), ("html", html)) if content is not None
    ]
    mime: Message = MIMEMultipart("alternative", _subparts=parts) if len(parts) > 1 else (parts or [MIMEText("")])[0]
    for name, value in [*fields.items(), *((header["Name"], header["Value"]) for header in headers)]:
        if "\n" in value or "\r" in value:
            raise RequestError("InvalidParameterValue", f"Header '{name}' contains a line break.")
        if not _HEADER_NAME.fullmatch(name):
            reason = f"Header name '{name}' has characters other than printable ASCII, or a colon."
            raise RequestError("InvalidParameterValue", reason)
        if value:
            mime[name] = value
    return mime


def attach(mime: Message, name: str, content: bytes) -> Message:
    """Return a message with an attachment added."""
    attachment = MIMEApplication(content)
    attachment.add_header("Content-Disposition", "attachment", filename=name)
    if mime.get_content_type() == "multipart/mixed":
        mime.attach(attachment)
        return mime
    mixed, body_headers = MIMEMultipart("mixed"), ("content-type", "content-transfer-encoding", "mime-version")
    for header, value in mime.items():
        if header.lower() not in body_headers:
            mixed[header] = value
            del mime[header]
    mixed.attach(mime)
    mixed.attach(attachment)
    return mixed


def header(mime: Message, name: str) -> str:
    """Return the value of a header in one line; empty if there is none. Bytes that are not ASCII become U+FFFD."""
    return "".join(str(mime.get(name, "")).splitlines()).strip()


def decoded(value: str | None) -> str:
    """Return a header value without its encoding (RFC 2047)."""
    return str(make_header(decode_header(value or "")))


def header_addresses(mime: Message, *names: str) -> list[str]:
    """Return the addresses of headers, such as To and Cc."""
    values = [str(value) for name in names for value in mime.get_all(name, [])]
    return [address for _, address in getaddresses(values) if address]


def body(mime: Message, subtype: str) -> str | None:
    """Return the text of the first part of type text/`subtype` that is no attachment; None if there is none."""
    part = body_part(mime, subtype)
    return None if part is None else _text(part)


def body_part(mime: Message, subtype: str) -> Message | None:
    parts = (part for part in mime.walk() if part.get_content_type() == f"text/{subtype}")
    return next((part for part in parts if part.get_content_disposition() != "attachment"), None)


def replace_body(mime: Message, subtype: str, text: str) -> None:
    """Replace the text of the first part of type text/`subtype`."""
    part = body_part(mime, subtype)
    if part is not None:
        del part["Content-Transfer-Encoding"]
        part.set_payload(text, "utf-8")


def has_virus(mime: Message) -> bool:
    """Return whether a part is the test file of virus scanners."""
    contents = (part.get_payload(decode=True) for part in mime.walk())
    return any(isinstance(content, bytes) and EICAR in content for content in contents)


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes), "a text part has no parts of its own"
    try:
        return content.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, UnicodeError):  # a character set that Python does not know, or only for domains
        return content.decode("utf-8", "replace")
