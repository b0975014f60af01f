"""Read message tags from requests and headers, and check them as SES does."""

import re
from collections.abc import Iterable, Mapping

from local.ses.responses import RequestError

_TEXT = re.compile(r"[A-Za-z0-9_-]{1,256}")
"""What SES accepts as the name or value of a message tag ("MessageTag" in the SES API v2 reference)."""

_FEEDBACK_IDS = ("ses:feedback-id-a", "ses:feedback-id-b")
"""The only names with a colon ("Monitor email sending using event publishing" in the SES developer guide)."""

Tags = dict[str, list[str]]


def tags_of(parameters: Iterable[Mapping[str, str]]) -> Tags:
    """Return the tags of a request parameter: a list of `Name` and `Value`."""
    return _checked((tag["Name"], tag["Value"]) for tag in parameters)


def tags_of_header(value: str) -> Tags:
    """Return the tags of an X-SES-MESSAGE-TAGS header: `name=value, name=value`."""
    pairs = [pair.strip() for pair in value.split(",") if pair.strip()]
    for pair in pairs:
        if "=" not in pair:
            raise RequestError("InvalidParameterValue", f"Invalid tag <{pair}>: a tag must have the form name=value.")
    return _checked(tuple(text.strip() for text in pair.split("=", 1)) for pair in pairs)


def _checked(pairs: Iterable[tuple[str, ...]]) -> Tags:
    tags: Tags = {}
    for name, value in pairs:
        for kind, text, others in (("name", name, _FEEDBACK_IDS), ("value", value, ())):
            if not _TEXT.fullmatch(text) and text not in others:
                reason = f"Invalid tag {kind} <{text}>: only alphanumeric ASCII characters, '_', and '-' are allowed."
                raise RequestError("InvalidParameterValue", reason)
        tags.setdefault(name, []).append(value)
    return tags
