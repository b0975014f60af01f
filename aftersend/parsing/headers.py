"""Take tags, and the subject, from the headers of a message where a record has them.

SES publishes headers in records of event publishing, except in some of templated mail, and in identity notifications
where that is set. It cuts them at 10 KB ("Amazon SNS notification contents for Amazon SES").
"""

import re
from collections.abc import Iterable
from email.errors import MessageError
from email.header import decode_header, make_header

import msgspec

from aftersend.events import Event
from aftersend.parsing.ses_schema import HeadedMail, Header, Mail

MESSAGE_TAGS = "x-ses-message-tags"
"""The header with which senders give SES message tags, as in `campaign=spring, genre=sci-fi`."""

TAG_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
"""Names of message tags that SES accepts ("MessageTag" in the SES API v2 reference). Those of SES's own have a colon:
none comes from a header."""

MAX_VALUE_CHARACTERS, MAX_SUBJECT_CHARACTERS = 256, 200

MAX_HEADER_CHARACTERS = 2_000
"""Characters of a header that are decoded: decoding a longer one takes too long."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Set what is taken from the headers."""

    tag_headers: dict[str, str] = {}
    """Header name in lower case → name of the tag that its values become."""
    keep_subject: bool = False


DEFAULT_OPTIONS = Options()


def needs_headers(mail: Mail | None, options: Options) -> bool:
    """Return whether the headers of a record make a difference. Decoding them takes half as long as all else."""
    if mail is None or (mail.tags and not options.tag_headers and not options.keep_subject):
        return False
    return options.keep_subject or bool(mail.headers)


def with_headers(events: list[Event], mail: HeadedMail | None, options: Options) -> list[Event]:
    """Return the events of a record with what its headers add."""
    if mail is None:
        return events
    tags = _header_tags(mail.headers or [], options.tag_headers, events[0].tags)
    subject = _subject(mail) if options.keep_subject else None
    return [msgspec.structs.replace(event, tags=tags, subject=subject) for event in events]


def _header_tags(
    headers: Iterable[Header], tag_headers: dict[str, str], own: dict[str, list[str]]
) -> dict[str, list[str]]:
    """Return the message's own tags, and those of headers that it has no tag of that name for.

    The tags that SES accepted replace those of its header altogether ("Send email using Amazon SES event publishing").
    """
    listed: dict[str, list[str]] = {}
    accepted: dict[str, list[str]] = {}
    for header in headers:
        name, value = (header.name or "").strip().lower(), header.value or ""
        if name == MESSAGE_TAGS:
            for tag, _, text in (pair.partition("=") for pair in value.split(",")):
                if TAG_NAME.fullmatch(tag.strip()):
                    accepted.setdefault(tag.strip(), []).append(_value(text))
        elif tag := tag_headers.get(name):
            listed.setdefault(tag, []).append(_value(value))
    return listed | (own or accepted)


def _value(text: str) -> str:
    """Return a header's value as a tag's; an empty one, which is counted as invalid, if it cannot be one."""
    value = _decode(text).strip()
    return value if len(value) <= MAX_VALUE_CHARACTERS and value.isprintable() else ""


def _subject(mail: HeadedMail) -> str | None:
    common = mail.common_headers.subject if mail.common_headers else None
    subjects = [common, *(each.value for each in mail.headers or [] if (each.name or "").strip().lower() == "subject")]
    subject = next(filter(None, subjects), "")
    return " ".join(_decode(subject).split())[:MAX_SUBJECT_CHARACTERS] or None


def _decode(text: str) -> str:
    """Decode encoded words (RFC 2047); return what cannot be decoded as it is."""
    if "=?" not in text:
        return text
    try:
        decoded = str(make_header(decode_header(text[:MAX_HEADER_CHARACTERS])))
    except (MessageError, LookupError, ValueError):
        return text
    return decoded.encode("utf-8", "replace").decode()  # some charsets have halves of surrogate pairs
