"""The deployed pipeline, from mail sent to the outcome compared; and that the comparison would notice."""

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
from local.pipeline import LocalPipeline, Outcome, differences, rules_tried, undercovered
from local.traffic import expected, plan
from stacks.bundling import bundle
from tests.record_files import published

DEADLINE_SECONDS = 60


def result(pipeline: LocalPipeline, messages: int, seed: int) -> list[str]:
    """Send mail; what differs from the expectation when all is done."""
    mails = list(pipeline.send(plan(messages, seed, datetime.now(UTC))))
    return differences(expected(mails), settled(pipeline)) + undercovered(pipeline.ses.published, rules_tried(mails))


def settled(pipeline: LocalPipeline) -> Outcome:
    *_, (_, outcome) = pipeline.until_quiet()
    return outcome


def until(holds: Callable[[], Any], what: str) -> Any:
    """What `holds` gives as soon as that is true."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if found := holds():
            return found
        time.sleep(0.2)
    raise AssertionError(f"Not within {DEADLINE_SECONDS} seconds: {what}.")


def a_bounce_of(recipient: str) -> str:
    """A record about a message of just now."""
    record = published("bounce")
    record["mail"] |= {"timestamp": datetime.now(UTC).isoformat(), "destination": [recipient]}
    record["bounce"]["bouncedRecipients"][0]["emailAddress"] = recipient
    return json.dumps(record)


def test_every_message_is_counted_and_every_recipient_decided_about(pipeline: LocalPipeline):
    pipeline.apply_settings_again()
    assert result(pipeline, messages=500, seed=1) == []
    assert pipeline.ses.through_firehose >= 200


def test_an_unreadable_message_costs_itself_and_is_kept(pipeline: LocalPipeline):
    sns, sqs = pipeline.ses.emulated("sns"), pipeline.ses.emulated("sqs")
    queue = pipeline.outputs["FeedbackQueueUrl"]
    usual = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    topic = pipeline.ses.settings["bookshop.example"].topics["Bounce"]
    for text in ("unreadable", a_bounce_of("unlucky@mail.example")):
        sns.publish(TopicArn=topic, Message=text)
    until(lambda: "unlucky@mail.example" in pipeline.outcome().entries, "the readable message is recorded")
    until(lambda: pipeline.outcome().kept == 1, "the unreadable message is in the dead-letter queue")
    [kept] = sqs.receive_message(QueueUrl=pipeline.outputs["FeedbackDeadLetterQueueUrl"])["Messages"]
    assert kept["Body"] == "unreadable"
    sqs.purge_queue(QueueUrl=pipeline.outputs["FeedbackDeadLetterQueueUrl"])
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=usual)


def test_an_unreadable_line_of_the_archive_costs_itself_and_is_kept(pipeline: LocalPipeline):
    s3, bucket = pipeline.ses.emulated("s3"), pipeline.outputs["ArchiveBucketName"]
    content = f"unreadable\n{a_bounce_of('unlucky-2@mail.example')}\n"
    s3.put_object(Bucket=bucket, Key="events/a folder/lines=2", Body=content.encode())
    until(lambda: "unlucky-2@mail.example" in pipeline.outcome().entries, "the readable line is recorded")

    def quarantined() -> list[str]:
        return [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix="quarantine/").get("Contents", [])]

    assert until(quarantined, "the unreadable line is kept") == ["quarantine/events/a folder/lines=2.jsonl"]
    kept = s3.get_object(Bucket=bucket, Key="quarantine/events/a folder/lines=2.jsonl")["Body"].read()
    assert json.loads(kept)["record"] == "unreadable"


MUTATIONS = {
    "a rule": (
        "aftersend/suppression/rules.py",
        'Rule("not-spam", is_not_spam, Effect.LIFT_COMPLAINT)',
        'Rule("not-spam", is_not_spam)',
    ),
    "a contribution": ("aftersend/counting.py", 'FIRST_OPEN: "unique_opens"', 'FIRST_OPEN: "open"'),
    "a natural key": (
        "aftersend/ledger.py",
        "Kind.OPEN: lambda e: (_time(e), e.ip_address, e.user_agent)",
        "Kind.OPEN: lambda e: ()",
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_comparison_notices_a_changed(mutation: str, pipeline: LocalPipeline, tmp_path: Path):
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
    forget_everything(pipeline)
    deploy_code(pipeline, bundles)
    try:
        assert result(pipeline, messages=1, seed=2) != []
    finally:
        deploy_code(pipeline, {name: bundle(name, "local") for name in FUNCTIONS})


def test_after_the_mutations_there_is_no_difference_again(pipeline: LocalPipeline):
    """Or the differences might have come from forgetting and deploying."""
    forget_everything(pipeline)
    assert result(pipeline, messages=1, seed=2) == []


def forget_everything(pipeline: LocalPipeline) -> None:
    """Empty the tables; what was counted stays known, as it stays in the stream."""
    dynamodb = boto3.resource("dynamodb", endpoint_url=pipeline.emulator_url)
    for output in ("LedgerTableName", "CountersTableName", "SuppressionsTableName"):
        table = dynamodb.Table(pipeline.outputs[output])
        pages = table.meta.client.get_paginator("scan").paginate(TableName=table.name)
        items = [item for page in pages for item in page["Items"] if "checkpoint" not in item]
        with table.batch_writer() as writer:
            for item in items:
                writer.delete_item(Key={name: item[name] for name in ("partition_key", "sort_key")})


def deploy_code(pipeline: LocalPipeline, bundles: dict[str, Path]) -> None:
    """Give every function the code of its bundle."""
    functions = pipeline.ses.emulated("lambda")
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
