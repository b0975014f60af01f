"""The model says what others say who speak for DynamoDB (the emulator: tests/integration/test_model.py)."""

import boto3
import pytest
from moto import mock_aws

from aftersend.contract import PARTITION_KEY, SORT_KEY
from tests.world.calls import CLIENTS
from tests.world.conformance import Transcript, transcript
from tests.world.world import World


def of_the_model(seed: int, table: str = "suppressions", *, batches_over_25: bool = True) -> Transcript:
    world = World(seed)
    with world.answering():
        return transcript(CLIENTS["dynamodb"], table, seed=seed, batches_over_25=batches_over_25)


@pytest.mark.parametrize("seed", range(5))
def test_the_model_answers_as_moto_does(seed: int):
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        keys = {PARTITION_KEY: "HASH", SORT_KEY: "RANGE"}
        dynamodb.create_table(
            TableName="table",
            KeySchema=[{"AttributeName": name, "KeyType": role} for name, role in keys.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        of_moto = transcript(dynamodb, "table", seed=seed, batches_over_25=False)  # moto takes larger ones
    assert of_the_model(seed, batches_over_25=False) == of_moto


def test_a_write_that_changes_nothing_leaves_no_record_in_the_stream():
    world = World(1)
    item = {"partition_key": {"S": "a"}, "sort_key": {"S": "b"}, "number": {"N": "1"}}
    for _ in range(3):
        world.dynamodb.PutItem({"TableName": "ledger", "Item": item})
    world.dynamodb.PutItem({"TableName": "ledger", "Item": item | {"number": {"N": "2"}}})
    [shard] = world.dynamodb.tables["ledger"].shards
    assert [record.name for record in shard.records] == ["INSERT", "MODIFY"]


def test_the_records_of_an_item_stay_in_order_when_its_shard_is_split():
    world = World(2)
    for number in range(30):
        world.dynamodb.PutItem(
            {
                "TableName": "ledger",
                "Item": {"partition_key": {"S": f"p{number % 5}"}, "sort_key": {"S": "s"}, "n": {"N": str(number)}},
            }
        )
        if number % 10 == 9:
            world.dynamodb.split("ledger")
    shards = world.dynamodb.tables["ledger"].shards
    assert len(shards) == 7
    for shard in shards:
        assert [record.sequence for record in shard.records] == sorted(record.sequence for record in shard.records)
        if shard.parent and shard.records and shard.parent.records:
            assert shard.records[0].sequence > shard.parent.records[-1].sequence
    assert sum(len(shard.records) for shard in shards) == 30
