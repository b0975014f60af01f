from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aftersend.aws.counters_table import COMMIT_ATTEMPTS, CheckpointMoved, CountersTable
from aftersend.counting import Row
from tests.fakes import immediate_attempts

HOUR = datetime(2026, 3, 14, 9, tzinfo=UTC)
ROW = Row("campaign", "spring-catalogue", HOUR)
COUNTS = Counter({(ROW, "open"): 2, (ROW, "send"): 3})


@pytest.fixture
def table(dynamodb: Any) -> CountersTable:
    return CountersTable(dynamodb, "counters")


def test_commit_adds_counts_and_advances_the_checkpoint(table: CountersTable):
    table.commit("shard", 0, None, "1", COUNTS)
    table.commit("shard", 0, "1", "2", COUNTS)
    assert list(table.rows()) == [(ROW, {"open": 4, "send": 6})]
    assert table.checkpoints("shard") == {0: "2"}


def test_every_shard_and_slot_has_its_own_checkpoint(table: CountersTable):
    for shard, slot, checkpoint in (("one", 0, "1"), ("one", 1, "2"), ("other", 0, "3")):
        table.commit(shard, slot, None, checkpoint, COUNTS)
    assert (table.checkpoints("one"), table.checkpoints("other"), table.checkpoints("none")) == (
        {0: "1", 1: "2"},
        {0: "3"},
        {},
    )


@pytest.mark.parametrize("expected", [None, "0"])
def test_commit_with_another_expected_checkpoint_counts_nothing(table: CountersTable, expected: str | None):
    table.commit("shard", 0, None, "1", COUNTS)
    with pytest.raises(CheckpointMoved):
        table.commit("shard", 0, expected, "2", COUNTS)
    assert list(table.rows()) == [(ROW, {"open": 2, "send": 3})]


def test_row_is_read_back_whatever_characters_its_tag_and_value_have(table: CountersTable):
    row = Row("ses:from-domain", "a#b.example", HOUR)
    table.commit("shard", 0, None, "1", Counter({(row, "send"): 1}))
    assert [stored for stored, _ in table.rows()] == [row]


def test_rows_of_a_tag_value_and_day_are_one_query(table: CountersTable, dynamodb: Any):
    table.commit("shard", 0, None, "1", COUNTS)
    response = dynamodb.query(
        TableName="counters",
        KeyConditionExpression="partition_key = :day AND begins_with(sort_key, :value)",
        ExpressionAttributeValues={":day": {"S": "campaign#2026-03-14"}, ":value": {"S": "spring-catalogue#"}},
    )
    assert response["Count"] == 1


def test_latest_hour_of_a_tag_value_is_that_of_its_latest_row(table: CountersTable):
    for value, hour in (("ab", 9), ("ab", 12), ("a", 13), ("abc", 14)):
        table.commit(
            f"{value}-{hour}", 0, None, "1", Counter({(Row("campaign", value, HOUR.replace(hour=hour)), "send"): 1})
        )
    assert table.latest_hour("campaign", "ab", HOUR.date()) == HOUR.replace(hour=12)
    assert table.latest_hour("campaign", "none", HOUR.date()) is None
    assert table.latest_hour("campaign", "ab", HOUR.date() - timedelta(days=1)) is None


def test_row_can_be_spread_over_several_items(dynamodb: Any):
    table = CountersTable(dynamodb, "counters", shard_suffixes=8)
    for number in range(20):
        table.commit(f"shard-{number}", 0, None, "1", COUNTS)
    rows = list(table.rows())
    assert len(rows) > 1
    assert sum(measures["send"] for _, measures in rows) == 60


def test_commit_takes_as_many_rows_as_fit_into_a_transaction(table: CountersTable):
    counts = Counter({(Row("campaign", f"value-{number}", HOUR), "send"): 1 for number in range(99)})
    table.commit("shard", 0, None, "1", counts)
    assert len(list(table.rows())) == 99


class CancellingDynamoDB:
    """DynamoDB that cancels a number of transactions for a reason."""

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


def test_transaction_conflict_is_retried(table: CountersTable, dynamodb: Any):
    cancelling = CancellingDynamoDB(dynamodb, COMMIT_ATTEMPTS - 1)
    CountersTable(cancelling, "counters", attempts=immediate_attempts).commit("shard", 0, None, "1", COUNTS)
    assert table.checkpoints("shard") == {0: "1"}


@pytest.mark.parametrize(("times", "reason"), [(COMMIT_ATTEMPTS, "TransactionConflict"), (1, "ValidationError")])
def test_transaction_that_stays_cancelled_is_an_error(dynamodb: Any, times: int, reason: str):
    cancelling = CancellingDynamoDB(dynamodb, times, reason)
    with pytest.raises(ClientError):
        CountersTable(cancelling, "counters", attempts=immediate_attempts).commit("shard", 0, None, "1", COUNTS)
