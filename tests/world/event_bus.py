"""Model an event bus of EventBridge: it refuses some entries of a request and accepts the others."""

import random
from dataclasses import dataclass, field
from typing import Any

from tests.world.calls import Fault

MAX_ENTRIES, MAX_BYTES = 10, 256 * 1024
"""What one PutEvents may have ("Amazon EventBridge quotas")."""


@dataclass
class EventBus:
    """One event bus; the operation is named as EventBridge names it."""

    rng: random.Random
    refused_rate: float = 0.0
    """How often an entry is refused, from 0 to 1."""
    published: list[dict[str, str]] = field(default_factory=list)
    """The entries that were accepted."""

    def PutEvents(self, call: dict[str, Any]) -> dict[str, Any]:
        entries = call["Entries"]
        size = sum(len(entry[name].encode()) for entry in entries for name in ("Source", "DetailType", "Detail"))
        if not 1 <= len(entries) <= MAX_ENTRIES or size > MAX_BYTES:
            raise Fault("ValidationException")
        results = [self._put(entry) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def _put(self, entry: dict[str, str]) -> dict[str, str]:
        if self.rng.random() < self.refused_rate:
            return {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
        self.published.append(entry)
        return {"EventId": str(len(self.published))}
