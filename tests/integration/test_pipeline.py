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

import pytest

from local.pipeline import LocalPipeline, PipelineResult
from local.traffic import Mail, plan_mails, plan_week, predict
from local.verification import differences, rule_occurrences, undercovered
from stacks.bundling import bundle
from tests.record_files import published

DEADLINE_SECONDS = 60


def send_and_compare(pipeline: LocalPipeline, week: list[Mail], mails: list[Mail]) -> list[str]:
    """Send mail beside that of a past week, wait until it is processed and return the differences between what it added
    to the result and the expectation."""
    *_, (_, before) = pipeline.wait_until_processed()
    pipeline.store_past(week)
    list(pipeline.send(mails))
    *_, (_, after) = pipeline.wait_until_processed()
    return differences(predict(mails + week), added(before, after))


def added(before: PipelineResult, after: PipelineResult) -> PipelineResult:
    """Return what was added to a result. A count that has become less is negative."""
    counts = after.counts.copy()
    counts.subtract(before.counts)
    entries = {recipient: entry for recipient, entry in after.entries.items() if recipient not in before.entries}
    return PipelineResult(counts, entries, after.dead_letters - before.dead_letters)


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
    now = datetime.now(UTC)
    mails = plan_mails(150, 1, now)
    assert send_and_compare(pipeline, plan_week(1, now, 150), mails) == []
    assert undercovered(pipeline.ses.publisher.published, rule_occurrences(mails)) == []
    assert pipeline.ses.publisher.records_through_firehose >= 200


def test_unreadable_message_goes_to_the_dead_letter_queue_and_blocks_no_other(pipeline: LocalPipeline):
    sns, sqs = pipeline.ses.emulator_client("sns"), pipeline.ses.emulator_client("sqs")
    queue, dead_letters = pipeline.outputs["FeedbackQueueUrl"], pipeline.outputs["FeedbackDeadLetterQueueUrl"]
    sqs.purge_queue(QueueUrl=dead_letters)
    original = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    topic = pipeline.ses.notification_settings["bookshop.example"].topics["Bounce"]
    for text in ("unreadable", a_bounce_of("unlucky@mail.example")):
        sns.publish(TopicArn=topic, Message=text)
    wait_for(lambda: "unlucky@mail.example" in pipeline.result().entries, "the readable message is recorded")
    [dead_letter] = wait_for(
        lambda: sqs.receive_message(QueueUrl=dead_letters).get("Messages"),
        "the unreadable message is in the dead-letter queue",
    )
    assert dead_letter["Body"] == "unreadable"
    sqs.purge_queue(QueueUrl=dead_letters)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=original)


def test_unreadable_line_of_an_archive_object_is_quarantined_and_blocks_no_other(pipeline: LocalPipeline):
    s3, bucket = pipeline.ses.emulator_client("s3"), pipeline.outputs["ArchiveBucketName"]
    content = f"unreadable\n{a_bounce_of('unlucky-2@mail.example')}\n"
    s3.put_object(Bucket=bucket, Key="events/a folder/lines=2", Body=content.encode())
    wait_for(lambda: "unlucky-2@mail.example" in pipeline.result().entries, "the readable line is recorded")

    key = "quarantine/events/a folder/lines=2.jsonl"
    listed = wait_for(
        lambda: s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents"), "the unreadable line is in quarantine"
    )
    assert [each["Key"] for each in listed] == [key]
    quarantined = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
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
RECORDERS = ("record_feedback", "record_archive")
"""The functions in which the changed code runs."""

FEW = 30
"""Messages among which are the stories that the changes matter to."""


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_comparison_notices_a_change_of(mutation: str, pipeline: LocalPipeline, tmp_path: Path):
    bundles = {name: shutil.copytree(bundle(name, "local"), tmp_path / name) for name in RECORDERS}
    for code in bundles.values():
        change(code, *MUTATIONS[mutation])
    deploy_code(pipeline, bundles)
    seed = 10 + list(MUTATIONS).index(mutation)
    assert send_and_compare(pipeline, [], plan_mails(FEW, seed, datetime.now(UTC))[:FEW]) != []


def test_original_code_deployed_again_has_no_differences(pipeline: LocalPipeline):
    """Check that the differences above did not come from updating functions. Other files rely on the original too."""
    deploy_code(pipeline, {name: bundle(name, "local") for name in RECORDERS})
    assert send_and_compare(pipeline, [], plan_mails(FEW, 20, datetime.now(UTC))[:FEW]) == []


def change(code: Path, file: str, original: str, changed: str) -> None:
    """Change a file of a bundle and remove its bytecode, which is never checked."""
    text = (code / file).read_text()
    assert text.count(original) == 1
    (code / file).write_text(text.replace(original, changed))
    for stale in code.rglob(f"{Path(file).stem}.*.pyc"):
        stale.unlink()


def deploy_code(pipeline: LocalPipeline, bundles: dict[str, Path]) -> None:
    """Give functions the code of their bundles."""
    functions = pipeline.ses.emulator_client("lambda")
    for page in functions.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if code := bundles.get(function["Handler"].split(".")[1]):
                functions.update_function_code(FunctionName=function["FunctionName"], ZipFile=zipped(code))


def zipped(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder))
    return content.getvalue()
