"""Do the same for many items, several at a time, in bounded memory."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

WORKERS = 10
"""As many as boto3 keeps connections for."""

BATCH = 100
"""Items in memory at a time; also the keys of one BatchGetItem."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def batched(items: Iterable[Item], size: int = BATCH) -> Iterator[list[Item]]:
    """Cut items into lists of that size."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def in_parallel(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield the result for each item, in order. If interrupted, nothing new is begun."""
    with ThreadPoolExecutor(WORKERS) as pool:
        for batch in batched(items):
            yield from pool.map(function, batch)
