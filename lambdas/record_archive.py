"""Archive route: every event, in the objects Firehose wrote. Triggered by the queue of objects."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from aftersend.aws.archive import Archive
from aftersend.events import Event
from aftersend.reading import Ignored, Unreadable, read_object_notification
from aftersend.recording import Recorder, Tally, recordable
from lambdas.batches import each_message
from lambdas.work import archive, recorder


class UnreadableNotification(Exception):
    """The message announces no objects: it goes back to its queue, and from there to where it is kept."""


def handler(
    event: dict[str, Any], _context: object = None, *, to: Recorder | None = None, of: Archive | None = None
) -> dict[str, Any]:
    return each_message(event, lambda body: record(body, to or recorder(), of or archive()))


def record(notification: str, to: Recorder, of: Archive) -> Tally:
    """Record the events of the objects a notification announces; lines nobody understands are put in quarantine."""
    outcome = read_object_notification(notification)
    if isinstance(outcome, Unreadable):
        raise UnreadableNotification(f"{outcome.reason}: {outcome.detail}")
    if isinstance(outcome, Ignored):
        return Counter({f"ignored:{outcome.reason}": 1})
    tally: Tally = Counter()
    for found in outcome:
        with of.quarantine(found) as keep:
            tally.update(to.record(_events(of.lines(found), keep, tally)))
    return tally


def _events(
    lines: Iterator[tuple[int, bytes]], keep: Callable[[int, bytes, Unreadable], None], tally: Tally
) -> Iterator[Event]:
    for number, line in lines:
        for outcome in recordable(line):
            if isinstance(outcome, list):
                yield from outcome
            elif isinstance(outcome, Ignored):
                tally[f"ignored:{outcome.reason}"] += 1
            else:
                keep(number, line, outcome)
                tally[f"unreadable:{outcome.reason}"] += 1
