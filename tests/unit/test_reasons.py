"""Hold the reasons in the code, their explanations and the documentation together."""

import re

from aftersend.parsing.foreign_records import FOREIGN_RECORDS, SES_DETAIL_TYPES
from aftersend.parsing.reasons import IGNORED_REASONS, UNREADABLE_REASONS
from tests.record_files import EVENTS

PROJECT = EVENTS.parent.parent
REASON = r'"([a-z0-9]+(?:-[a-z0-9]+)*)"'


def reasons_in(result: str, *files: str) -> set[str]:
    return {reason for file in files for reason in re.findall(rf"{result}\({REASON}", (PROJECT / file).read_text())}


def test_every_reason_is_explained_and_used():
    foreign = {reason for reason, _ in FOREIGN_RECORDS} | {reason for _, reason in SES_DETAIL_TYPES} | {"ses-other"}
    assert reasons_in("Ignored", "aftersend/parsing/parser.py") | foreign | {"no-records", "expired"} == set(
        IGNORED_REASONS
    )
    assert reasons_in(
        "Unreadable",
        "aftersend/parsing/parser.py",
        "aftersend/parsing/object_notifications.py",
        "aftersend/recorder.py",
        "lambdas/record_archive.py",
    ) == set(UNREADABLE_REASONS)


def test_documentation_has_the_same_table():
    section = (PROJECT / "docs" / "events.md").read_text().partition("## Reasons")[2]
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.*) \|$", section, re.MULTILINE)
    assert rows == [*IGNORED_REASONS.items(), *UNREADABLE_REASONS.items()]
