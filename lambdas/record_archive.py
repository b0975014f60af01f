"""Record every event in the objects that Firehose writes to the archive. Triggered by the queue of S3 notifications."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from aftersend.aws.archive import Archive, QuarantineLine
from aftersend.events import Event
from aftersend.parsing import Ignored, Unreadable, parse_object_notification
from aftersend.recorder import Recorder, Tally, parse_recordable
from lambdas import dependencies
from lambdas.sqs_batch import each_message


class UnreadableNotification(Exception):
    """A message is not an S3 notification: it returns to the queue and finally goes to the dead-letter queue."""


def handler(
    event: dict[str, Any], _context: object = None, *, recorder: Recorder | None = None, archive: Archive | None = None
) -> dict[str, Any]:
    """Record archived events and update the suppression entries of recipients with feedback."""
    recorder, archive = recorder or dependencies.recorder(), archive or dependencies.archive()
    return each_message(event, partial(record_objects, recorder=recorder, archive=archive))


def record_objects(notification: str, recorder: Recorder, archive: Archive) -> Tally:
    """Record the events of the objects that a notification names, and quarantine the lines that cannot be parsed.

    Raises:
        UnreadableNotification: if it is not an S3 notification.
    """
    result = parse_object_notification(notification)
    if isinstance(result, Unreadable):
        raise UnreadableNotification(f"{result.reason}: {result.detail}")
    if isinstance(result, Ignored):
        return Counter({f"ignored:{result.reason}": 1})
    tally: Tally = Counter()
    for source in result:
        with archive.quarantine(source) as quarantine_line:
            tally.update(recorder.record(_events(archive.lines(source), quarantine_line, tally)))
    return tally


def _events(lines: Iterator[tuple[int, bytes]], quarantine_line: QuarantineLine, tally: Tally) -> Iterator[Event]:
    """Return the events of the lines; quarantine or count the records that hold none."""
    for number, line in lines:
        for result in parse_recordable(line):
            if isinstance(result, list):
                yield from result
            elif isinstance(result, Ignored):
                tally[f"ignored:{result.reason}"] += 1
            else:
                quarantine_line(number, line, result)
                tally[f"unreadable:{result.reason}"] += 1
