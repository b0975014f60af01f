"""What the two queue consumers share: a message at a time, the failed ones reported back, one log line a batch."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from aftersend.recorder import Tally
from lambdas.dependencies import logger


def each_message(event: dict[str, Any], handle: Callable[[str], Tally]) -> dict[str, Any]:
    """Handle the body of every SQS message; answer which failed, so that those alone are delivered again.

    A message that fails however often ends in the dead-letter queue, where it is kept.
    """

    def handle_message(record: SQSRecord) -> Tally:  # Powertools names the argument
        return handle(record.body)

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    with processor(event["Records"], handle_message):
        outcomes = processor.process()
    tally: Tally = Counter()
    for outcome in outcomes:
        tally.update(outcome[1] if outcome[0] == "success" else {"failed": 1})
    failures = Counter(f"{kind.__name__}: {error}" for kind, error, _ in processor.exceptions if kind)
    report = logger.warning if failures else logger.info
    report("batch done", extra={"messages": len(outcomes), "tally": tally, "failures": failures})
    return dict(processor.response())
