"""The AWS clients, made once per process. Region, credentials and endpoint come from where boto3 looks for them."""

import random
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

LONGEST_PAUSE_SECONDS = 5.0
pause = time.sleep


@cache
def client(service: str) -> Any:
    """A client that retries throttling and lost connections by itself."""
    return boto3.client(
        service,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": 6},
            connect_timeout=3,
            read_timeout=20,
            parameter_validation=False,  # our requests are built in one place each; checking them costs half the time
        ),
    )


def error_code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def attempts(most: int, base_seconds: float = 0.05) -> Iterator[int]:
    """Counts attempts from 1 and pauses between them, at random up to a growing bound (full jitter), so that those
    who met once do not meet again."""
    for attempt in range(1, most + 1):
        yield attempt
        if attempt < most:
            pause(random.uniform(0, min(LONGEST_PAUSE_SECONDS, base_seconds * 2**attempt)))  # noqa: S311 (no secret)
