"""Read the objects of the archive bucket line by line, and quarantine the lines that cannot be parsed."""

import gzip
import io
import itertools
import tempfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import msgspec
from botocore.exceptions import ClientError

from aftersend.aws.clients import error_code
from aftersend.contract import QUARANTINE_PREFIX, QuarantinedLine
from aftersend.parsing import MAX_PAYLOAD_BYTES, ArchivedObject, Unreadable

GZIP_MAGIC = b"\x1f\x8b"

MAX_LINE_BYTES = 7 * MAX_PAYLOAD_BYTES
"""Bytes read of a line: more than the parser accepts, so that it rejects a line that was cut, and enough for a
quarantined line, in which JSON may escape each byte of the longest record as six."""

BUFFER_BYTES = 65_536

QuarantineLine = Callable[[int, bytes, Unreadable], None]
"""Quarantine a line, given its number, its bytes and why it is unreadable."""


class DamagedObject(Exception):
    """An object's gzip cannot be decompressed to its end. What could be has been returned."""


class MissingObject(Exception):
    """An object that was announced is no longer in the bucket."""


def decompress(raw: io.BufferedReader | io.BufferedRandom) -> BinaryIO:
    """Return the content, whether it is gzip or plain."""
    return gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == GZIP_MAGIC else raw  # ty: ignore[invalid-explicit-return] (it reads as one)


def lines(content: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Return the lines that are not blank, numbered from 1. A line is cut at MAX_LINE_BYTES, so that no content has to
    fit into memory."""
    for number in itertools.count(1):
        line = chunk = content.readline(MAX_LINE_BYTES)
        while chunk and not chunk.endswith(b"\n"):
            chunk = content.readline(MAX_LINE_BYTES)
        if not line:
            return
        if line.strip():
            yield number, line


class Archive:
    """Read from and quarantine into the archive bucket."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def lines(self, source: ArchivedObject) -> Iterator[tuple[int, bytes]]:
        """Return the lines of an object that are not blank, numbered from 1.

        Raises:
            MissingObject: if it is gone.
            DamagedObject: after the lines before the damage. A lost connection is another error: reading again helps.
        """
        with io.BufferedReader(self._open(source), BUFFER_BYTES) as raw:
            try:
                yield from lines(decompress(raw))
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise DamagedObject(str(error)) from error

    def _open(self, source: ArchivedObject) -> Any:
        try:
            return self._s3.get_object(Bucket=source.bucket, Key=source.key)["Body"]
        except ClientError as error:
            if error_code(error) != "NoSuchKey":
                raise
            raise MissingObject(f"{source.key} is no longer in {source.bucket}.") from error

    @contextmanager
    def quarantine(self, source: ArchivedObject) -> Generator[QuarantineLine]:
        """Yield a function that quarantines lines of an object, and store these lines when the context ends.

        They are stored as one object whose key follows from the source's, so that processing the source again
        overwrites it. Nothing is stored if no line was quarantined or if the context ends with an exception.
        """
        with tempfile.SpooledTemporaryFile(BUFFER_BYTES) as file:

            def quarantine_line(number: int, line: bytes, unreadable: Unreadable) -> None:
                record = line[: MAX_PAYLOAD_BYTES + 1].decode("utf-8", "replace").rstrip("\r\n")
                entry = QuarantinedLine(source.key, number, unreadable.reason, unreadable.detail, record)
                file.write(msgspec.json.encode(entry) + b"\n")

            yield quarantine_line
            if file.tell():
                file.seek(0)
                self._s3.put_object(Bucket=source.bucket, Key=f"{QUARANTINE_PREFIX}{source.key}.jsonl", Body=file)
