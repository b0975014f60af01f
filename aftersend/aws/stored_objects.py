"""Describe and redrive the failed records in the archive bucket."""

import gzip
import tempfile
from collections.abc import Generator, Iterable, Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Any

from aftersend.aws.archive import Archive, DamagedObject, MissingObject
from aftersend.operations.failures import (
    BATCHES,
    NOT_OPENED,
    PREFIXES,
    UNKNOWN_FORMAT,
    Failure,
    FailureKind,
    Redriven,
    StoredObject,
    parse_stored,
    redriven_key,
)
from aftersend.parsing import ArchivedObject

MEMORY_BYTES = 8 * 1_048_576
"""Records to redrive are collected in memory up to this size, then in a temporary file."""


class NoRecord(Exception):
    """An object has a line in another format than its kind has, or one for records that could not be read."""


class StoredFailures:
    """Describe and redrive the records in the objects of one kind, or in a single object."""

    def __init__(
        self, s3: Any, bucket: str, kind: FailureKind, key: str | None = None, *, prefix: str = "", excluded: str = ""
    ) -> None:
        """Use the objects below a prefix; default: that of the kind. Leave out those below an excluded prefix."""
        self.kind = kind
        self._s3, self._bucket, self._archive, self._key = s3, bucket, Archive(s3), key
        self._prefix, self._excluded = prefix or PREFIXES[kind], excluded

    def objects(self) -> Iterator[StoredObject]:
        for stored in list_objects(self._s3, self._bucket, self._key or self._prefix):
            is_excluded = self._excluded and stored.key.startswith(self._excluded)
            if self._key in (None, stored.key) and not is_excluded:
                yield stored

    def failures(self, limit: int) -> Generator[Failure]:
        """Describe the records of at most `limit` objects, and count the other objects."""
        unopened, oldest = 0, None
        for number, stored in enumerate(self.objects()):
            if number < limit:
                yield from self.records(stored)
            else:
                unopened, oldest = unopened + 1, min(oldest or stored.since, stored.since)
        if unopened:
            yield Failure(self.kind, "", NOT_OPENED, "", oldest, count=unopened)

    def records(self, stored: StoredObject) -> Iterator[Failure]:
        """Describe the records of an object, and damage as one of them; none if it has been deleted meanwhile."""
        try:
            lines = self._archive.lines(ArchivedObject(self._bucket, stored.key))
            if self.kind in BATCHES:
                lines = iter([(1, b"".join(line for _, line in lines))])
            yield from parse_stored(self.kind, stored, lines)
        except MissingObject:
            return
        except DamagedObject as error:
            yield Failure(self.kind, stored.key, UNKNOWN_FORMAT, f"The object is damaged: {error}.", stored.since)

    def redrive(self, until: datetime, lines: list[str] | None = None) -> Iterator[Redriven]:
        """Write the records of each object, or repaired lines, below `events/`, then delete the object.

        Objects stored after `until` stay, so that records that fail again are not redriven forever. So do objects
        with a line in an unknown format. Repeating this writes the same object again.
        """
        for stored in self.objects():
            if stored.since < until:
                try:
                    written = self._write(stored, self._record_lines(stored) if lines is None else lines)
                except NoRecord as error:
                    yield Redriven(0, str(error))
                else:
                    self.delete(stored)
                    yield Redriven(written)

    def delete(self, stored: StoredObject) -> None:
        self._s3.delete_object(Bucket=self._bucket, Key=stored.key)

    def _write(self, stored: StoredObject, lines: Iterable[str]) -> int:
        """Write lines as an object of the archive, and return their number."""
        with tempfile.SpooledTemporaryFile(MEMORY_BYTES) as content:
            count, digest = 0, blake2b(digest_size=4)
            with gzip.GzipFile("", "wb", fileobj=content, mtime=0) as packed:
                for line in lines:
                    packed.write(encoded := line.encode() + b"\n")
                    digest.update(encoded)
                    count += 1
            content.seek(0)
            if count:
                key = redriven_key(stored.key, digest.hexdigest())
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
        return count

    def _record_lines(self, stored: StoredObject) -> Iterator[str]:
        """Return the records, without repetitions: a line is quarantined once for each of its unreadable records."""
        previous = None
        for failure in self.records(stored):
            is_damage = self.kind is FailureKind.QUARANTINE and not failure.record
            if failure.reason == UNKNOWN_FORMAT or is_damage:
                raise NoRecord(f"{failure.id}: {failure.detail}")
            if failure.record != previous:
                yield failure.record
            previous = failure.record


def list_objects(s3: Any, bucket: str, prefix: str, start_after: str = "") -> Iterator[StoredObject]:
    """List objects in the order of their keys, a page at a time."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, StartAfter=start_after)
    for page in pages:
        for entry in page.get("Contents", ()):
            yield StoredObject(entry["Key"], entry["LastModified"], entry["Size"])
