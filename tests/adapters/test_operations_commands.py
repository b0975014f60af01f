"""Run the commands `aftersend failures` and `aftersend replay`, over moto."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from aftersend.aws import dead_letters, deployment
from aftersend.aws.announcer import Announcer
from aftersend.aws.archive import Archive
from aftersend.cli import replay
from aftersend.cli.main import app
from aftersend.parsing import ArchivedObject, Unreadable
from tests.adapters.conftest import BUCKET, SESSION
from tests.adapters.test_deployment import Session
from tests.record_files import published

QUEUES = ("FeedbackQueueUrl", "FeedbackDeadLetterQueueUrl", "ArchiveQueueUrl", "ArchiveDeadLetterQueueUrl")
SUBSCRIPTION = "FeedbackSubscriptionDeadLetterQueueUrl"
QUARANTINED = "quarantine/events/2026/03/14/09/stream-1.gz.jsonl"
BOUNCE = json.dumps(published("bounce"))


class Shop:
    """The deployment that the commands find with `--env shop`."""

    def __init__(self, s3: Any, stacks: dict[str, dict[str, str]]) -> None:
        self.s3, self.sqs = s3, SESSION.client("sqs")
        self.outputs = {name: self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in (*QUEUES, SUBSCRIPTION)}
        stacks["Aftersend-shop-State"] = {"ArchiveBucketName": BUCKET}
        stacks["Aftersend-shop-Pipeline"] = self.outputs

    def send(self, queue: str, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.outputs[queue], MessageBody=body)

    def bodies(self, queue: str) -> list[str]:
        """Receive all that is visible in a queue."""
        received = []
        while messages := self.sqs.receive_message(QueueUrl=self.outputs[queue], MaxNumberOfMessages=10).get(
            "Messages"
        ):
            received += [message["Body"] for message in messages]
        return received

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def quarantine(self, *lines: str) -> None:
        with Archive(self.s3).quarantine(ArchivedObject(BUCKET, "events/2026/03/14/09/stream-1.gz")) as quarantine_line:
            for number, line in enumerate(lines, 1):
                quarantine_line(number, line.encode(), Unreadable("not-json", "The payload is not JSON."))

    def keys(self) -> list[str]:
        return [entry["Key"] for entry in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


@pytest.fixture
def shop(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Shop:
    stacks: dict[str, dict[str, str]] = {}
    monkeypatch.setattr(boto3, "Session", lambda *_, **__: Session(stacks))
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0)
    return Shop(s3, stacks)


def run(*arguments: str | Path, given: str = "", exits: int = 0) -> Result:
    result = CliRunner().invoke(app, [*map(str, arguments), "--env", "shop"], input=given)
    assert result.exit_code == exits, result.output
    return result


BATCH = {"requestContext": {"condition": "RetryAttemptsExhausted"}, "DDBStreamBatchInfo": {"batchSize": 3}}


def fail_everything(shop: Shop) -> None:
    shop.send("FeedbackDeadLetterQueueUrl", "unreadable", "unreadable", BOUNCE)
    shop.send("ArchiveDeadLetterQueueUrl", "unreadable")
    shop.send(SUBSCRIPTION, BOUNCE)
    shop.quarantine("{]", BOUNCE[:-1])
    shop.put("firehose-failed/2026/03/14/09/stream-1", b'{"errorCode": "Code", "rawData": "e30="}\n')
    shop.put("aws/lambda/mapping/shard/1", json.dumps(BATCH).encode())


def test_absence_of_failed_records_is_reported(shop: Shop):
    assert run("failures", "list").stdout == "There are no failed records.\n"
    assert run("failures", "list", "--json").stdout == ""
    assert run("failures", "redrive").stdout == "There are no failed records.\n"


def test_all_failed_records_are_one_list(shop: Shop):
    fail_everything(shop)
    lines = [json.loads(line) for line in run("failures", "list", "--json", exits=1).stdout.splitlines()]
    assert sorted((line["kind"], line["reason"], line["count"]) for line in lines) == [
        ("archive-dead-letter", "not-an-object-notification", 1),
        ("failed-batch", "RetryAttemptsExhausted", 1),
        ("feedback-dead-letter", "function-failed", 1),
        ("feedback-dead-letter", "not-json", 1),
        ("feedback-dead-letter", "not-json", 1),
        ("firehose-error", "Code", 1),
        ("quarantined-line", "not-json", 1),
        ("quarantined-line", "not-json", 1),
        ("subscription-dead-letter", "not-delivered", 1),
    ]
    assert list(lines[0]) == ["kind", "id", "reason", "detail", "since", "count"]
    table = run("failures", "list", exits=1).stdout
    rows = [line.split()[:3] for line in table.splitlines() if line.startswith("  ")]
    assert ["feedback-dead-letter", "not-json", "2"] in rows
    assert ["quarantined-line", "not-json", "2"] in rows
    assert f"{QUARANTINED}#1" in table
    assert "`aftersend recount` counts them" in table


def test_list_opens_no_more_than_its_limit(shop: Shop):
    fail_everything(shop)
    lines = [
        json.loads(line) for line in run("failures", "list", "--json", "--limit", "0", exits=1).stdout.splitlines()
    ]
    assert {line["reason"] for line in lines} == {"not-opened"}
    assert sum(line["count"] for line in lines) == 8, "three dead letters, one, one; and three objects"


def test_deployment_without_a_dead_letter_queue_of_the_subscription_is_listed(shop: Shop):
    del shop.outputs[SUBSCRIPTION]
    run("failures", "list")


def test_records_are_shown_masked_by_default(shop: Shop):
    shop.send("FeedbackDeadLetterQueueUrl", BOUNCE)
    [line] = run("failures", "list", "--json", exits=1).stdout.splitlines()
    letter = json.loads(line)["id"]
    shown = run("failures", "show", letter).stdout
    assert "feedback-dead-letter" in shown
    assert "A***@mail.example" in shown
    assert "ada.reader@" not in shown.lower()
    assert "ada.reader@mail.example" in run("failures", "show", letter, "--addresses").stdout.lower()
    masked = json.loads(run("failures", "show", letter, "--json").stdout)
    assert "ada.reader@" not in masked["record"].lower()
    assert json.loads(masked["record"])["eventType"] == "Bounce"
    assert shop.bodies("FeedbackDeadLetterQueueUrl") == [BOUNCE], "it is visible again"


def test_records_of_an_object_are_shown_one_or_all_with_control_characters_escaped(shop: Shop):
    shop.quarantine("{]\x1b[2J", BOUNCE[:-1])
    assert run("failures", "show", f"{QUARANTINED}#1").stdout.splitlines()[-2:] == ["{]\\x1b[2J", ""]
    shown = run("failures", "show", QUARANTINED, "--addresses", "--json").stdout.splitlines()
    assert [json.loads(line)["record"] for line in shown] == ["{]\x1b[2J", BOUNCE[:-1]]


def test_record_that_no_longer_exists_is_reported(shop: Shop):
    for gone in ("b7b0c2e4", f"{QUARANTINED}#1", "quarantine/x"):
        assert f"There is no {gone}" in run("failures", "show", gone, exits=1).stderr


def test_everything_but_batches_is_redriven_after_a_confirmation(shop: Shop):
    fail_everything(shop)
    refused = run("failures", "redrive", exits=1)
    assert refused.stderr.splitlines()[-1] == "Nothing was redriven."
    assert "feedback-dead-letter: 3, to the queue" in refused.stdout
    assert "Redrive 8 records of shop?" in refused.stderr
    run("failures", "redrive", "--dry-run", exits=1)
    assert len(shop.keys()) == 3
    result = run("failures", "redrive", given="y\n")
    assert result.stdout.splitlines()[-5:] == [
        "Redriven, feedback-dead-letter: 3",
        "Redriven, archive-dead-letter: 1",
        "Redriven, subscription-dead-letter: 1",
        "Redriven, quarantined-line: 2",
        "Redriven, firehose-error: 1",
    ]
    assert sorted(shop.bodies("FeedbackQueueUrl")) == sorted([BOUNCE, BOUNCE, "unreadable", "unreadable"])
    assert shop.bodies("ArchiveQueueUrl") == ["unreadable"]
    stored = shop.keys()
    assert [re.sub(r"\.[0-9a-f]{8}\.", ".DIGEST.", key) for key in stored] == [
        "aws/lambda/mapping/shard/1",
        "events/2026/03/14/09/stream-1.DIGEST.redriven.gz",
        "events/2026/03/14/09/stream-1.gz.DIGEST.redriven.gz",
    ]
    assert "`aftersend recount` counts them" in run("failures", "redrive", "--yes").stdout


def test_kinds_are_chosen(shop: Shop):
    fail_everything(shop)
    result = run("failures", "redrive", "--kind", "archive-dead-letter", "--yes", "--json")
    assert json.loads(result.stdout) == {
        "dry_run": False,
        "there": {"archive-dead-letter": 1},
        "redriven": {"archive-dead-letter": 1},
        "refused": [],
    }
    assert len(shop.bodies("FeedbackDeadLetterQueueUrl")) == 3


def test_repaired_records_replace_those_of_an_object(shop: Shop, tmp_path: Path):
    repaired = tmp_path / "repaired.jsonl"
    shop.quarantine(BOUNCE[:-1])
    repaired.write_text(f"{BOUNCE[:-1]}\n")
    arguments = ("failures", "redrive", QUARANTINED, "--from", repaired, "--yes")
    assert f"{repaired}, record 1: not-json" in run(*arguments, exits=1).stderr
    assert shop.keys() == [QUARANTINED]
    repaired.write_text(f"{BOUNCE}\n\n")
    run(*arguments)
    [key] = shop.keys()
    body = shop.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert gzip.decompress(body).decode() == f"{BOUNCE}\n"


def test_repaired_records_need_an_object_and_a_file(shop: Shop, tmp_path: Path):
    assert "needs the KEY" in run("failures", "redrive", "--from", __file__, exits=2).stderr
    missing = run("failures", "redrive", QUARANTINED, "--from", tmp_path / "missing", exits=1).stderr
    assert "cannot be read" in missing
    boxed = run("failures", "redrive", "events/1.gz", exits=2).stderr
    assert "Choose dead letters by --kind" in " ".join(boxed.replace("│", "").split())
    (tmp_path / "empty").touch()
    assert "has no records" in run("failures", "redrive", QUARANTINED, "--from", tmp_path / "empty", exits=1).stderr


def test_object_that_cannot_be_redriven_is_named_and_stays(shop: Shop):
    shop.put(QUARANTINED, b'{"record": "cut')
    result = run("failures", "redrive", "--yes", exits=1)
    assert f"{QUARANTINED}#1: The line is not of the format of a quarantined-line." in result.stderr
    assert shop.keys() == [QUARANTINED]


HOUR = ("replay", "--from", "2026-03-14T09", "--to", "2026-03-14T10")


def archive(shop: Shop, number: int) -> None:
    for each in range(number):
        shop.put(f"events/2026/03/14/09/{each:02}.gz", gzip.compress(BOUNCE.encode()))


def announced(shop: Shop) -> list[str]:
    bodies = [json.loads(body) for body in shop.bodies("ArchiveQueueUrl")]
    return sorted(record["s3"]["object"]["key"][-5:] for body in bodies for record in body["Records"])


def test_hour_without_objects_is_reported(shop: Shop):
    assert run(*HOUR).stdout == "The archive has no objects from 2026-03-14 08:00 to 2026-03-14 10:00 UTC.\n"


def test_dry_run_prints_objects_events_dollars_and_what_is_ignored(shop: Shop):
    archive(shop, 12)
    output = run(*HOUR, "--dry-run").stdout
    assert "12 objects from 2026-03-14 08:00 to 2026-03-14 10:00 UTC" in output
    assert "events per second, it takes about 1 min and costs at most about $0.01." in output
    assert "Ignored on replay" in output
    numbers = json.loads(run(*HOUR, "--dry-run", "--json").stdout)
    assert list(numbers) == ["objects", "size_bytes", "events", "dollars", "ignored", "announced"]
    assert (numbers["objects"], numbers["announced"]) == (12, 0)
    assert announced(shop) == []


def test_objects_are_announced_after_a_confirmation(shop: Shop):
    archive(shop, 12)
    assert run(*HOUR, exits=1).stdout.splitlines()[-1] == "Nothing was announced."
    assert announced(shop) == []
    assert run(*HOUR, given="y\n").stdout.splitlines()[-1] == "Announced 12 objects."
    assert announced(shop) == [f"{number:02}.gz" for number in range(12)]


def test_pace_is_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    clock, pauses = [100.0], []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr(replay.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(replay.time, "sleep", sleep)
    shop.put("events/2026/03/14/09/1.gz", b"x" * 250 * 400)
    for number in range(2, 5):
        shop.put(f"events/2026/03/14/09/{number}.gz", b"x" * 250 * 100)
    run(*HOUR, "--per-second", "100", "--yes")
    assert pauses == [0.0, 4.0, 1.0, 1.0]


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), deployment.errors.ConnectionClosedError(endpoint_url="x")])
def test_interrupted_replay_prints_how_to_continue(shop: Shop, monkeypatch: pytest.MonkeyPatch, stop: BaseException):
    archive(shop, 12)
    announce = Announcer.announce

    def announce_once(self: Announcer, objects: list[Any]) -> None:
        monkeypatch.setattr(Announcer, "announce", stop_now)
        announce(self, objects)

    def stop_now(*_: Any) -> None:
        raise stop

    monkeypatch.setattr(Announcer, "announce", announce_once)
    stopped = run(*HOUR, "--yes", exits=130 if isinstance(stop, KeyboardInterrupt) else 1)
    command = stopped.stderr.splitlines()[-1].removeprefix("Continue with: aftersend ").split()
    assert command[-2:] == ["--after", "events/2026/03/14/09/09.gz"]
    monkeypatch.setattr(Announcer, "announce", announce)
    assert CliRunner().invoke(app, [*command, "--yes"]).exit_code == 0
    assert announced(shop) == [f"{number:02}.gz" for number in range(12)]


def test_impossible_times_are_refused(shop: Shop):
    assert "must be later" in run("replay", "--from", "2026-03-14", "--to", "2026-03-14", exits=2).stderr
    assert "is no time" in run("replay", "--from", "yesterday", "--to", "2026-03-14", exits=2).stderr
