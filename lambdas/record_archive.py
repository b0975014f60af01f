"""Archive route: every event, in the objects Firehose wrote. Triggered by the queue of objects."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from aftersend.aws.archive import Archive
from aftersend.events import Event
from aftersend.parsing import Ignored, Unreadable, parse_object_notification
from aftersend.recorder import Recorder, Tally, parse_recordable
from lambdas import dependencies
from lambdas.sqs_batch import each_message


class UnreadableNotification(Exception):
    """The message announces no objects: it goes back to its queue, and from there to where it is kept."""


def handler(
    event: dict[str, Any], _context: object = None, *, recorder: Recorder | None = None, archive: Archive | None = None
) -> dict[str, Any]:
    return each_message(
        event, lambda body: record(body, recorder or dependencies.recorder(), archive or dependencies.archive())
    )


def record(notification: str, recorder: Recorder, archive: Archive) -> Tally:
    """Record the events of the objects a notification announces; lines nobody understands are put in quarantine."""
    outcome = parse_object_notification(notification)
    if isinstance(outcome, Unreadable):
        raise UnreadableNotification(f"{outcome.reason}: {outcome.detail}")
    if isinstance(outcome, Ignored):
        return Counter({f"ignored:{outcome.reason}": 1})
    tally: Tally = Counter()
    for found in outcome:
        with archive.quarantine(found) as keep:
            tally.update(recorder.record(_events(archive.lines(found), keep, tally)))
    return tally


def _events(
    lines: Iterator[tuple[int, bytes]], keep: Callable[[int, bytes, Unreadable], None], tally: Tally
) -> Iterator[Event]:
    for number, line in lines:
        for outcome in parse_recordable(line):
            if isinstance(outcome, list):
                yield from outcome
            elif isinstance(outcome, Ignored):
                tally[f"ignored:{outcome.reason}"] += 1
            else:
                keep(number, line, outcome)
                tally[f"unreadable:{outcome.reason}"] += 1
