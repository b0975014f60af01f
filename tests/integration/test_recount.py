"""Recount the deployed pipeline's counters, after they were damaged and a batch of changes was given up."""

import json
from collections.abc import Generator
from typing import Any

import pytest

from aftersend.aws.counters_table import COUNTERS_PARTITION
from aftersend.contract import PARTITION_KEY, SORT_KEY
from local.pipeline import LocalPipeline
from tests.integration.test_operations import run
from tests.integration.test_pipeline import a_bounce_of, wait_for


@pytest.fixture
def mapping(pipeline: LocalPipeline) -> Generator[str]:
    """Return the id of the mapping of count_tags, and leave it enabled."""
    yield pipeline.outputs["CountTagsMappingId"]
    enable(pipeline, True)


def enable(pipeline: LocalPipeline, enabled: bool) -> None:
    mapping = pipeline.outputs["CountTagsMappingId"]
    pipeline.ses.emulator_client("lambda").update_event_source_mapping(UUID=mapping, Enabled=enabled)


def counts(pipeline: LocalPipeline) -> dict[Any, int]:
    return {key: count for key, count in pipeline.result().counts.items() if count}


def publish(pipeline: LocalPipeline, *recipients: str) -> None:
    for recipient in recipients:
        pipeline.ses.emulator_client("sqs").send_message(
            QueueUrl=pipeline.outputs["FeedbackQueueUrl"], MessageBody=a_bounce_of(recipient)
        )
    wait_for(lambda: all(recipient in pipeline.result().entries for recipient in recipients), "all are suppressed")


def bounces(pipeline: LocalPipeline) -> int:
    return sum(count for key, count in counts(pipeline).items() if key.measure == "hard_bounce")


def give_up(pipeline: LocalPipeline, *recipients: str) -> str:
    """Record events that count_tags skips, as if Lambda had given up their batch, and return the object it stored."""
    enable(pipeline, False)
    dynamodb, counters = pipeline.ses.emulator_client("dynamodb"), pipeline.outputs["CountersTableName"]
    shard = {PARTITION_KEY: {"S": "checkpoint#the-only-shard"}}
    table = dynamodb.describe_table(TableName=pipeline.outputs["LedgerTableName"])["Table"]
    streams = pipeline.ses.emulator_client("dynamodbstreams")
    described = streams.describe_stream(StreamArn=table["LatestStreamArn"])["StreamDescription"]
    start = streams.get_shard_iterator(
        StreamArn=table["LatestStreamArn"], ShardId=described["Shards"][0]["ShardId"], ShardIteratorType="LATEST"
    )["ShardIterator"]
    publish(pipeline, *recipients)
    records: list[Any] = []
    while page := (answer := streams.get_records(ShardIterator=start))["Records"]:
        records += page
        start = answer["NextShardIterator"]
    for slot in ("0", "1"):
        last = {"checkpoint": {"S": records[-1]["dynamodb"]["SequenceNumber"].zfill(40)}}
        dynamodb.put_item(TableName=counters, Item={**shard, SORT_KEY: {"S": slot}, **last})
    enable(pipeline, True)
    for record in records:
        record["dynamodb"].pop("ApproximateCreationDateTime", None)
    document = {"DDBStreamBatchInfo": {}, "payload": json.dumps({"Records": records[-len(recipients) :]})}
    key = f"aws/lambda/{pipeline.outputs['CountTagsMappingId']}/shard/1"
    s3 = pipeline.ses.emulator_client("s3")
    s3.put_object(Bucket=pipeline.outputs["ArchiveBucketName"], Key=key, Body=json.dumps(document).encode())
    return key


def damage(pipeline: LocalPipeline) -> None:
    """Delete an item of the counters, and change a number of every second one. What functions remember is unharmed."""
    dynamodb, table = pipeline.ses.emulator_client("dynamodb"), pipeline.outputs["CountersTableName"]
    pages = dynamodb.get_paginator("scan").paginate(TableName=table)
    items = [item for page in pages for item in page["Items"] if COUNTERS_PARTITION.fullmatch(item[PARTITION_KEY]["S"])]
    for number, item in enumerate(items):
        names = [name for name, value in item.items() if "N" in value and name != "expires"]
        if number % 2 == 0:
            item[names[0]] = {"N": "4711"}
            dynamodb.put_item(TableName=table, Item=item)
    key = {name: items[-1][name] for name in (PARTITION_KEY, SORT_KEY)}
    dynamodb.delete_item(TableName=table, Key=key)


def test_damaged_counters_and_a_batch_that_was_given_up_are_recounted_in_one_command(
    pipeline: LocalPipeline, mapping: str
):
    publish(pipeline, "recount-1@mail.example", "recount-2@mail.example")
    before = wait_for(lambda: bounces(pipeline) or None, "bounces are counted")
    assert before
    wait_for(lambda: run("recount", "--dry-run").exit_code == 0, "everything is counted")
    whole = counts(pipeline)
    key = give_up(pipeline, "recount-3@mail.example", "recount-4@mail.example")
    damage(pipeline)
    assert run("recount", "--dry-run").exit_code == 1
    assert run("recount", given="n\n").exit_code == 1
    assert run("recount", "--yes").exit_code == 0
    recounted = counts(pipeline)
    assert {name: count for name, count in recounted.items() if name.measure != "hard_bounce"} == {
        name: count for name, count in whole.items() if name.measure != "hard_bounce"
    }
    tags = {name.tag for name in recounted if name.measure == "hard_bounce"}
    for tag in tags:
        had, has = (
            sum(count for name, count in each.items() if (name.tag, name.measure) == (tag, "hard_bounce"))
            for each in (whole, recounted)
        )
        assert has == had + 2
    listed = pipeline.ses.emulator_client("s3").list_objects_v2(
        Bucket=pipeline.outputs["ArchiveBucketName"], Prefix=key
    )
    assert listed.get("KeyCount", 0) == 0
    publish(pipeline, "recount-5@mail.example")
    wait_for(lambda: run("recount", "--dry-run", "--json").exit_code == 0, "counting goes on")
