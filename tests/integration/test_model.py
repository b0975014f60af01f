"""Compare the model of DynamoDB in tests/world with the emulator."""

import time
from typing import Any

import boto3
import pytest

from aftersend.aws.serialization import serialize
from aftersend.contract import FEEDBACK_INDEXES
from local.pipeline import LocalPipeline
from tests.world.conformance import table_definition, transcript
from tests.world.test_model import model_transcript
from tests.world.world import World, function_process


@pytest.fixture
def table(pipeline: LocalPipeline) -> str:
    """Create a table with a stream and the ledger's indexes for one test."""
    dynamodb = pipeline.ses.emulator_client("dynamodb")
    name = f"conformance-{time.monotonic_ns()}"
    dynamodb.create_table(
        **table_definition(name, FEEDBACK_INDEXES),
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return name


@pytest.mark.parametrize("seed", range(3))
def test_model_answers_as_the_emulator_does(pipeline: LocalPipeline, table: str, seed: int):
    with function_process():
        assert model_transcript(seed) == transcript(pipeline.ses.emulator_client("dynamodb"), table, seed=seed)


def test_stream_of_the_model_has_the_records_of_the_emulators_stream(pipeline: LocalPipeline, table: str):
    dynamodb, world = pipeline.ses.emulator_client("dynamodb"), World(1)
    changes = [("a", 1), ("b", 1), ("a", 1), ("a", 2), ("b", 1), ("a", 1)]
    for partition, number in changes:
        put = serialize({"partition_key": partition, "sort_key": "s", "number": number})
        dynamodb.put_item(TableName=table, Item=put)
        world.dynamodb.PutItem({"TableName": "ledger", "Item": put})
    dynamodb.delete_item(TableName=table, Key=serialize({"partition_key": "a", "sort_key": "s"}))
    world.dynamodb.DeleteItem({"TableName": "ledger", "Key": serialize({"partition_key": "a", "sort_key": "s"})})
    [shard] = world.dynamodb.tables["ledger"].shards
    assert [(record.name, record.new, record.old) for record in shard.records] == stream_records(pipeline, table)


def stream_records(pipeline: LocalPipeline, table: str) -> list[tuple[str, Any, Any]]:
    """Return event name, new image and old image of each record of a table's stream in the emulator."""
    streams = boto3.client("dynamodbstreams", endpoint_url=pipeline.run.endpoint)
    arn = pipeline.ses.emulator_client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in records]
    assert numbers == sorted(numbers)
    return [
        (record["eventName"], record["dynamodb"].get("NewImage"), record["dynamodb"].get("OldImage"))
        for record in records
    ]
