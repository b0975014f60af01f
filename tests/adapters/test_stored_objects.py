import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import pytest

from aftersend.aws.announcer import Announcer, NotAnnounced
from aftersend.aws.archive import Archive
from aftersend.aws.stored_objects import StoredFailures, list_objects
from aftersend.operations.failures import PREFIXES, FailureKind, StoredObject
from aftersend.operations.replay import HourRange
from aftersend.parsing import ArchivedObject, Unreadable
from tests.adapters.conftest import BUCKET, SESSION

KEY = "quarantine/events/2026/03/14/09/stream-1.gz.jsonl"


def redriven(*lines: str, of: str = "events/2026/03/14/09/stream-1.gz") -> str:
    """Return the key under which lines of an object are handed back."""
    content = "".join(f"{line}\n" for line in lines).encode()
    return f"{of}.{blake2b(content, digest_size=4).hexdigest()}.redriven.gz"


@pytest.fixture
def quarantine(s3: Any) -> StoredFailures:
    return StoredFailures(s3, BUCKET, FailureKind.QUARANTINE)


def quarantine_lines(s3: Any, *lines: tuple[int, bytes], source: str = "events/2026/03/14/09/stream-1.gz") -> None:
    """Quarantine lines as the archive route does."""
    with Archive(s3).quarantine(ArchivedObject(BUCKET, source)) as quarantine_line:
        for number, line in lines:
            quarantine_line(number, line, Unreadable("not-json", "why"))


def keys(s3: Any) -> list[str]:
    return [stored.key for stored in list_objects(s3, BUCKET, "")]


def content(s3: Any, key: str) -> bytes:
    return gzip.decompress(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def test_what_the_archive_route_quarantines_is_described(s3: Any, quarantine: StoredFailures):
    quarantine_lines(s3, (3, b"{]\n"), (9, b"\xff\n"))
    first, second = quarantine.failures(limit=10)
    assert (first.id, first.reason, first.record) == (f"{KEY}#1", "not-json", "{]")
    assert first.detail == "line 3 of events/2026/03/14/09/stream-1.gz: why"
    assert (second.id, second.record) == (f"{KEY}#2", "\N{REPLACEMENT CHARACTER}")


@pytest.mark.slow
def test_objects_beyond_the_limit_are_counted(s3: Any, quarantine: StoredFailures):
    for number in range(1_100):  # more than a page
        s3.put_object(Bucket=BUCKET, Key=f"quarantine/{number}.jsonl", Body=b"")
    [others] = quarantine.failures(limit=50)
    assert (others.reason, others.count) == ("not-opened", 1_050)


def test_object_that_is_gone_meanwhile_has_no_records(quarantine: StoredFailures):
    assert list(quarantine.records(StoredObject("quarantine/gone.jsonl", datetime.now(UTC), 1))) == []


@pytest.mark.parametrize("kind", [FailureKind.FIREHOSE, FailureKind.BATCH])
def test_damaged_object_is_described_and_stays(s3: Any, kind: FailureKind):
    source = StoredFailures(s3, BUCKET, kind)
    key = f"{PREFIXES[kind]}damaged.gz"
    s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(bytes(9_000))[:-9])
    damage = [*source.failures(limit=10)][-1]
    assert (damage.id, damage.reason) == (key, "unknown-format")
    assert damage.detail.startswith("The object is damaged: ")
    assert [step.records for step in source.redrive(soon())] == [0]
    assert keys(s3) == [key]


def test_quarantined_lines_are_redriven_as_an_object_of_the_archive(s3: Any, quarantine: StoredFailures):
    quarantine_lines(s3, (3, b'{"a": 1}\r\n'), (9, "ä\n".encode()))
    assert [step.records for step in quarantine.redrive(soon())] == [2]
    assert keys(s3) == [redriven('{"a": 1}', "ä")]
    assert content(s3, keys(s3)[0]) == '{"a": 1}\nä\n'.encode()


def test_line_with_several_unreadable_records_is_redriven_once(s3: Any, quarantine: StoredFailures):
    quarantine_lines(s3, (3, b"[1, 2]\n"), (3, b"[1, 2]\n"), (4, b"[1, 2, 3]\n"))
    assert [step.records for step in quarantine.redrive(soon())] == [2]
    assert content(s3, keys(s3)[0]) == b"[1, 2]\n[1, 2, 3]\n"


def test_redrive_that_was_stopped_writes_the_same_object_again(s3: Any, quarantine: StoredFailures):
    quarantine_lines(s3, (3, b"{]\n"))
    steps, written = quarantine.redrive(soon()), []
    for _ in range(2):
        next(steps)
        written.append(s3.get_object(Bucket=BUCKET, Key=redriven("{]"))["Body"].read())
        quarantine_lines(s3, (3, b"{]\n"))  # as if the object had not been deleted
        steps = quarantine.redrive(soon())
    assert written[0] == written[1]


def test_repaired_records_survive_a_replay_of_the_object_they_come_from(s3: Any, quarantine: StoredFailures):
    """Replay quarantines the bad line again. Redriving that must not replace what was repaired."""
    quarantine_lines(s3, (3, b"{]\n"))
    assert [step.records for step in quarantine.redrive(soon(), ["repaired"])] == [1]
    quarantine_lines(s3, (3, b"{]\n"))
    assert [step.records for step in quarantine.redrive(soon())] == [1]
    assert sorted(content(s3, key) for key in keys(s3)) == [b"repaired\n", b"{]\n"]


