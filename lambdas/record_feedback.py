"""SNS route: what SES published within seconds, a message each. Triggered by the feedback queue."""

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
    """Record the events of one message and decide about their recipients.

    Raises:
        UnreadableRecord: if a record in it could not be read, after the others were recorded.
    """
    outcomes = recordable(payload)
    tally = to.record(event for outcome in outcomes if isinstance(outcome, list) for event in outcome)
    tally.update(f"ignored:{outcome.reason}" for outcome in outcomes if isinstance(outcome, Ignored))
    for outcome in outcomes:
        if isinstance(outcome, Unreadable):
            raise UnreadableRecord(f"{outcome.reason}: {outcome.detail}")
    return tally
