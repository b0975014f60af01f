from typing import Any

import msgspec
import pytest

from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.recorder import Conflict
from aftersend.suppression import Entry, Policy, decide
from tests.event_factory import READER, a_bounce, a_complaint, a_not_spam_report


@pytest.fixture
def table(dynamodb: Any) -> SuppressionsTable:
    return SuppressionsTable(dynamodb, "suppressions")


def an_entry(*facts) -> Entry:
    found = decide(facts or [a_bounce()], Policy())
    assert found is not None
    return found


def test_who_is_not_listed_has_no_entry(table: SuppressionsTable):
    assert table.entry(READER) is None
    assert list(table.entries()) == []


@pytest.mark.parametrize(
    "entry", [an_entry(), an_entry(a_complaint(), a_not_spam_report())], ids=["standing", "lifted"]
)
def test_an_entry_is_read_as_it_was_written(table: SuppressionsTable, entry: Entry):
    table.replace(None, new=entry)
    assert table.entry(READER) == msgspec.structs.replace(entry, version=1)
    assert list(table.entries()) == [table.entry(READER)]


def test_each_write_is_a_version(table: SuppressionsTable):
    for version in range(3):
        table.replace(table.entry(READER), new=an_entry())
        found = table.entry(READER)
        assert found is not None
        assert found.version == version + 1


def test_an_entry_that_somebody_made_meanwhile_is_a_conflict(table: SuppressionsTable):
    table.replace(None, new=an_entry())
    with pytest.raises(Conflict):
        table.replace(None, new=an_entry(a_complaint()))


def test_an_entry_that_somebody_changed_meanwhile_is_a_conflict(table: SuppressionsTable):
    table.replace(None, new=an_entry())
    read = table.entry(READER)
    table.replace(read, new=an_entry(a_complaint()))
    with pytest.raises(Conflict):
        table.replace(read, new=an_entry())
    found = table.entry(READER)
    assert found is not None
    assert found.rule == "complaint"
