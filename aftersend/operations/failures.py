"""Describe failed records: their kinds, how each kind is stored, and where it is redriven to."""

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from aftersend.contract import (
    EVENTS_PREFIX,
    FAILED_BATCHES_PREFIX,
    FIREHOSE_ERRORS_PREFIX,
    QUARANTINE_PREFIX,
    REDRIVEN_SUFFIX,
    QuarantinedLine,
)
from aftersend.parsing import Ignored, Unreadable, parse_object_notification
from aftersend.recorder import parse_recordable


class FailureKind(StrEnum):
    """Name the kinds of failed records, as docs/operations.md describes them."""

    FEEDBACK = "feedback-dead-letter"
    ARCHIVE = "archive-dead-letter"
    SUBSCRIPTION = "subscription-dead-letter"
    QUARANTINE = "quarantined-line"
    FIREHOSE = "firehose-error"
    BATCH = "failed-batch"
    UNPUBLISHED = "unpublished-batch"


class Queues(NamedTuple):
    """Outputs of the Pipeline stack with the URLs of a dead-letter queue and of the queue to redrive to."""

    dead_letters: str
    source: str


QUEUES: Mapping[FailureKind, Queues] = {
    FailureKind.FEEDBACK: Queues("FeedbackDeadLetterQueueUrl", "FeedbackQueueUrl"),
    FailureKind.ARCHIVE: Queues("ArchiveDeadLetterQueueUrl", "ArchiveQueueUrl"),
    FailureKind.SUBSCRIPTION: Queues("FeedbackSubscriptionDeadLetterQueueUrl", "FeedbackQueueUrl"),
}
PREFIXES: Mapping[FailureKind, str] = {
    FailureKind.QUARANTINE: QUARANTINE_PREFIX,
    FailureKind.FIREHOSE: FIREHOSE_ERRORS_PREFIX,
    FailureKind.BATCH: FAILED_BATCHES_PREFIX,
}
"""The prefix in the archive bucket of each kind that is stored there. UNPUBLISHED is below that of BATCH."""


class KindText(NamedTuple):
    """What people read about a kind of failed record."""

    meaning: str
    section: str
    """The anchor of its alarm in docs/operations.md."""


KINDS: Mapping[FailureKind, KindText] = {
    FailureKind.FEEDBACK: KindText("Messages that record_feedback failed on five times", "feedbackdeadletters"),
    FailureKind.ARCHIVE: KindText("Objects that record_archive failed on five times", "archivedeadletters"),
    FailureKind.SUBSCRIPTION: KindText(
        "Messages that SNS could not deliver to the feedback queue", "feedbacksubscriptiondeadletters"
    ),
    FailureKind.QUARANTINE: KindText("Lines of the archive that could not be parsed", "quarantineobjects"),
    FailureKind.FIREHOSE: KindText("Records that Firehose could not deliver", "firehoseerrors"),
    FailureKind.BATCH: KindText("Changes of the ledger that count_tags failed on", "failedbatches"),
    FailureKind.UNPUBLISHED: KindText(
        "Changes of the suppression list that publish_suppressions failed on", "suppressioneventsdiscarded"
    ),
}

BATCHES = (FailureKind.BATCH, FailureKind.UNPUBLISHED)
"""Kinds whose objects are one document each, which Lambda may write over several lines."""

UNKNOWN_FORMAT, NOT_OPENED = "unknown-format", "not-opened"
FUNCTION_FAILED, NOT_DELIVERED = "function-failed", "not-delivered"

HOUR = re.compile(r"\d{4}/\d{2}/\d{2}/\d{2}/")
"""How Firehose arranges objects: by the hour (UTC) in which their records arrived."""


class Failure(msgspec.Struct, frozen=True):
    """A failed record, or a number of them."""

    kind: FailureKind
    id: str
    """The id of a message; or the key of an object, `#` and a line from 1."""
    reason: str
    detail: str
    since: datetime | None
    record: str = ""
    count: int = 1
    """More than one where records are counted without being opened."""


class StoredObject(NamedTuple):
    """An object of the archive bucket, as listed."""

    key: str
    since: datetime
    size_bytes: int


class Redriven(NamedTuple):
    """The result of one step of redriving: the number of records, and a sentence about those that were refused."""

    records: int
    refused: str = ""


def group_by_reason(failures: Iterable[Failure]) -> list[Failure]:
    """Return one failure for each kind and reason: the oldest, with the number of all of them."""
    groups: dict[tuple[str, str], Failure] = {}
    for failure in failures:
        name = failure.kind, failure.reason
        group = groups.get(name, msgspec.structs.replace(failure, count=0))
        oldest = min(group, failure, key=lambda each: each.since or datetime.max.replace(tzinfo=UTC))
        groups[name] = msgspec.structs.replace(oldest, count=group.count + failure.count, record="")
    return [group for _, group in sorted(groups.items())]


