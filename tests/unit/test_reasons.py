"""The words for why a record came to no event: the code, the documentation and what is said to people agree."""

import re

from aftersend.parsing.foreign_records import FOREIGN_RECORDS, SES_DETAIL_TYPES
from aftersend.parsing.reasons import IGNORED_REASONS, UNREADABLE_REASONS
from tests.record_files import EVENTS

PROJECT = EVENTS.parent.parent
REASON = r'"([a-z0-9]+(?:-[a-z0-9]+)*)"'


def said_by(outcome: str, *files: str) -> set[str]:
    return {word for file in files for word in re.findall(rf"{outcome}\({REASON}", (PROJECT / file).read_text())}


def test_every_word_is_explained_and_none_is_idle():
    strangers = {reason for reason, _ in FOREIGN_RECORDS} | {reason for _, reason in SES_DETAIL_TYPES} | {"ses-other"}
    assert said_by("Ignored", "aftersend/parsing/parser.py") | strangers | {"no-records", "expired"} == set(
        IGNORED_REASONS
    )
    assert said_by("Unreadable", "aftersend/parsing/parser.py", "aftersend/recorder.py") == set(UNREADABLE_REASONS)


def test_the_documentation_has_the_same_table():
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.*) \|$", (PROJECT / "docs" / "events.md").read_text(), re.MULTILINE)
    assert rows == [*IGNORED_REASONS.items(), *UNREADABLE_REASONS.items()]
