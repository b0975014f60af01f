"""Count attempts and pause between them."""

import random
import time
from collections.abc import Callable, Iterable, Iterator

Attempts = Callable[[int], Iterable[int]]
"""Count up to a limit of attempts, from 1. Tests pass one that does not pause."""

BASE_PAUSE_SECONDS = 0.05
MAX_PAUSE_SECONDS = 5.0


def attempts(limit: int, *, pause: Callable[[float], None] = time.sleep) -> Iterator[int]:
    """Count attempts from 1 to a limit and pause between them.

    A pause is drawn at random below a bound that doubles with each attempt (full jitter), so that two writers that
    conflicted once do not conflict again. Source: "Exponential Backoff And Jitter", AWS Architecture Blog.
    """
    for attempt in range(1, limit + 1):
        yield attempt
        if attempt < limit:
            pause(random.uniform(0, min(MAX_PAUSE_SECONDS, BASE_PAUSE_SECONDS * 2**attempt)))  # noqa: S311 (no secret)
