"""Run the operator's commands against the deployed pipeline: list, show and redrive failed records, and replay."""

import gzip
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aftersend.aws import dead_letters
from aftersend.cli.main import app
from local.pipeline import LocalPipeline
from tests.integration.test_pipeline import a_bounce_of, wait_for

POISONED = datetime.now(UTC) - timedelta(hours=3)
LOST = datetime.now(UTC) - timedelta(days=9)
"""Before the week of mail that other tests store."""

"""Hours in which no test has objects of its own."""


@pytest.fixture(autouse=True)
def _one_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator has every message of a queue in one place: nothing is gained by waiting for more."""
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0)


def run(*arguments: str | Path, given: str = "") -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--env", "local"], input=given)


def failed_ids() -> dict[str, list[str]]:
    """Return the ids of failed records, by reason."""
    result = run("failures", "list", "--json")
    assert result.exit_code in (0, 1), result.stderr
    ids: dict[str, list[str]] = {}
    for line in map(json.loads, result.stdout.splitlines()):
        ids.setdefault(line["reason"], []).append(line["id"])
    return ids


@pytest.fixture
def bucket(pipeline: LocalPipeline) -> str:
    """Return the archive bucket, after removing the failed records of other tests."""
    for output in ("FeedbackDeadLetterQueueUrl", "ArchiveDeadLetterQueueUrl"):
        pipeline.ses.emulator_client("sqs").purge_queue(QueueUrl=pipeline.outputs[output])
    s3, bucket = pipeline.ses.emulator_client("s3"), pipeline.outputs["ArchiveBucketName"]
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix="quarantine/").get("Contents", ()):
        s3.delete_object(Bucket=bucket, Key=entry["Key"])
    return bucket


def hard_bounces(pipeline: LocalPipeline) -> int:
    """Return how many hard bounces are counted for the campaign of the example record."""
    counts = pipeline.result().counts
    return sum(n for key, n in counts.items() if (key.tag, key.measure) == ("campaign", "hard_bounce"))


def put(pipeline: LocalPipeline, bucket: str, key: str, *lines: str) -> None:
    pipeline.ses.emulator_client("s3").put_object(Bucket=bucket, Key=key, Body=gzip.compress("\n".join(lines).encode()))


def is_suppressed(pipeline: LocalPipeline, recipient: str) -> Any:
    return wait_for(lambda: recipient in pipeline.result().entries, f"{recipient} is suppressed")


def test_poisoned_lines_are_listed_shown_masked_repaired_and_redriven(
    pipeline: LocalPipeline, bucket: str, tmp_path: Path
):
    assert run("failures", "list").stdout == "There are no failed records.\n"
    key = f"events/{POISONED:%Y/%m/%d/%H}/poisoned.gz"
    whole = [a_bounce_of("poisoned-1@mail.example"), a_bounce_of("poisoned-2@mail.example")]
    put(pipeline, bucket, key, *(line.removesuffix("}") for line in whole))
    quarantined = f"quarantine/{key}.jsonl"
    wait_for(lambda: failed_ids() == {"not-json": [f"{quarantined}#1", f"{quarantined}#2"]}, "both lines are listed")
    listed = run("failures", "list")
    assert (listed.exit_code, "quarantined-line" in listed.stdout, "not-json" in listed.stdout) == (1, True, True)

    shown = run("failures", "show", f"{quarantined}#1")
    assert "p***@mail.example" in shown.stdout
    assert "poisoned-1@" not in shown.stdout

    before, repaired = hard_bounces(pipeline), tmp_path / "repaired.jsonl"
    raw = run("failures", "show", quarantined, "--addresses", "--json").stdout.splitlines()
    repaired.write_text("".join(json.loads(line)["record"] + "}\n" for line in raw))
    assert run("failures", "redrive", quarantined, "--from", repaired, "--dry-run").exit_code == 1
    redriven = run("failures", "redrive", quarantined, "--from", repaired, given="y\n")
    assert (redriven.exit_code, redriven.stdout.splitlines()[-1]) == (0, "Redriven, quarantined-line: 2")
    for recipient in ("poisoned-1@mail.example", "poisoned-2@mail.example"):
        is_suppressed(pipeline, recipient)
    wait_for(lambda: hard_bounces(pipeline) == before + 2, "both bounces are counted")
    assert run("failures", "list").exit_code == 0


def test_bounce_is_listed_by_campaign_and_by_message(pipeline: LocalPipeline, bucket: str):
    record = a_bounce_of("listed@mail.example")
    mail = json.loads(record)["mail"]
    put(pipeline, bucket, "events/listed.gz", record)
    is_suppressed(pipeline, "listed@mail.example")
    campaign = f"campaign={mail['tags']['campaign'][0]}"
    for selected in (("--message", mail["messageId"]), ("--tag", campaign, "--since", "1h", "--kind", "bounce")):
        result = run("feedback", *selected, "--json")
        listed = {line["recipient"]: line for line in map(json.loads, result.stdout.splitlines())}
        assert (result.exit_code, listed["listed@mail.example"]["rule"]) == (0, "hard-bounce"), result.stderr


def test_dead_letters_are_redriven_once_their_cause_is_fixed(pipeline: LocalPipeline, bucket: str):
    sqs, outputs = pipeline.ses.emulator_client("sqs"), pipeline.outputs
    before, key = hard_bounces(pipeline), f"events/{POISONED:%Y/%m/%d/%H}/late.gz"
    sqs.send_message(QueueUrl=outputs["FeedbackDeadLetterQueueUrl"], MessageBody=a_bounce_of("dead-1@mail.example"))
    notification = {"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]}
    sqs.send_message(QueueUrl=outputs["ArchiveDeadLetterQueueUrl"], MessageBody=json.dumps(notification))
    assert len(failed_ids()["function-failed"]) == 2
    without_notification(pipeline, bucket, key, a_bounce_of("dead-2@mail.example"))
    assert run("failures", "redrive").exit_code == 1, "nobody confirmed it"
    assert len(failed_ids()["function-failed"]) == 2
    assert run("failures", "redrive", "--yes").exit_code == 0
    for recipient in ("dead-1@mail.example", "dead-2@mail.example"):
        is_suppressed(pipeline, recipient)
    wait_for(lambda: hard_bounces(pipeline) == before + 2, "both bounces are counted")
    assert failed_ids() == {}


def test_hour_whose_notifications_were_lost_is_replayed(pipeline: LocalPipeline, bucket: str):
    before, hour = hard_bounces(pipeline), f"{LOST:%Y-%m-%dT%H}"
    for number in range(12):
        key = f"events/{LOST:%Y/%m/%d/%H}/lost {number:02}.gz"
        without_notification(pipeline, bucket, key, a_bounce_of(f"lost-{number}@mail.example"))
    times = ("--from", hour, "--to", f"{LOST + timedelta(hours=1):%Y-%m-%dT%H}")
    planned = run("replay", *times, "--dry-run", "--json")
    assert {name: json.loads(planned.stdout)[name] for name in ("objects", "announced")} == {
        "objects": 12,
        "announced": 0,
    }
    replayed = run("replay", *times, "--yes")
    assert (replayed.exit_code, replayed.stdout.splitlines()[-1]) == (0, "Announced 12 objects.")
    for number in range(12):
        is_suppressed(pipeline, f"lost-{number}@mail.example")
    assert run("replay", *times, "--yes").exit_code == 0
    wait_for(lambda: pipeline.waiting_messages() == 0, "the second replay is recorded")
    wait_for(lambda: hard_bounces(pipeline) == before + 12, "each bounce is counted once")


def without_notification(pipeline: LocalPipeline, bucket: str, key: str, *lines: str) -> None:
    """Store an object whose notification is lost."""
    s3 = pipeline.ses.emulator_client("s3")
    usual = s3.get_bucket_notification_configuration(Bucket=bucket)
    usual.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    put(pipeline, bucket, key, *lines)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=usual)


def test_run_that_ended_is_distinguished_from_one_in_progress(
    pipeline: LocalPipeline, tmp_path: Path, monkeypatch: Any
):
    stale = tmp_path / "run.json"
    stale.write_text(Path(os.environ["AFTERSEND_LOCAL_RUN"]).read_text().replace(str(os.getpid()), "999999999"))
    monkeypatch.setenv("AFTERSEND_LOCAL_RUN", str(stale))
    refused = run("failures", "list")
    assert refused.exit_code == 2
    assert "start one with `make demo`" in refused.stderr
