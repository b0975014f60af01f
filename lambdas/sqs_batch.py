"""Process batches of SQS messages: one message at a time, with failed ones reported and one log line per batch."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from aftersend.recorder import Tally
from lambdas.dependencies import logger


def each_message(event: dict[str, Any], handle: Callable[[str], Tally]) -> dict[str, Any]:
    """Handle the body of every SQS message and return which failed, so that only those are delivered again.

    A message that fails repeatedly ends in the dead-letter queue.
    """
    tally: Tally = Counter()
    failures: Counter[str] = Counter()
    failed: list[str] = []
    for message in event["Records"]:
        try:
            tally.update(handle(message["body"]))
        except Exception as error:  # noqa: BLE001 (each message fails alone)
            tally["failed"] += 1
            failures[f"{type(error).__name__}: {error}"] += 1
            failed.append(message["messageId"])
    log = logger.warning if failures else logger.info
    extra = {"messages": len(event["Records"]), "tally": tally, "failures": failures}
    log("Processed a batch of messages.", extra=extra)
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}
