import gzip
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aftersend.aws.archive import MAX_LINE_BYTES, Archive, DamagedObject, MissingObject
from aftersend.operations.failures import quarantined_record
from aftersend.parsing import MAX_PAYLOAD_BYTES, ArchivedObject, Unreadable

OBJECT = ArchivedObject("archive", "events/2026/03/14/09/stream-1.gz")


@pytest.fixture
def archive(s3: Any) -> Archive:
    return Archive(s3)


def stored_lines(archive: Archive, s3: Any, content: bytes) -> list[tuple[int, bytes]]:
    s3.put_object(Bucket=OBJECT.bucket, Key=OBJECT.key, Body=content)
    return list(archive.lines(OBJECT))


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_object_is_read_line_by_line_plain_or_gzip_whatever_its_name(archive: Archive, s3: Any, compress: Any):
    assert stored_lines(archive, s3, compress(b'{"a": 1}\n{"b": 2}\n')) == [(1, b'{"a": 1}\n'), (2, b'{"b": 2}\n')]


def test_last_line_may_lack_a_line_break(archive: Archive, s3: Any):
    assert stored_lines(archive, s3, b"one\ntwo") == [(1, b"one\n"), (2, b"two")]


def test_blank_lines_are_numbered_but_skipped(archive: Archive, s3: Any):
    assert stored_lines(archive, s3, b"\n \r\none\n\n") == [(3, b"one\n")]


def test_empty_object_has_no_lines(archive: Archive, s3: Any):
    assert stored_lines(archive, s3, b"") == []


def test_gzip_members_of_one_object_are_read_as_one(archive: Archive, s3: Any):
    assert [line for _, line in stored_lines(archive, s3, gzip.compress(b"one\n") + gzip.compress(b"two\n"))] == [
        b"one\n",
        b"two\n",
    ]


def test_damage_is_reported_after_the_lines_before_it(archive: Archive, s3: Any):
    s3.put_object(Bucket=OBJECT.bucket, Key=OBJECT.key, Body=gzip.compress(b"one\ntwo\n")[:-4])
    lines = archive.lines(OBJECT)
    assert [next(lines), next(lines)] == [(1, b"one\n"), (2, b"two\n")]
    with pytest.raises(DamagedObject, match=r"^Compressed file ended before the end-of-stream marker was reached$"):
        next(lines)


def test_object_that_is_gone_is_named(archive: Archive, s3: Any):
    with pytest.raises(MissingObject, match=rf"^{OBJECT.key} is no longer in archive\.$"):
        list(archive.lines(OBJECT))
    with pytest.raises(ClientError, match="NoSuchBucket"):
        list(archive.lines(ArchivedObject("other", OBJECT.key)))


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_line_longer_than_any_record_is_cut(archive: Archive, s3: Any, compress: Any):
    lines = stored_lines(archive, s3, compress(b"x" * (3 * MAX_LINE_BYTES) + b"\nafter\n"))
    assert [(number, len(line)) for number, line in lines] == [(1, MAX_LINE_BYTES), (2, 6)]


def quarantined(s3: Any) -> list[dict[str, Any]]:
    body = s3.get_object(Bucket="archive", Key=f"quarantine/{OBJECT.key}.jsonl")["Body"].read()
    return [json.loads(line) for line in body.splitlines()]


def test_quarantined_lines_are_stored_under_a_key_that_follows_from_the_objects(archive: Archive, s3: Any):
    for _ in range(2):  # the second attempt overwrites what the first one stored
        with archive.quarantine(OBJECT) as quarantine_line:
            quarantine_line(3, b"not json\n", Unreadable("not-json", "why"))
            quarantine_line(9, b"\xff\n", Unreadable("not-json", "why"))
    first = {"object": OBJECT.key, "line": 3, "reason": "not-json", "detail": "why", "record": "not json"}
    assert quarantined(s3) == [first, first | {"line": 9, "record": "\N{REPLACEMENT CHARACTER}"}]


def test_longest_record_can_be_read_back_from_quarantine(archive: Archive, s3: Any):
    with archive.quarantine(OBJECT) as quarantine_line:
        quarantine_line(1, b"\x01" * MAX_PAYLOAD_BYTES, Unreadable("not-json", "why"))
        quarantine_line(2, b"x" * MAX_LINE_BYTES, Unreadable("too-long", "why"))
    stored = archive.lines(ArchivedObject(OBJECT.bucket, f"quarantine/{OBJECT.key}.jsonl"))
    records = [quarantined_record(line) for _, line in stored]
    assert records == ["\x01" * MAX_PAYLOAD_BYTES, "x" * (MAX_PAYLOAD_BYTES + 1)]


def test_quarantine_without_lines_stores_nothing(archive: Archive, s3: Any):
    with archive.quarantine(OBJECT):
        pass
    assert "Contents" not in s3.list_objects_v2(Bucket="archive")


def test_quarantine_that_ends_with_an_exception_stores_nothing(archive: Archive, s3: Any):
    def attempt() -> None:
        with archive.quarantine(OBJECT) as quarantine_line:
            quarantine_line(1, b"x", Unreadable("not-json", "why"))
            raise ConnectionError

    with pytest.raises(ConnectionError):
        attempt()
    assert "Contents" not in s3.list_objects_v2(Bucket="archive")


def test_quarantine_stores_more_lines_than_its_buffer_holds(archive: Archive, s3: Any):
    with archive.quarantine(OBJECT) as quarantine_line:
        for number in range(1, 2001):
            quarantine_line(number, b"x" * 500, Unreadable("not-json", "why"))
    assert [entry["line"] for entry in quarantined(s3)] == list(range(1, 2001))
