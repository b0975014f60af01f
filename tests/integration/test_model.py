"""The model of the world, held against the emulator."""

import time
from typing import Any

import boto3
import pytest

from aftersend.aws.serialization import serialize
from local.pipeline import LocalPipeline
from tests.world.conformance import transcript
from tests.world.test_model import model_transcript
from tests.world.world import World, function_process


@pytest.fixture
def table(pipeline: LocalPipeline) -> str:
    """A table of its own, with a stream."""
    dynamodb = pipeline.ses.emulated("dynamodb")
    name = f"conformance-{time.monotonic_ns()}"
    keys = {"partition_key": "HASH", "sort_key": "RANGE"}
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": role} for key, role in keys.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return name


@pytest.mark.parametrize("seed", range(3))
def test_the_model_answers_as_the_emulator_does(pipeline: LocalPipeline, table: str, seed: int):
    with function_process():
        assert model_transcript(seed) == transcript(pipeline.ses.emulated("dynamodb"), table, seed=seed)


def test_the_models_stream_tells_what_the_emulators_does(pipeline: LocalPipeline, table: str):
    dynamodb, world = pipeline.ses.emulated("dynamodb"), World(1)
    changes = [("a", 1), ("b", 1), ("a", 1), ("a", 2), ("b", 1), ("a", 1)]
    for partition, number in changes:
        put = serialize({"partition_key": partition, "sort_key": "s", "number": number})
        dynamodb.put_item(TableName=table, Item=put)
        world.dynamodb.PutItem({"TableName": "ledger", "Item": put})
    dynamodb.delete_item(TableName=table, Key=serialize({"partition_key": "a", "sort_key": "s"}))
    world.dynamodb.DeleteItem({"TableName": "ledger", "Key": serialize({"partition_key": "a", "sort_key": "s"})})
    [shard] = world.dynamodb.tables["ledger"].shards
    assert [(record.name, record.new, record.old) for record in shard.records] == of_the_emulator(pipeline, table)


def of_the_emulator(pipeline: LocalPipeline, table: str) -> list[tuple[str, Any, Any]]:
    streams = boto3.client("dynamodbstreams", endpoint_url=pipeline.emulator_url)
    arn = pipeline.ses.emulated("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in records]
    assert numbers == sorted(numbers)
    return [
        (record["eventName"], record["dynamodb"].get("NewImage"), record["dynamodb"].get("OldImage"))
        for record in records
    ]
