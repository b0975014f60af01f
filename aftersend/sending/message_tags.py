"""Check message tags by the rules of SES, and write them for its headers and for links.

Sources: "MessageTag" in the SES API v2 reference; "Monitoring email sending using event publishing" and "Send email
using Amazon SES event publishing" in the developer guide. How many tags a message may have is not documented.
"""

import re
from collections.abc import Mapping

MAX_CHARACTERS = 256
"""Characters of a name or a value; at least one."""

FEEDBACK_ID_NAMES = ("ses:feedback-id-a", "ses:feedback-id-b")
"""The only names with a colon that senders may set. Their values become part of the header Feedback-ID."""

REFUSED_CHARACTER = re.compile(r"[^A-Za-z0-9_-]")
SES_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Names of configuration sets, contact lists and topics."""

HEADER_NAME = re.compile(r"[!-9;-~]+")
"""RFC 5322, section 2.2: printable ASCII characters except the colon."""


class InvalidMessage(ValueError):
    """Raised for what SES would refuse or ignore. The text names the tag and the character, not the value: it may be an
    address."""


def name_problem(name: str) -> str | None:
    """Return why SES refuses a tag name; None if it accepts it."""
    if name in FEEDBACK_ID_NAMES:
        return None
    if name.startswith("ses:"):
        return f"The name {_quote(name)} is reserved for SES. Senders may set {' and '.join(FEEDBACK_ID_NAMES)} only."
    return _problem(f"The tag name {_quote(name)}", name)


def value_problem(name: str, value: str) -> str | None:
    """Return why SES refuses the value of a tag; None if it accepts it."""
    return _problem(f"The value of the tag {_quote(name)}", value)


def header_problem(name: str, value: str) -> str | None:
    """Return why a header cannot be a source of tags.

    SES sends a message with other characters than ASCII in such a header, and publishes no CloudWatch metric of it
    ("emailHeader" in "Add an event destination").
    """
    if not HEADER_NAME.fullmatch(name):
        return f"The header name {_quote(name)} has other characters than printable ASCII without : and blanks."
    refused = next((each for each in value if not each.isascii() or not each.isprintable()), None)
    return refused and f"The header {name} contains {_character(refused)}: use printable ASCII characters only."


def check_tags(tags: Mapping[str, str]) -> None:
    """Check the tags of a message.

    Raises:
        InvalidMessage: for the first name or value that SES refuses.
    """
    for name, value in tags.items():
        if problem := name_problem(name) or value_problem(name, value):
            raise InvalidMessage(problem)


def message_tags_value(tags: Mapping[str, str]) -> str:
    """Return the value of the header X-SES-MESSAGE-TAGS, as in `campaign=spring, genre=sci-fi`."""
    check_tags(tags)
    return ", ".join(f"{name}={value}" for name, value in tags.items())


def parse_message_tags(value: str) -> list[tuple[str, str | None]]:
    """Return the names and values in a header X-SES-MESSAGE-TAGS; a value is None where the `=` is missing."""
    pairs = (pair.strip().partition("=") for pair in value.split(",") if pair.strip())
    return [(name.strip(), text.strip() if separator else None) for name, separator, text in pairs]


def link_tags(tags: Mapping[str, str]) -> str:
    """Return the attribute that tags a link, as in `<a ses:tags="position:top" href="…">`.

    Names and values have the characters of message tags (question 19 of "Amazon SES email sending metrics FAQs"). Click
    events have these tags, other events do not.

    Raises:
        InvalidMessage: for the first name or value that SES refuses.
    """
    check_tags(tags)
    if name := next((name for name in tags if ":" in name), None):
        raise InvalidMessage(f"{_quote(name)} is no name of a link tag: a colon separates name and value.")
    return f'ses:tags="{";".join(f"{name}:{value}" for name, value in tags.items())}"'


def _problem(subject: str, text: str) -> str | None:
    if not text:
        return f"{subject} is empty: SES needs 1 to {MAX_CHARACTERS} characters."
    if refused := REFUSED_CHARACTER.search(text):
        where = f"{_character(refused.group())} at position {refused.start() + 1}"
        return f"{subject} contains {where}: use ASCII letters, digits, _ and - only."
    if len(text) > MAX_CHARACTERS:
        return f"{subject} has {len(text)} characters: SES accepts at most {MAX_CHARACTERS}."
    return None


def _quote(name: str) -> str:
    return ascii(name if len(name) <= MAX_CHARACTERS else f"{name[:40]}…").replace("'", '"')


def _character(character: str) -> str:
    return f'"{character}"' if character.isprintable() else f"U+{ord(character):04X}"
