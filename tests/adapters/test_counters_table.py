import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aftersend.aws.counters_table import (
    ATTRIBUTES,
    CODES,
    COMMIT_ATTEMPTS,
    PROVIDER_CODES,
    SUFFIXES,
    TIME_CODES,
    CheckpointMoved,
    CountersTable,
)
from aftersend.counting import (
    ALL_MEASURES,
    MAX_ITEMS_PER_COMMIT,
    PROVIDER,
    SIMULATED,
    SLOTS,
    START,
    TIME_MEASURES,
    Checkpoint,
    Row,
    pad_sequence_number,
)
from aftersend.mailbox_providers import PROVIDERS
from aftersend.operations.parallel import in_parallel
from tests.fakes import immediate_attempts

HOUR = datetime(2026, 3, 14, 9, tzinfo=UTC)
ROW = Row("campaign", "spring-catalogue", HOUR)
COUNTS = Counter({(ROW, "open"): 2, (ROW, "send"): 3})
ONE, TWO = (tuple(pad_sequence_number(number) for _ in range(SLOTS)) for number in "12")


@pytest.fixture
def table(moto_dynamodb: Any) -> CountersTable:
    return CountersTable(moto_dynamodb, "counters")


@pytest.fixture
def table_to_read(dynamodb: Any) -> CountersTable:
    """Return a table in the model, for tests of what readers add up from many queries."""
    return CountersTable(dynamodb, "counters")


def test_commit_adds_counts_and_advances_the_checkpoint(table: CountersTable, dynamodb: Any):
    table.commit("shard", None, ONE, COUNTS)
    table.commit("shard", ONE, TWO, COUNTS)
    assert list(table.rows()) == [(ROW, {"open": 4, "send": 6})]
    assert table.checkpoint("shard") == CountersTable(dynamodb, "counters").checkpoint("shard") == TWO


def test_every_shard_has_its_own_checkpoint(table: CountersTable, dynamodb: Any):
    table.commit("one", None, ONE, COUNTS)
    table.commit("other", None, TWO, COUNTS)
    other_process = CountersTable(dynamodb, "counters")
    assert [other_process.checkpoint(shard) for shard in ("one", "other", "none")] == [ONE, TWO, None]


@pytest.mark.parametrize("expected", [None, START])
def test_commit_with_another_expected_checkpoint_counts_nothing(table: CountersTable, expected: Checkpoint | None):
    table.commit("shard", None, ONE, COUNTS)
    with pytest.raises(CheckpointMoved):
        table.commit("shard", expected, TWO, COUNTS)
    assert list(table.rows()) == [(ROW, {"open": 2, "send": 3})]


def test_checkpoint_is_read_once_per_process_and_again_after_another_process_moved_it(dynamodb: Any):
    one, other = (CountersTable(CountingReads(dynamodb), "counters") for _ in range(2))
    assert [one.checkpoint("shard"), one.checkpoint("shard")] == [None, None]
    other.commit("shard", None, ONE, COUNTS)
    with pytest.raises(CheckpointMoved):
        one.commit("shard", None, TWO, COUNTS)
    assert one.checkpoint("shard") == ONE
    one.commit("shard", ONE, TWO, COUNTS)
    assert one.checkpoint("shard") == TWO
    assert one._dynamodb.reads == 2


class CountingReads:
    """DynamoDB that counts how often an item is read."""

    def __init__(self, dynamodb: Any) -> None:
        self.dynamodb, self.reads = dynamodb, 0

    def get_item(self, **call: Any) -> Any:
        self.reads += 1
        return self.dynamodb.get_item(**call)

    def transact_write_items(self, **call: Any) -> Any:
        return self.dynamodb.transact_write_items(**call)


def test_row_is_read_back_whatever_characters_its_tag_and_value_have(table: CountersTable):
    row = Row("ses:from-domain", "a#b.example", HOUR)
    table.commit("shard", None, ONE, Counter({(row, "send"): 1}))
    assert [stored for stored, _ in table.rows()] == [row]


def test_hours_and_measures_of_a_tag_value_and_day_are_one_item(table: CountersTable, dynamodb: Any):
    hours = [HOUR.replace(hour=hour) for hour in range(24)]
    counts = Counter({(Row("campaign", "spring", hour), "open"): hour.hour + 1 for hour in hours})
    table.commit("shard", None, ONE, counts)
    assert dynamodb.scan(TableName="counters")["Count"] == 1 + len(["checkpoint"])
    assert {(row.hour, measures["open"]) for row, measures in table.rows()} == {(each, each.hour + 1) for each in hours}


def test_every_measure_has_a_code_of_its_own():
    measures = {*ALL_MEASURES, *(SIMULATED + name for name in ALL_MEASURES)}
    assert CODES.keys() == measures
    assert TIME_CODES.keys() == set(TIME_MEASURES)
    assert len(ATTRIBUTES) == 24 * len(measures) + len(TIME_MEASURES)
    assert all(re.fullmatch(r"[a-zA-Z]{1,2}\d{1,2}", name) for name in ATTRIBUTES)  # no word that DynamoDB reserves


