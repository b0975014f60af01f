"""Pause and resume the event source mapping that invokes count_tags."""

from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from aftersend.aws.attempts import Attempts, attempts
from aftersend.aws.clients import error_code

MAPPING_ATTEMPTS = 120
"""Attempts to change a mapping, and to see it disabled: several minutes. Lambda takes up to about one."""

DELAY_FACTOR = 1.25
"""In how many batching windows nearly every change is counted: the rest is polling, and counting itself."""


class NotPaused(Exception):
    """Lambda did not disable the mapping."""


class CountingMapping:
    """Pause and resume counting. The stream keeps what is written meanwhile, for 24 hours."""

    def __init__(self, functions: Any, mapping_id: str, *, attempts: Attempts = attempts) -> None:
        self._functions, self._id, self._attempts = functions, mapping_id, attempts

    def stream_arn(self) -> str:
        return self._read()["EventSourceArn"]

    def delay(self) -> timedelta:
        """Return how long after a change it is usually counted."""
        return timedelta(seconds=DELAY_FACTOR * self._read().get("MaximumBatchingWindowInSeconds", 0))

    def is_paused(self) -> bool:
        return self._read()["State"] == "Disabled"

    def _read(self) -> Any:
        return self._functions.get_event_source_mapping(UUID=self._id)

    def pause(self) -> None:
        """Disable the mapping and wait until Lambda shows that it is. An invocation may still be under way then.

        Raises:
            NotPaused: if Lambda does not disable it.
        """
        self._enable(False)
        for _ in self._attempts(MAPPING_ATTEMPTS):
            if self.is_paused():
                return
        raise NotPaused(f"Lambda did not disable the event source mapping {self._id}.")

    def resume(self) -> None:
        """Enable the mapping."""
        self._enable(True)

    def _enable(self, enabled: bool) -> None:
        for attempt in self._attempts(MAPPING_ATTEMPTS):
            try:
                self._functions.update_event_source_mapping(UUID=self._id, Enabled=enabled)
                return
            except ClientError as error:  # while another change of the mapping is under way
                if error_code(error) != "ResourceInUseException" or attempt == MAPPING_ATTEMPTS:
                    raise