def kind_of_key(key: str) -> FailureKind | None:
    """Return the kind of failed record that an object holds, by its key; None if it holds none."""
    return next((kind for kind, prefix in PREFIXES.items() if key.startswith(prefix)), None)


def split_id(id: str) -> tuple[str, int | None]:
    """Split the id of a stored record into its object's key and its line; None if it names no line."""
    key, separator, line = id.rpartition("#")
    return (key, int(line)) if separator and line.isdecimal() else (id, None)


def redriven_key(key: str, digest: str) -> str:
    """Return the key below `events/` that the records of an object are redriven to, given their digest.

    It follows from the object's key and the records, so that a repetition writes the same object again, and other
    records of the same object (repaired, or quarantined again by a replay) replace none; it keeps the hour, so that a
    replay of that hour includes it; and it ends in `.gz`, as the other compressed objects of the archive do.
    """
    name = key.removeprefix(QUARANTINE_PREFIX).removesuffix(".jsonl").removeprefix(EVENTS_PREFIX)
    if key.startswith(FIREHOSE_ERRORS_PREFIX):
        name = key.removeprefix(FIREHOSE_ERRORS_PREFIX)
        if hour := HOUR.search(name):
            name = hour[0] + (name[: hour.start()] + name[hour.end() :]).replace("/", "-")
    return f"{EVENTS_PREFIX}{name}.{digest}{REDRIVEN_SUFFIX}"


def dead_letter(kind: FailureKind, id: str, body: str, since: datetime | None) -> Failure:
    """Describe a dead letter. SQS does not store why a message failed, so its body is parsed again."""
    return Failure(kind, id, *_dead_letter_reason(kind, body), since, body)


def _dead_letter_reason(kind: FailureKind, body: str) -> tuple[str, str]:
    if kind is FailureKind.SUBSCRIPTION:
        return NOT_DELIVERED, "Amazon SNS could not deliver it to the feedback queue."
    if kind is FailureKind.ARCHIVE:
        result = parse_object_notification(body)
        if isinstance(result, Unreadable):
            return result.reason, result.detail
        keys = [] if isinstance(result, Ignored) else [archived.key for archived in result]
        return FUNCTION_FAILED, f"It can be parsed ({', '.join(keys)}): read the logs of record_archive."
    for result in parse_recordable(body):
        if isinstance(result, Unreadable):
            return result.reason, result.detail
    return FUNCTION_FAILED, "It can be parsed: read the logs of record_feedback."


def parse_stored(kind: FailureKind, stored: StoredObject, lines: Iterable[tuple[int, bytes]]) -> Iterator[Failure]:
    """Describe the records of an object, one per line. A line in another format gets the reason UNKNOWN_FORMAT."""
    for number, line in lines:
        try:
            reason, detail, record = _LINE_PARSERS[kind](line)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):  # msgspec's are ValueErrors
            reason, detail = UNKNOWN_FORMAT, f"The line is not of the format of a {kind}."
            record = line.decode("utf-8", "replace")
        yield Failure(kind, f"{stored.key}#{number}", reason, detail, stored.since, record)


def quarantined_record(line: bytes) -> str | None:
    """Return the record in a line of a quarantine object; None if the line has another format."""
    try:
        return msgspec.json.decode(line, type=QuarantinedLine).record
    except (ValueError, RecursionError):
        return None


def _parse_quarantined(line: bytes) -> tuple[str, str, str]:
    stored = msgspec.json.decode(line, type=QuarantinedLine)
    return stored.reason, f"line {stored.line} of {stored.object}: {stored.detail}", stored.record


def _parse_firehose(line: bytes) -> tuple[str, str, str]:
    """Parse a record that Firehose stored; AWS's pages spell the names of code and message in two ways."""
    stored = msgspec.json.decode(line, type=dict[str, Any])
    code, message = (stored.get(f"error{name}") or stored.get(f"Error{name}") or "" for name in ("Code", "Message"))
    return str(code), str(message), b64decode(stored["rawData"], validate=True).decode("utf-8", "replace").rstrip()


def _parse_batch(document: bytes) -> tuple[str, str, str]:
    """Parse a batch that Lambda stored ("Retaining discarded records for a DynamoDB event source")."""
    stored = msgspec.json.decode(document, type=dict[str, Any])
    info = stored["DDBStreamBatchInfo"]
    numbers = f"{info.get('startSequenceNumber')} to {info.get('endSequenceNumber')}"
    detail = f"{info.get('batchSize')} changes of shard {info.get('shardId')}, {numbers}"
    return str(stored.get("requestContext", {}).get("condition", "unknown")), detail, document.decode()


_LINE_PARSERS: Mapping[FailureKind, Callable[[bytes], tuple[str, str, str]]] = {
    FailureKind.QUARANTINE: _parse_quarantined,
    FailureKind.FIREHOSE: _parse_firehose,
    FailureKind.BATCH: _parse_batch,
    FailureKind.UNPUBLISHED: _parse_batch,
}
"""For each kind: a line → the reason, the detail and the record."""
