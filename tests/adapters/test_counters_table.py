from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aftersend.aws import clients
from aftersend.aws.counters_table import MOST_ATTEMPTS, CheckpointMoved, CountersTable
from aftersend.counting import Row

HOUR = datetime(2026, 3, 14, 9, tzinfo=UTC)
ROW = Row("campaign", "spring-catalogue", HOUR)
COUNTS = Counter({(ROW, "open"): 2, (ROW, "send"): 3})


@pytest.fixture
def table(dynamodb: Any) -> CountersTable:
    return CountersTable(dynamodb, "counters")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "pause", lambda seconds: None)


def test_counts_add_up_and_the_position_moves(table: CountersTable):
    table.commit("shard", 0, None, "1", COUNTS)
    table.commit("shard", 0, "1", "2", COUNTS)
    assert list(table.rows()) == [(ROW, {"open": 4, "send": 6})]
    assert table.checkpoints("shard") == {0: "2"}


def test_every_shard_and_slot_has_its_own_position(table: CountersTable):
    for shard, slot, position in (("one", 0, "1"), ("one", 1, "2"), ("other", 0, "3")):
        table.commit(shard, slot, None, position, COUNTS)
    assert (table.checkpoints("one"), table.checkpoints("other"), table.checkpoints("none")) == (
        {0: "1", 1: "2"},
        {0: "3"},
        {},
    )


@pytest.mark.parametrize("read", [None, "0"])
def test_where_the_position_is_another_nothing_is_counted(table: CountersTable, read: str | None):
    table.commit("shard", 0, None, "1", COUNTS)
    with pytest.raises(CheckpointMoved):
        table.commit("shard", 0, read, "2", COUNTS)
    assert list(table.rows()) == [(ROW, {"open": 2, "send": 3})]


def test_a_row_says_its_tag_value_and_hour_whatever_characters_they_have(table: CountersTable):
    row = Row("ses:from-domain", "a#b.example", HOUR)
    table.commit("shard", 0, None, "1", Counter({(row, "send"): 1}))
    assert [found for found, _ in table.rows()] == [row]


def test_the_rows_of_a_tag_and_day_are_one_query(table: CountersTable, dynamodb: Any):
    table.commit("shard", 0, None, "1", COUNTS)
    found = dynamodb.query(
        TableName="counters",
        KeyConditionExpression="partition_key = :day AND begins_with(sort_key, :value)",
        ExpressionAttributeValues={":day": {"S": "campaign#2026-03-14"}, ":value": {"S": "spring-catalogue#"}},
    )
    assert found["Count"] == 1


def test_a_row_may_be_spread_over_several_items(dynamodb: Any):
    table = CountersTable(dynamodb, "counters", shard_suffixes=8)
    for number in range(20):
        table.commit(f"shard-{number}", 0, None, "1", COUNTS)
    found = list(table.rows())
    assert len(found) > 1
    assert sum(measures["send"] for _, measures in found) == 60


def test_a_full_transaction_is_taken(table: CountersTable):
    counts = Counter({(Row("campaign", f"value-{number}", HOUR), "send"): 1 for number in range(99)})
    table.commit("shard", 0, None, "1", counts)
    assert len(list(table.rows())) == 99


class Conflicting:
    """DynamoDB in which somebody else is writing the same rows, so many times."""

    def __init__(self, dynamodb: Any, times: int, reason: str = "TransactionConflict") -> None:
        self.dynamodb, self.times, self.reason = dynamodb, times, reason

    def transact_write_items(self, **call: Any) -> Any:
        if not self.times:
            return self.dynamodb.transact_write_items(**call)
        self.times -= 1
        response: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": ""},
            "CancellationReasons": [{"Code": "None"}, {"Code": self.reason}],
        }
        raise ClientError(response, "TransactWriteItems")


def test_a_conflict_with_another_writer_is_tried_again(table: CountersTable, dynamodb: Any):
    CountersTable(Conflicting(dynamodb, MOST_ATTEMPTS - 1), "counters").commit("shard", 0, None, "1", COUNTS)
    assert table.checkpoints("shard") == {0: "1"}


@pytest.mark.parametrize(("times", "reason"), [(MOST_ATTEMPTS, "TransactionConflict"), (1, "ValidationError")])
def test_what_does_not_go_away_is_an_error(dynamodb: Any, times: int, reason: str):
    with pytest.raises(ClientError):
        CountersTable(Conflicting(dynamodb, times, reason), "counters").commit("shard", 0, None, "1", COUNTS)
