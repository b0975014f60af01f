"""Send mail through the deployed pipeline and compare the results with the expectation.

The code is then changed in places that matter: the comparison must notice each change.
"""

import io
import json
import shutil
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from aftersend.contract import FUNCTIONS
from local.pipeline import LocalPipeline
from local.traffic import plan_mails, plan_week, predict
from local.verification import differences, rule_occurrences, undercovered
from stacks.bundling import bundle
from tests.record_files import published

DEADLINE_SECONDS = 60


def send_and_compare(pipeline: LocalPipeline, messages: int, seed: int) -> list[str]:
    """Send mail beside as much of a past week, wait until it is processed and return the differences from the
    expectation."""
    now = datetime.now(UTC)
    week = plan_week(seed, now, messages)
    pipeline.store_past(week)
    mails = list(pipeline.send(plan_mails(messages, seed, now)))
    *_, (_, result) = pipeline.wait_until_processed()
    published = pipeline.ses.publisher.published
    return differences(predict(mails + week), result) + undercovered(published, rule_occurrences(mails))


def wait_for(condition: Callable[[], Any], description: str) -> Any:
    """Return the value of `condition` as soon as it is true."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.2)
    raise AssertionError(f"Not within {DEADLINE_SECONDS} seconds: {description}.")


def a_bounce_of(recipient: str) -> str:
    """Return a bounce record about a message that was just sent."""
    record = published("bounce")
    record["mail"] |= {"timestamp": datetime.now(UTC).isoformat(), "destination": [recipient]}
    record["bounce"]["bouncedRecipients"][0]["emailAddress"] = recipient
    return json.dumps(record)


def test_results_of_the_pipeline_are_as_expected(pipeline: LocalPipeline):
    pipeline.apply_settings_again()
    assert send_and_compare(pipeline, messages=500, seed=1) == []
    assert pipeline.ses.publisher.records_through_firehose >= 200


def test_unreadable_message_goes_to_the_dead_letter_queue_and_blocks_no_other(pipeline: LocalPipeline):
    sns, sqs = pipeline.ses.emulator_client("sns"), pipeline.ses.emulator_client("sqs")
    queue = pipeline.outputs["FeedbackQueueUrl"]
    original = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    topic = pipeline.ses.notification_settings["bookshop.example"].topics["Bounce"]
    for text in ("unreadable", a_bounce_of("unlucky@mail.example")):
        sns.publish(TopicArn=topic, Message=text)
    wait_for(lambda: "unlucky@mail.example" in pipeline.result().entries, "the readable message is recorded")
    wait_for(lambda: pipeline.result().dead_letters == 1, "the unreadable message is in the dead-letter queue")
    [dead_letter] = sqs.receive_message(QueueUrl=pipeline.outputs["FeedbackDeadLetterQueueUrl"])["Messages"]
    assert dead_letter["Body"] == "unreadable"
    sqs.purge_queue(QueueUrl=pipeline.outputs["FeedbackDeadLetterQueueUrl"])
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=original)


def test_unreadable_line_of_an_archive_object_is_quarantined_and_blocks_no_other(pipeline: LocalPipeline):
    s3, bucket = pipeline.ses.emulator_client("s3"), pipeline.outputs["ArchiveBucketName"]
    content = f"unreadable\n{a_bounce_of('unlucky-2@mail.example')}\n"
    s3.put_object(Bucket=bucket, Key="events/a folder/lines=2", Body=content.encode())
    wait_for(lambda: "unlucky-2@mail.example" in pipeline.result().entries, "the readable line is recorded")

    def quarantined_keys() -> list[str]:
        answer = s3.list_objects_v2(Bucket=bucket, Prefix="quarantine/")
        return [item["Key"] for item in answer.get("Contents", [])]

    assert wait_for(quarantined_keys, "the unreadable line is in quarantine") == [
        "quarantine/events/a folder/lines=2.jsonl"
    ]
    quarantined = s3.get_object(Bucket=bucket, Key="quarantine/events/a folder/lines=2.jsonl")["Body"].read()
    assert json.loads(quarantined)["record"] == "unreadable"


MUTATIONS = {
    "a rule": (
        "aftersend/suppression/rules.py",
        'Rule("not-spam", is_not_spam, Effect.LIFT_COMPLAINT)',
        'Rule("not-spam", is_not_spam)',
    ),
    "a natural key": (
        "aftersend/ledger.py",
        "Kind.OPEN: lambda e: (_time(e), e.ip_address, e.user_agent)",
        "Kind.OPEN: lambda e: ()",
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_comparison_notices_a_change_of(mutation: str, pipeline: LocalPipeline, tmp_path: Path):
    file, original, changed = MUTATIONS[mutation]
    bundles = {name: shutil.copytree(bundle(name, "local"), tmp_path / name) for name in FUNCTIONS}
    mutated = [code for code in bundles.values() if (code / file).exists()]
    assert mutated
    for code in mutated:
        text = (code / file).read_text()
        assert text.count(original) == 1
        (code / file).write_text(text.replace(original, changed))
        for stale in code.rglob(f"{Path(file).stem}.*.pyc"):
            stale.unlink()
    empty_tables(pipeline)
    deploy_code(pipeline, bundles)
    try:
        assert send_and_compare(pipeline, messages=1, seed=2) != []
    finally:
        deploy_code(pipeline, {name: bundle(name, "local") for name in FUNCTIONS})


def test_original_code_deployed_again_has_no_differences(pipeline: LocalPipeline):
    """Check that the differences above did not come from emptying tables or updating functions."""
    empty_tables(pipeline)
    assert send_and_compare(pipeline, messages=1, seed=2) == []


def empty_tables(pipeline: LocalPipeline) -> None:
    """Delete all items but the checkpoints, which belong to the stream and not to the tables."""
    dynamodb = boto3.resource("dynamodb", endpoint_url=pipeline.run.endpoint)
    for output in ("LedgerTableName", "CountersTableName", "SuppressionsTableName"):
        table = dynamodb.Table(pipeline.outputs[output])
        pages = table.meta.client.get_paginator("scan").paginate(TableName=table.name)
        items = [item for page in pages for item in page["Items"] if "checkpoint" not in item]
        with table.batch_writer() as writer:
            for item in items:
                writer.delete_item(Key={name: item[name] for name in ("partition_key", "sort_key")})


def deploy_code(pipeline: LocalPipeline, bundles: dict[str, Path]) -> None:
    """Give every function the code of its bundle."""
    functions = pipeline.ses.emulator_client("lambda")
    for page in functions.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if function["Handler"].startswith("lambdas."):
                code = zipped(bundles[function["Handler"].split(".")[1]])
                functions.update_function_code(FunctionName=function["FunctionName"], ZipFile=code)


def zipped(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder))
    return content.getvalue()
