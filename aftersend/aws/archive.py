"""The archive in Amazon S3: what Firehose wrote, line by line, and what of it could not be read."""

import gzip
import io
import itertools
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import msgspec

from aftersend.contract import QUARANTINE_PREFIX
from aftersend.parsing import MAX_PAYLOAD_BYTES, ArchivedObject, Unreadable

GZIP_MAGIC = b"\x1f\x8b"

LINE_BYTES = MAX_PAYLOAD_BYTES + 1
PIECE_BYTES = 65_536


class Quarantined(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line that could not be read, as it is kept: one JSON object a line."""

    object: str
    line: int
    """From 1."""
    reason: str
    detail: str
    record: str
    """The line itself, cut at LINE_BYTES; bytes that are no UTF-8 replaced. The object has the original."""


def unpacked(raw: io.BufferedReader | io.BufferedRandom) -> BinaryIO:
    """The content, whether it is gzip or plain."""
    return gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == GZIP_MAGIC else raw  # ty: ignore[invalid-explicit-return] (it reads as one)


def lines(content: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines, numbered from 1, without blank ones. Never the whole content in memory: of a line longer than any record
    the beginning is given, for the reader to refuse."""
    for number in itertools.count(1):
        line = piece = content.readline(LINE_BYTES)
        while piece and not piece.endswith(b"\n"):
            piece = content.readline(LINE_BYTES)
        if not line:
            return
        if line.strip():
            yield number, line


class Archive:
    """The bucket."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def lines(self, found: ArchivedObject) -> Iterator[tuple[int, bytes]]:
        """The object's lines, numbered from 1, without blank ones."""
        with io.BufferedReader(self._s3.get_object(Bucket=found.bucket, Key=found.key)["Body"], PIECE_BYTES) as raw:
            yield from lines(unpacked(raw))

    @contextmanager
    def quarantine(self, source: ArchivedObject) -> Generator[Callable[[int, bytes, Unreadable], None]]:
        """Gives a function that keeps unreadable lines of an object; they are stored together at the end, under a
        name that follows from the object's, so that reading the object again stores the same once more."""
        with tempfile.SpooledTemporaryFile(PIECE_BYTES) as kept:

            def keep(number: int, line: bytes, why: Unreadable) -> None:
                record = line.decode("utf-8", "replace").rstrip("\r\n")
                found = Quarantined(source.key, number, why.reason, why.detail, record)
                kept.write(msgspec.json.encode(found) + b"\n")

            yield keep
            if kept.tell():
                kept.seek(0)
                self._s3.put_object(Bucket=source.bucket, Key=f"{QUARANTINE_PREFIX}{source.key}.jsonl", Body=kept)
