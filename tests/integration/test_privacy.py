"""Look for recipients in everything that a run logs and prints."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from aftersend.contract import PARTITION_KEY
from local.pipeline import LocalPipeline
from local.traffic import plan_mails
from tests.evaluators.leaks import leaks
from tests.integration.test_operations import run
from tests.integration.test_pipeline import a_bounce_of

PLANTED = "planted@mail.example"
OF_THE_EMULATOR = " SNS publish to "
"""In lines with which the emulator quotes the beginning of a message that is published; SNS logs no such thing."""


def log_texts(pipeline: LocalPipeline) -> dict[str, str]:
    """Return what functions and services have logged, by log group, and what the emulator has printed."""
    logs = pipeline.ses.emulator_client("logs")
    groups = [group["logGroupName"] for page in pages(logs, "describe_log_groups") for group in page["logGroups"]]
    texts = {
        group: "\n".join(
            event["message"]
            for page in pages(logs, "filter_log_events", logGroupName=group)
            for event in page["events"]
        )
        for group in groups
    }
    printed = pipeline.emulator_log.read_text(errors="replace").splitlines()
    return texts | {"the emulator's output": "\n".join(line for line in printed if OF_THE_EMULATOR not in line)}


def pages(client: Any, operation: str, **parameters: str) -> Iterator[Any]:
    return client.get_paginator(operation).paginate(**parameters)


def recipients(pipeline: LocalPipeline) -> set[str]:
    """Return everybody whom an event in the ledger names."""
    dynamodb, table = pipeline.ses.emulator_client("dynamodb"), pipeline.outputs["LedgerTableName"]
    items = (item for page in pages(dynamodb, "scan", TableName=table) for item in page["Items"])
    return {item[PARTITION_KEY]["S"] for item in items if "@" in item[PARTITION_KEY]["S"]}


def test_no_recipient_is_named_in_any_log(pipeline: LocalPipeline, capfd: pytest.CaptureFixture[str]):
    list(pipeline.send(plan_mails(40, 3, datetime.now(UTC))[:40]))
    with retried_at_once(pipeline):
        fail_in_every_way(pipeline)
        list(pipeline.wait_until_processed())
    outputs = [run("doctor").output, run("failures", "list").output, run("failures", "list", "--json").output]
    printed = capfd.readouterr()
    texts = log_texts(pipeline)
    assert {name.rpartition("/")[2] for name in texts if "Record" in name and texts[name]}, "functions have logged"
    texts |= {"SES's output": printed.out + printed.err, "commands": "\n".join(outputs)}
    named = recipients(pipeline) | set(FAILING)
    assert len(named) > 30
    assert leaks(texts, named) == []


FAILING = [f"failing-{number}@mail.example" for number in range(5)]


@contextmanager
def retried_at_once(pipeline: LocalPipeline) -> Generator[None]:
    """Let messages that fail become dead letters within seconds, and delete those afterwards."""
    sqs, queues = pipeline.ses.emulator_client("sqs"), ("FeedbackQueueUrl", "ArchiveQueueUrl")
    names = ["VisibilityTimeout"]
    before = {
        queue: sqs.get_queue_attributes(QueueUrl=pipeline.outputs[queue], AttributeNames=names)["Attributes"]
        for queue in queues
    }
    for queue in queues:
        sqs.set_queue_attributes(QueueUrl=pipeline.outputs[queue], Attributes={"VisibilityTimeout": "1"})
    yield
    for queue in queues:
        sqs.set_queue_attributes(QueueUrl=pipeline.outputs[queue], Attributes=before[queue])
        sqs.purge_queue(QueueUrl=pipeline.outputs[queue.replace("Queue", "DeadLetterQueue")])


def fail_in_every_way(pipeline: LocalPipeline) -> None:
    """Publish records that name recipients and cannot be parsed or stored."""
    topic = pipeline.ses.notification_settings["bookshop.example"].topics["Bounce"]
    cut, retyped, huge = (json.loads(a_bounce_of(address)) for address in FAILING[:3])
    retyped["bounce"]["bouncedRecipients"] = {"emailAddress": {"is": FAILING[1]}}
    huge["mail"]["tags"] |= {f"{FAILING[2]}-{number}": ["x" * 2_000] for number in range(80)}
    texts = [json.dumps(cut)[:-20], json.dumps(retyped), json.dumps(huge), f"Bounce of {FAILING[3]}"]
    for text in texts:
        pipeline.ses.emulator_client("sns").publish(TopicArn=topic, Message=text)
    pipeline.ses.emulator_client("s3").put_object(
        Bucket=pipeline.outputs["ArchiveBucketName"], Key="events/failing", Body="\n".join(texts).encode()
    )


def test_address_that_a_function_or_process_logs_is_caught(pipeline: LocalPipeline):
    logs, group = pipeline.ses.emulator_client("logs"), "/aws/lambda/planted"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="planted")
    event = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": f"Could not record {PLANTED.upper()}."}
    try:
        logs.put_log_events(logGroupName=group, logStreamName="planted", logEvents=[event])
        with pipeline.emulator_log.open("a") as output:
            output.write(f"PUT /v2/email/suppression/addresses/{PLANTED.replace('@', '%40')}\n")
        assert sorted(leak.partition(",")[0] for leak in leaks(log_texts(pipeline), [PLANTED])) == [
            group,
            "the emulator's output",
        ]
    finally:
        logs.delete_log_group(logGroupName=group)
