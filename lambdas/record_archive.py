"""Record every event in the objects that Firehose writes to the archive. Triggered by the queue of S3 notifications."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from aftersend.aws.archive import Archive, DamagedObject, QuarantineLine
from aftersend.aws.clients import client
from aftersend.contract import QUARANTINED_LINES
from aftersend.events import Event
from aftersend.parsing import ArchivedObject, Ignored, Options, Unreadable, parse_object_notification
from aftersend.recorder import Incomplete, Recorder, Tally, parse_recordable
from lambdas import dependencies, recording
from lambdas.sqs_batch import each_message


class UnreadableNotification(Exception):
    """A message is not an S3 notification: it returns to the queue and finally goes to the dead-letter queue."""


class FailedObjects(Exception):
    """Some objects of a notification were not recorded in full: its message returns to the queue."""


def handler(
    event: dict[str, Any],
    _context: object = None,
    *,
    recorder: Recorder | None = None,
    archive: Archive | None = None,
    emit_metric: Callable[[dict[str, Any]], None] = dependencies.emit_metric,
) -> dict[str, Any]:
    """Record archived events and update the suppression entries of recipients with feedback."""
    recorder = (recorder or recording.parsing_recorder()).for_one_invocation()
    archive = archive or Archive(client("s3"))
    record = partial(_record_object, recorder=recorder, archive=archive, emit_metric=emit_metric)
    return each_message(event, partial(record_objects, record_object=record))


def record_objects(notification: str, record_object: Callable[[ArchivedObject], Tally]) -> Tally:
    """Record the events of the objects that a notification names, and quarantine the lines that cannot be parsed.

    Raises:
        UnreadableNotification: if it is not an S3 notification.
        FailedObjects: if some objects could not be recorded, after all others.
    """
    result = parse_object_notification(notification)
    if isinstance(result, Unreadable):
        raise UnreadableNotification(f"{result.reason}: {result.detail}")
    if isinstance(result, Ignored):
        return Counter({f"ignored:{result.reason}": 1})
    total: Tally = Counter()
    failures: list[tuple[ArchivedObject, Exception]] = []
    for source in result:
        try:
            total.update(record_object(source))
        except Exception as error:  # noqa: BLE001 (each object fails alone; raised below)
            failures.append((source, error))
    if failures:
        raise FailedObjects(_describe(failures, len(result))) from failures[0][1]
    return total


def _describe(failures: list[tuple[ArchivedObject, Exception]], number: int) -> str:
    objects = "; ".join(f"{source.key}: {type(error).__name__}: {error}" for source, error in failures)
    return f"{len(failures)} of {number} objects were not recorded in full. {objects}"


def _record_object(
    source: ArchivedObject, recorder: Recorder, archive: Archive, emit_metric: Callable[[dict[str, Any]], None]
) -> Tally:
    tally: Tally = Counter()
    incomplete = None
    with archive.quarantine(source) as quarantine_line:
        try:
            tally.update(recorder.record(_events(archive.lines(source), quarantine_line, tally, recorder.options)))
        except Incomplete as error:  # all lines were read: what was quarantined of them is stored
            incomplete = error
    if lines := tally[QUARANTINED_LINES]:
        emit_metric(dependencies.environment_document({QUARANTINED_LINES: lines}))
    if incomplete:
        raise incomplete
    return tally


def _events(
    lines: Iterator[tuple[int, bytes]], quarantine_line: QuarantineLine, tally: Tally, options: Options
) -> Iterator[Event]:
    """Return the events of the lines; quarantine or count the records that hold none.

    Of a damaged object that is what comes before the damage; the rest is quarantined as one line.
    """
    number = 0
    try:
        for number, line in lines:
            yield from _line_events(number, line, quarantine_line, tally, options)
    except DamagedObject as error:
        damage = Unreadable("damaged-object", f"Nothing could be read after line {number}: {error}")
        quarantine_line(number + 1, b"", damage)
        tally.update({QUARANTINED_LINES: 1, f"unreadable:{damage.reason}": 1})


def _line_events(
    number: int, line: bytes, quarantine_line: QuarantineLine, tally: Tally, options: Options
) -> Iterator[Event]:
    unreadable: list[Unreadable] = []
    for result in parse_recordable(line, options):
        if isinstance(result, list):
            yield from result
        elif isinstance(result, Ignored):
            tally[f"ignored:{result.reason}"] += 1
        else:
            unreadable.append(result)
    tally.update(f"unreadable:{result.reason}" for result in unreadable)
    if unreadable:
        quarantine_line(number, line, unreadable[0])
        tally[QUARANTINED_LINES] += 1
