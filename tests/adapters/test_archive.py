import gzip
import json
from typing import Any

import pytest

from aftersend.aws.archive import LINE_BYTES, Archive
from aftersend.parsing import ArchivedObject, Unreadable

OBJECT = ArchivedObject("archive", "events/2026/03/14/09/stream-1.gz")


@pytest.fixture
def archive(s3: Any) -> Archive:
    return Archive(s3)


def lines(archive: Archive, s3: Any, content: bytes) -> list[tuple[int, bytes]]:
    s3.put_object(Bucket=OBJECT.bucket, Key=OBJECT.key, Body=content)
    return list(archive.lines(OBJECT))


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_an_object_is_read_line_by_line_plain_or_gzip_whatever_its_name(archive: Archive, s3: Any, packed: Any):
    assert lines(archive, s3, packed(b'{"a": 1}\n{"b": 2}\n')) == [(1, b'{"a": 1}\n'), (2, b'{"b": 2}\n')]


def test_the_last_line_may_lack_its_end(archive: Archive, s3: Any):
    assert lines(archive, s3, b"one\ntwo") == [(1, b"one\n"), (2, b"two")]


def test_blank_lines_count_but_are_passed_over(archive: Archive, s3: Any):
    assert lines(archive, s3, b"\n \r\none\n\n") == [(3, b"one\n")]


def test_an_empty_object_has_no_lines(archive: Archive, s3: Any):
    assert lines(archive, s3, b"") == []


def test_two_compressed_files_in_one_object_are_one(archive: Archive, s3: Any):
    assert [line for _, line in lines(archive, s3, gzip.compress(b"one\n") + gzip.compress(b"two\n"))] == [
        b"one\n",
        b"two\n",
    ]


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_of_a_line_longer_than_any_record_only_the_beginning_is_given(archive: Archive, s3: Any, packed: Any):
    found = lines(archive, s3, packed(b"x" * (3 * LINE_BYTES) + b"\nafter\n"))
    assert [(number, len(line)) for number, line in found] == [(1, LINE_BYTES), (2, 6)]


def quarantined(s3: Any) -> list[dict[str, Any]]:
    body = s3.get_object(Bucket="archive", Key=f"quarantine/{OBJECT.key}.jsonl")["Body"].read()
    return [json.loads(line) for line in body.splitlines()]


def test_what_is_unreadable_is_kept_under_a_name_that_follows_from_the_objects(archive: Archive, s3: Any):
    for _ in range(2):  # the second attempt stores the same once more
        with archive.quarantine(OBJECT) as keep:
            keep(3, b"not json\n", Unreadable("not-json", "why"))
            keep(9, b"\xff\n", Unreadable("not-json", "why"))
    first = {"object": OBJECT.key, "line": 3, "reason": "not-json", "detail": "why", "record": "not json"}
    assert quarantined(s3) == [first, first | {"line": 9, "record": "\N{REPLACEMENT CHARACTER}"}]


def test_where_everything_is_readable_nothing_is_kept(archive: Archive, s3: Any):
    with archive.quarantine(OBJECT):
        pass
    assert "Contents" not in s3.list_objects_v2(Bucket="archive")


def test_of_an_attempt_that_fails_nothing_is_kept(archive: Archive, s3: Any):
    def attempt() -> None:
        with archive.quarantine(OBJECT) as keep:
            keep(1, b"x", Unreadable("not-json", "why"))
            raise ConnectionError

    with pytest.raises(ConnectionError):
        attempt()
    assert "Contents" not in s3.list_objects_v2(Bucket="archive")


def test_very_much_that_is_unreadable_is_kept_as_well(archive: Archive, s3: Any):
    with archive.quarantine(OBJECT) as keep:
        for number in range(1, 2001):
            keep(number, b"x" * 500, Unreadable("not-json", "why"))
    assert [found["line"] for found in quarantined(s3)] == list(range(1, 2001))
