"""Hand stored batches of the suppressions table's stream to publish_suppressions again."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from aftersend.aws.stored_objects import StoredFailures
from aftersend.contract import FAILED_BATCHES_PREFIX
from aftersend.operations.failures import UNKNOWN_FORMAT, Failure, FailureKind, Redriven

FUNCTION_OUTPUT, MAPPING_OUTPUT = "PublishSuppressionsFunctionName", "PublishSuppressionsMappingId"
"""Outputs of the Pipeline stack."""


def unpublished_prefix(mapping_id: str) -> str:
    """Return the prefix of batches that an event source mapping stored ("Retaining discarded records")."""
    return f"{FAILED_BATCHES_PREFIX}{mapping_id}/"


class UnpublishedBatches(StoredFailures):
    """Describe and redrive the batches of one event source mapping, or a single one."""

    def __init__(self, s3: Any, functions: Any, bucket: str, prefix: str, function: str, key: str | None) -> None:
        super().__init__(s3, bucket, FailureKind.UNPUBLISHED, key, prefix=prefix)
        self._functions, self._function = functions, function

    def redrive(self, until: datetime, lines: list[str] | None = None) -> Iterator[Redriven]:
        """Invoke the function with each batch, then delete the object. Lines cannot replace a batch.

        Objects stored after `until` stay, and so do those whose changes fail again.
        """
        for stored in self.objects():
            for failure in self.records(stored) if stored.since < until else ():
                if lines is not None or failure.reason == UNKNOWN_FORMAT or not self._publish(failure):
                    yield Redriven(0, f"{stored.key}: its changes were not published. Read the log of the function.")
                    continue
                self.delete(stored)
                yield Redriven(1)

    def _publish(self, failure: Failure) -> bool:
        """Invoke the function with the records of a batch; return whether all of them were published."""
        payload = msgspec.json.decode(failure.record).get("payload")
        if payload is None:
            return False
        content = payload.encode() if isinstance(payload, str) else msgspec.json.encode(payload)
        response = self._functions.invoke(FunctionName=self._function, Payload=content)
        return msgspec.json.decode(response["Payload"].read()) == {"batchItemFailures": []}
