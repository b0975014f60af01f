"""Record the feedback that SES publishes over SNS, one message each. Triggered by the feedback queue."""

from functools import partial
from typing import Any

from aftersend.parsing import Ignored, Unreadable
from aftersend.recorder import Recorder, Tally, parse_recordable
from lambdas import recording
from lambdas.sqs_batch import each_message


class UnreadableRecord(Exception):
    """A record could not be parsed: its message returns to the queue and finally goes to the dead-letter queue."""


def handler(event: dict[str, Any], _context: object = None, *, recorder: Recorder | None = None) -> dict[str, Any]:
    """Record SES feedback from SQS and update the recipients' suppression entries."""
    recorder = (recorder or recording.parsing_recorder()).for_one_invocation()
    return each_message(event, partial(record_message, recorder=recorder))


def record_message(payload: str, recorder: Recorder) -> Tally:
    """Record the events of one message.

    Raises:
        UnreadableRecord: if one of its records could not be parsed, after the others were recorded.
    """
    results = parse_recordable(payload, recorder.options)
    tally = recorder.record(event for result in results if isinstance(result, list) for event in result)
    tally.update(f"ignored:{result.reason}" for result in results if isinstance(result, Ignored))
    for result in results:
        if isinstance(result, Unreadable):
            raise UnreadableRecord(f"{result.reason}: {result.detail}")
    return tally
