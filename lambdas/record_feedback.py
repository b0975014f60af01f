"""SNS route: what SES published within seconds, a message each. Triggered by the feedback queue."""

from typing import Any

from aftersend.parsing import Ignored, Unreadable
from aftersend.recorder import Recorder, Tally, parse_recordable
from lambdas import dependencies
from lambdas.sqs_batch import each_message


class UnreadableRecord(Exception):
    """Nobody understood the message: it goes back to its queue, and from there to where it is kept."""


def handler(event: dict[str, Any], _context: object = None, *, recorder: Recorder | None = None) -> dict[str, Any]:
    return each_message(event, lambda body: record(body, recorder or dependencies.recorder()))


def record(payload: str, recorder: Recorder) -> Tally:
    """Record the events of one message and decide about their recipients.

    Raises:
        UnreadableRecord: if a record in it could not be read, after the others were recorded.
    """
    outcomes = parse_recordable(payload)
    tally = recorder.record(event for outcome in outcomes if isinstance(outcome, list) for event in outcome)
    tally.update(f"ignored:{outcome.reason}" for outcome in outcomes if isinstance(outcome, Ignored))
    for outcome in outcomes:
        if isinstance(outcome, Unreadable):
            raise UnreadableRecord(f"{outcome.reason}: {outcome.detail}")
    return tally
