"""SNS route: what SES published within seconds, a message each. Triggered by the feedback queue."""

from collections import Counter
from typing import Any

from aftersend.reading import Ignored, Unreadable
from aftersend.recording import Recorder, Tally, recordable
from lambdas.batches import each_message
from lambdas.work import recorder


class UnreadableRecord(Exception):
    """Nobody understood the message: it goes back to its queue, and from there to where it is kept."""


def handler(event: dict[str, Any], _context: object = None, *, to: Recorder | None = None) -> dict[str, Any]:
    return each_message(event, lambda body: record(body, to or recorder()))


def record(payload: str, to: Recorder) -> Tally:
    """Record the events of one message and decide about their recipients."""
    outcome = recordable(payload)
    if isinstance(outcome, Unreadable):
        raise UnreadableRecord(f"{outcome.reason}: {outcome.detail}")
    return Counter({f"ignored:{outcome.reason}": 1}) if isinstance(outcome, Ignored) else to.record(outcome)
