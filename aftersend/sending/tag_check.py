"""Say what SES does with each tag that a message is given. Pure.

What SES does with a header X-SES-MESSAGE-TAGS that has invalid tags is not documented: by the rules of message tags it
refuses the message.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec

from aftersend.sending.interfaces import MESSAGE_TAGS_HEADER
from aftersend.sending.message_tags import header_problem, name_problem, parse_message_tags, value_problem

PARAMETER = "parameter"

ENCODED = "=?"
"""How an encoded word begins (RFC 2047)."""


class Outcome(StrEnum):
    """What SES does with a tag."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """SES does not send the message."""
    DROPPED = "dropped"
    """SES sends the message as if there were no such tag."""


class TagCheck(msgspec.Struct, frozen=True):
    """Hold the result of a check of one tag."""

    source: str
    """PARAMETER, or the name of a header."""
    name: str
    value: str
    outcome: Outcome
    reason: str = ""
    """Why it is not accepted, with the fix."""


def check_parameters(pairs: Iterable[tuple[str, str | None]]) -> list[TagCheck]:
    """Check tags that are given to an operation in a parameter. A value is None where the `=` is missing."""
    return [_check(PARAMETER, name, value) for name, value in pairs]


def check_headers(
    message_headers: Iterable[tuple[str, str]], tag_headers: Mapping[str, str], *, has_parameters: bool
) -> Iterator[TagCheck]:
    """Check the tags in the headers of a message.

    Args:
        message_headers: Names and values, names in any letter case.
        tag_headers: Headers of one's own that are sources of tags: header → tag.
        has_parameters: Whether the request has tags in a parameter, for which SES ignores those of its own header.
    """
    tags = {header.lower(): tag for header, tag in tag_headers.items()}
    for name, value in message_headers:
        if name.lower() == MESSAGE_TAGS_HEADER.lower():
            yield from _check_own_header(value, has_parameters=has_parameters)
        elif tag := tags.get(name.lower()):
            reason = header_problem(name, value)
            yield TagCheck(name, tag, value, Outcome.DROPPED if reason else Outcome.ACCEPTED, reason or "")


def _check_own_header(value: str, *, has_parameters: bool) -> Iterator[TagCheck]:
    if ENCODED in value:
        reason = "Its value has encoded words: write it as it is, in lines of up to 998 characters (HEADER_POLICY)."
        yield TagCheck(MESSAGE_TAGS_HEADER, "", value, Outcome.REFUSED, reason)
        return
    for pair in parse_message_tags(value):
        yield _overridden(*pair) if has_parameters else _check(MESSAGE_TAGS_HEADER, *pair)


def _check(source: str, name: str, value: str | None) -> TagCheck:
    if value is None:
        reason = f'"{name}" is no tag: write NAME=VALUE.'
    else:
        reason = name_problem(name) or value_problem(name, value)
    return TagCheck(source, name, value or "", Outcome.REFUSED if reason else Outcome.ACCEPTED, reason or "")


def _overridden(name: str, value: str | None) -> TagCheck:
    reason = "The request has tags in a parameter: SES ignores those of the header."
    return TagCheck(MESSAGE_TAGS_HEADER, name, value or "", Outcome.DROPPED, reason)
