"""The words for why a record came to no event: the code, the documentation and what is said to people agree."""

import re

from aftersend.reasons import IGNORED, UNREADABLE
from aftersend.strangers import ABOUT_SES, STRANGERS
from tests.records import EVENTS

PROJECT = EVENTS.parent.parent
REASON = r'"([a-z0-9]+(?:-[a-z0-9]+)*)"'


def said_by(outcome: str, *files: str) -> set[str]:
    return {word for file in files for word in re.findall(rf"{outcome}\({REASON}", (PROJECT / file).read_text())}


def test_every_word_is_explained_and_none_is_idle():
    strangers = {reason for reason, _ in STRANGERS} | {reason for _, reason in ABOUT_SES} | {"ses-other"}
    assert said_by("Ignored", "aftersend/reading.py") | strangers | {"no-records", "expired"} == set(IGNORED)
    assert said_by("Unreadable", "aftersend/reading.py", "aftersend/recording.py") == set(UNREADABLE)


def test_the_documentation_has_the_same_table():
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.*) \|$", (PROJECT / "docs" / "events.md").read_text(), re.MULTILINE)
    assert rows == [*IGNORED.items(), *UNREADABLE.items()]
