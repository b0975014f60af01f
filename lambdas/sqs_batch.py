"""Process batches of SQS messages: one message at a time, with failed ones reported and one log line per batch."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from aftersend.recorder import Tally
from lambdas.dependencies import logger


def each_message(event: dict[str, Any], handle: Callable[[str], Tally]) -> dict[str, Any]:
    """Handle the body of every SQS message and return which failed, so that only those are delivered again.

    A message that fails repeatedly ends in the dead-letter queue.
    """

    def handle_message(record: SQSRecord) -> Tally:  # Powertools names the argument
        return handle(record.body)

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    with processor(event["Records"], handle_message):
        results = processor.process()
    tally: Tally = Counter()
    for status, result, _ in results:
        tally.update(result if status == "success" else {"failed": 1})
    failures = Counter(f"{kind.__name__}: {error}" for kind, error, _ in processor.exceptions if kind)
    log = logger.warning if failures else logger.info
    log("Processed a batch of messages.", extra={"messages": len(results), "tally": tally, "failures": failures})
    return dict(processor.response())
