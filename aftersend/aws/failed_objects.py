"""Count the objects of the archive bucket that hold what could not be processed."""

from typing import Any

MAX_COUNTED = 10_000
"""Counting stops here, after ten calls: whoever looks at that many objects needs no exact number."""


class FailedObjects:
    """Count objects of the archive bucket by prefix."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def count(self, prefix: str) -> int:
        """Return how many objects are below a prefix, at most MAX_COUNTED."""
        number = 0
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            number += page["KeyCount"]
            if number >= MAX_COUNTED:
                return MAX_COUNTED
        return number
