from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from aftersend.aws.serialization import serialize
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.aws.tombstones import Tombstones
from aftersend.events import Event
from aftersend.ledger import NewerSchema
from aftersend.recorder import Conflict
from aftersend.suppression import Entry, Policy
from tests.event_factory import READER, a_bounce, a_complaint, a_not_spam_report, decide_everywhere

pytestmark = pytest.mark.usefixtures("moto_dynamodb")


@pytest.fixture
def table(dynamodb: Any) -> SuppressionsTable:
    return SuppressionsTable(dynamodb, "suppressions")


def an_entry(*events: Event) -> Entry:
    entry = decide_everywhere(events or [a_bounce()], Policy())
    assert entry is not None
    return entry


def test_recipient_who_is_not_suppressed_has_no_entry(table: SuppressionsTable):
    assert table.entries_of(READER).get("*") is None
    assert list(table.entries()) == []


@pytest.mark.parametrize(
    "entry", [an_entry(), an_entry(a_complaint(), a_not_spam_report())], ids=["in force", "lifted"]
)
def test_entry_is_read_as_it_was_written(table: SuppressionsTable, entry: Entry):
    table.replace(None, new=entry)
    assert table.entries_of(READER).get("*") == msgspec.structs.replace(entry, version=1)
    assert list(table.entries()) == [table.entries_of(READER).get("*")]


def test_each_write_increments_the_version(table: SuppressionsTable):
    for version in range(3):
        table.replace(table.entries_of(READER).get("*"), new=an_entry())
        entry = table.entries_of(READER).get("*")
        assert entry is not None
        assert entry.version == version + 1


def test_creating_an_entry_that_exists_is_a_conflict(table: SuppressionsTable):
    table.replace(None, new=an_entry())
    with pytest.raises(Conflict):
        table.replace(None, new=an_entry(a_complaint()))


def test_replacing_an_entry_that_changed_meanwhile_is_a_conflict(table: SuppressionsTable):
    table.replace(None, new=an_entry())
    expected = table.entries_of(READER).get("*")
    table.replace(expected, new=an_entry(a_complaint()))
    with pytest.raises(Conflict):
        table.replace(expected, new=an_entry())
    entry = table.entries_of(READER).get("*")
    assert entry is not None
    assert entry.rule == "complaint"


def test_entry_of_a_newer_version_is_refused_instead_of_guessed_at(table: SuppressionsTable, dynamodb: Any):
    item = {"partition_key": READER, "sort_key": "*", "recipient": READER, "schema": 2, "why": {"rule": "new"}}
    dynamodb.put_item(TableName="suppressions", Item=serialize(item))
    with pytest.raises(NewerSchema, match="schema 2, newer than 1"):
        table.entries_of(READER)


def test_every_item_has_the_version_of_its_layout(table: SuppressionsTable, dynamodb: Any):
    table.replace(None, new=an_entry())
    Tombstones(dynamodb, "suppressions", lambda: "key").put(READER, datetime.now(UTC))
    items = dynamodb.scan(TableName="suppressions")["Items"]
    assert [item["schema"] for item in items] == [{"N": "1"}, {"N": "1"}]


def test_tombstones_are_no_entries(table: SuppressionsTable, dynamodb: Any):
    Tombstones(dynamodb, "suppressions", lambda: "key").put(READER, datetime.now(UTC))
    assert list(table.entries()) == []