def test_attributes_that_are_no_counters_are_ignored(table: CountersTable, dynamodb: Any):
    table.commit("shard", None, ONE, COUNTS)
    [key] = [item for item in dynamodb.scan(TableName="counters")["Items"] if "checkpoint" not in item]
    dynamodb.put_item(TableName="counters", Item=key | {"note": {"S": "by hand"}, "z99": {"N": "1"}})
    assert list(table.rows()) == [(ROW, {"open": 2, "send": 3})]


def test_latest_hour_of_a_day_is_that_of_the_latest_row_of_the_values(table_to_read: CountersTable):
    for value, hour in (("ab", 9), ("ab", 12), ("a", 13), ("abc", 14)):
        counts = Counter({(Row("campaign", value, HOUR.replace(hour=hour)), "send"): 1})
        table_to_read.commit(f"{value}-{hour}", None, ONE, counts)
    assert table_to_read.latest_hour("campaign", ["ab"], HOUR.date()) == HOUR.replace(hour=12)
    assert table_to_read.latest_hour("campaign", ["ab", "a"], HOUR.date()) == HOUR.replace(hour=13)
    assert table_to_read.latest_hour("campaign", ["none"], HOUR.date()) is None
    assert table_to_read.latest_hour("campaign", ["ab"], HOUR.date() - timedelta(days=1)) is None


def test_shards_count_in_partitions_of_their_own_and_every_reader_reads_all(
    table_to_read: CountersTable, dynamodb: Any
):
    for number in range(40):
        table_to_read.commit(f"shard-{number}", None, ONE, COUNTS)
    items = [item for item in dynamodb.scan(TableName="counters")["Items"] if "checkpoint" not in item]
    assert {item["partition_key"]["S"] for item in items} == {f"campaign#2026-03-14#{each}" for each in range(SUFFIXES)}
    assert sum(measures["send"] for _, measures in table_to_read.rows()) == 40 * 3
    assert table_to_read.totals("campaign", [HOUR])["send"] == 40 * 3


@pytest.mark.parametrize("tag", ["campaign", PROVIDER])
def test_sums_of_one_value_are_those_among_all_values(table_to_read: CountersTable, dynamodb: Any, tag: str):
    hours = [HOUR, HOUR + timedelta(hours=1), HOUR - timedelta(days=1)]
    for number, (value, hour) in enumerate(product(("gmail", "yahoo"), (*hours, HOUR - timedelta(days=9)))):
        for shard in range(3):
            counts = Counter({(Row(tag, value, hour), "send"): number + 1})
            table_to_read.commit(f"{value}-{hour}-{shard}", None, ONE, counts)
    for each in (map, in_parallel):
        reader = CountersTable(dynamodb, "counters", each=each)
        sums = reader.sums(tag, hours)
        assert sums["gmail"] == {hour: {"send": 3 * (number + 1)} for number, hour in enumerate(hours)}
        assert reader.sums(tag, hours, "gmail") == {"gmail": sums["gmail"]}
        assert reader.sums(tag, hours, "none") == {}


def test_item_expires_after_its_last_hour_was_kept_long_enough(dynamodb: Any):
    CountersTable(dynamodb, "counters", retention_days=10).commit("shard", None, ONE, COUNTS)
    [item] = [item for item in dynamodb.scan(TableName="counters")["Items"] if "checkpoint" not in item]
    assert datetime.fromtimestamp(int(item["expires"]["N"]), UTC) == datetime(2026, 3, 25, tzinfo=UTC)


def test_commit_takes_as_many_items_as_fit_into_a_transaction(table: CountersTable):
    rows = [Row("campaign", f"value-{number}", HOUR) for number in range(MAX_ITEMS_PER_COMMIT)]
    table.commit("shard", None, ONE, Counter((row, "send") for row in rows))
    assert len(list(table.rows())) == MAX_ITEMS_PER_COMMIT


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
    CountersTable(cancelling, "counters", attempts=immediate_attempts).commit("shard", None, ONE, COUNTS)
    assert table.checkpoint("shard") == ONE


@pytest.mark.parametrize(("times", "reason"), [(COMMIT_ATTEMPTS, "TransactionConflict"), (1, "ValidationError")])
def test_transaction_that_stays_cancelled_is_an_error(dynamodb: Any, times: int, reason: str):
    cancelling = CancellingDynamoDB(dynamodb, times, reason)
    with pytest.raises(ClientError):
        CountersTable(cancelling, "counters", attempts=immediate_attempts).commit("shard", None, ONE, COUNTS)


def test_every_mailbox_provider_has_a_code_of_its_own():
    assert PROVIDER_CODES.keys() == {*PROVIDERS.values(), "other"}
    assert len(set(PROVIDER_CODES.values())) == len(PROVIDER_CODES)


def test_providers_of_an_hour_are_one_item_and_are_read_back(table: CountersTable, dynamodb: Any):
    hours = [HOUR, HOUR.replace(hour=23)]
    counts = Counter(
        {
            (Row("aftersend:provider", provider, hour), measure): number
            for number, provider in enumerate(("gmail", "mail.ru", "other"), 1)
            for hour in hours
            for measure in ("send", "hard_bounce", "simulated_delivery")
        }
    )
    table.commit("shard", None, ONE, counts)
    items = dynamodb.scan(TableName="counters")["Items"]
    assert sorted(item["sort_key"]["S"] for item in items if "checkpoint" not in item) == ["09", "23"]
    assert {(row, name): count for row, measures in table.rows() for name, count in measures.items()} == counts