def test_objects_that_are_stored_meanwhile_stay(s3: Any, quarantine: StoredFailures):
    quarantine_lines(s3, (3, b"{]\n"))
    assert list(quarantine.redrive(datetime.now(UTC) - timedelta(minutes=1))) == []
    assert keys(s3) == [KEY]


def test_object_with_a_line_in_an_unknown_format_stays_until_it_is_repaired(s3: Any, quarantine: StoredFailures):
    quarantine_lines(s3, (1, b"{]\n"), source="events/another.gz")
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b'{"record": "cut\n')
    steps = list(quarantine.redrive(soon()))
    assert [(step.records, step.refused.partition(":")[0]) for step in steps] == [(0, f"{KEY}#1"), (1, "")]
    assert keys(s3) == [redriven("{]", of="events/another.gz"), KEY]
    one = StoredFailures(s3, BUCKET, FailureKind.QUARANTINE, KEY)
    assert [step.records for step in one.redrive(soon(), ["repaired"])] == [1]
    assert content(s3, redriven("repaired")) == b"repaired\n"
    assert KEY not in keys(s3)


def test_damaged_object_stays_until_its_records_are_recovered(s3: Any, quarantine: StoredFailures):
    """What is stored of it has no record: handing that back would lose the only sign that records are missing."""
    quarantine_lines(s3, (3, b"{]\n"), (4, b""))
    [step] = quarantine.redrive(soon())
    assert (step.records, step.refused) == (0, f"{KEY}#2: line 4 of events/2026/03/14/09/stream-1.gz: why")
    assert keys(s3) == [KEY]


def test_one_object_is_chosen_by_its_whole_key(s3: Any):
    for key in ("quarantine/1", "quarantine/10"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    chosen = StoredFailures(s3, BUCKET, FailureKind.QUARANTINE, "quarantine/1")
    assert [stored.key for stored in chosen.objects()] == ["quarantine/1"]


def test_firehose_errors_are_decoded_and_redriven(s3: Any):
    errors = StoredFailures(s3, BUCKET, FailureKind.FIREHOSE)
    lines = [{"errorCode": "Code", "rawData": base64.b64encode(raw).decode()} for raw in (b'{"a": 1}\n', b"{}")]
    body = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())
    s3.put_object(Bucket=BUCKET, Key="firehose-failed/failed/2026/03/14/09/stream-1", Body=body)
    assert [failure.record for failure in errors.failures(limit=10)] == ['{"a": 1}', "{}"]
    assert [step.records for step in errors.redrive(soon())] == [2]
    assert content(s3, redriven('{"a": 1}', "{}", of="events/2026/03/14/09/failed-stream-1")) == b'{"a": 1}\n{}\n'


def test_failed_batch_is_one_document_however_many_lines_it_has(s3: Any):
    batch = {"requestContext": {"condition": "RetryAttemptsExhausted"}, "DDBStreamBatchInfo": {"batchSize": 3}}
    s3.put_object(Bucket=BUCKET, Key="aws/lambda/mapping/shard/1", Body=json.dumps(batch, indent=1).encode())
    [failure] = StoredFailures(s3, BUCKET, FailureKind.BATCH).failures(limit=10)
    assert (failure.reason, json.loads(failure.record)) == ("RetryAttemptsExhausted", batch)


@pytest.fixture
def queue(s3: Any) -> str:
    return SESSION.client("sqs").create_queue(QueueName="archive")["QueueUrl"]


NINE = datetime(2026, 3, 14, 9, tzinfo=UTC)
HOUR = HourRange(NINE, NINE + timedelta(hours=1))


@pytest.mark.slow
def test_objects_of_an_hour_are_listed_in_order_and_from_any_key_on(s3: Any, queue: str):
    names = [f"events/2026/03/14/09/{number:04}.gz" for number in range(1_005)]  # more than a page
    for key in ("events/2026/03/14/08/1.gz", *names, "events/2026/03/14/10/1.gz", "quarantine/1.jsonl"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    announcer = Announcer(s3, SESSION.client("sqs"), BUCKET, queue)
    assert [stored.key for stored in announcer.objects(HOUR, after=None)] == names
    assert [stored.key for stored in announcer.objects(HOUR, after=names[1_000])] == names[1_001:]
    assert [stored.key for stored in announcer.objects(HOUR, after="events/2026/03/14/08/1.gz")] == names


def test_each_object_is_announced_by_a_message_of_its_own(s3: Any, queue: str):
    sqs = SESSION.client("sqs")
    Announcer(s3, sqs, BUCKET, queue).announce([StoredObject(f"events/{n}", NINE, 1) for n in range(3)])
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    announced = [record["s3"]["object"]["key"] for each in messages for record in json.loads(each["Body"])["Records"]]
    assert sorted(announced) == ["events/0", "events/1", "events/2"]


def test_refused_announcement_is_an_error(s3: Any):
    class Refusing:
        def send_message_batch(self, **_: Any) -> dict[str, Any]:
            return {"Failed": [{"Id": "0", "Code": "InternalError"}]}

    with pytest.raises(NotAnnounced, match=r"SQS refused 1 messages \(InternalError\)"):
        Announcer(s3, Refusing(), BUCKET, "queue").announce([StoredObject("events/1", NINE, 1)])
