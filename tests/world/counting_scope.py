"""Count a small stream in every way there is: every order of two invocations' calls, every kill, every batch.

The changes are few and a transaction takes one item only, so that even a small batch takes several transactions.
"""

import contextlib
import copy
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple
from unittest import mock

from botocore.exceptions import ClientError

from aftersend import counting
from aftersend.aws.counters_table import CountersTable
from aftersend.counting import Change, Counts, Row, pad_sequence_number
from lambdas import count_tags
from tests.fakes import immediate_attempts
from tests.world.calls import Fault, Killed
from tests.world.dynamodb import DynamoDB
from tests.world.turns import Turns

HOUR = datetime(2026, 3, 14, 9, tzinfo=UTC)
ONE, OTHER = Row("campaign", "value-0", HOUR), Row("campaign", "value-1", HOUR)
"""Rows of different slots."""

STEPS: dict[str, dict[tuple[Row, str], int]] = {
    "add": {(ONE, "send"): 1},
    "take back": {(ONE, "send"): -1},
    "move": {(ONE, "send"): -1, (OTHER, "send"): 1},
}
"""What a change may do: count an event, take it back, move its count to a row of another slot."""

MAX_CHANGES, MAX_CALLS = 3, 5
"""Changes of a stream, and calls of an invocation at which it is killed."""


class Death(NamedTuple):
    """End one of the invocations at its call of that number, before or after the call takes effect."""

    invocation: int
    call: int
    after: bool


class Case(NamedTuple):
    """Describe a stream, where the batches of two invocations end, and which of them is killed."""

    steps: tuple[str, ...]
    ends: tuple[int, int]
    death: Death | None

    @property
    def changes(self) -> list[Change]:
        return [Change(pad_sequence_number(str(n)), Counter(STEPS[step])) for n, step in enumerate(self.steps, 1)]


def cases() -> Iterator[Case]:
    """Yield every stream with every pair of batches and every kill."""
    deaths = [None, *itertools.starmap(Death, itertools.product((0, 1), range(MAX_CALLS), (False, True)))]
    for length in range(1, MAX_CHANGES + 1):
        ends = itertools.combinations_with_replacement(range(1, length + 1), 2)
        for case in itertools.product(itertools.product(STEPS, repeat=length), list(ends), deaths):
            yield Case(*case)


class Client:
    """Make a process's calls on the model of DynamoDB: waits for its turn before each, and dies where it is to."""

    def __init__(self, dynamodb: DynamoDB, wait: Callable[[], None] = lambda: None, death: Death | None = None) -> None:
        self._dynamodb, self._wait, self._death = dynamodb, wait, death
        self.calls = 0

    def get_item(self, **call: Any) -> Any:
        return self._perform(self._dynamodb.GetItem, call)

    def transact_write_items(self, **call: Any) -> Any:
        return self._perform(self._dynamodb.TransactWriteItems, call)

    def _perform(self, operation: Callable[[dict[str, Any]], Any], call: dict[str, Any]) -> Any:
        self._wait()
        number, self.calls = self.calls, self.calls + 1
        dies = self._death is not None and number == self._death.call
        if dies and not self._death.after:
            raise Killed
        try:
            answer = operation(call)
        except Fault as fault:
            raise ClientError(fault.parsed, "operation") from fault
        finally:
            if dies:
                raise Killed
        return answer


def failures(cases: Iterable[Case]) -> Iterator[str]:
    """Run cases in every order of their calls, and yield what is counted wrongly."""
    finished: set[tuple[Any, ...]] = set()
    for case in cases:
        choices: list[int] | None = []
        while choices is not None:
            made: list[tuple[int, int]] = []
            dynamodb, done = _run(case, choices, made)
            choices = _next(made)
            # Lambda goes on anywhere up to the end of a batch that succeeded, and may deliver anything again later.
            for start in range(done + 1):
                state = case.steps, repr(dynamodb.tables), start
                if state not in finished:
                    finished.add(state)
                    yield from _finish(case, copy.deepcopy(dynamodb.tables), start)


def _next(made: list[tuple[int, int]]) -> list[int] | None:
    """Return the choices of the next order; None after the last."""
    while made and made[-1][0] + 1 == made[-1][1]:
        made = made[:-1]
    return [*(choice for choice, _ in made[:-1]), made[-1][0] + 1] if made else None


def _run(case: Case, choices: Sequence[int], made: list[tuple[int, int]]) -> tuple[DynamoDB, int]:
    """Let the invocations take turns as the choices say, then the first one first. Append to `made` each choice, and
    out of how many; return the table and the longest batch that succeeded."""
    dynamodb = DynamoDB(random.Random(0), lambda: HOUR, plain=["counters"], streamed=[])
    done = [0]

    def invoke(number: int) -> None:
        death = case.death if case.death and case.death.invocation == number else None
        counters = _process(Client(dynamodb, turns.wait, death))
        with contextlib.suppress(Killed, count_tags.CheckpointContention):
            count_tags.count(case.changes[: case.ends[number]], "shard", counters, immediate_attempts)
            done.append(case.ends[number])

    turns = Turns([partial(invoke, 0), partial(invoke, 1)])
    turns.start()
    while turns.running:
        choice = choices[len(made)] if len(made) < len(choices) else 0
        made.append((choice, len(turns.running)))
        turns.give(turns.running[choice])
    return dynamodb, max(done)


def _process(client: Client) -> CountersTable:
    return CountersTable(client, "counters", now=lambda: 0.0, attempts=immediate_attempts)


def _finish(case: Case, tables: dict[str, Any], start: int) -> Iterator[str]:
    dynamodb = DynamoDB(random.Random(0), lambda: HOUR, plain=[], streamed=[])
    dynamodb.tables = tables
    expected: Counts = Counter()
    for change in case.changes:
        expected.update(change.counts)
    batches = [(start, len(case.changes)), *itertools.combinations(range(len(case.changes) + 1), 2)]
    counters = _process(Client(dynamodb))
    for batch in batches:
        count_tags.count(case.changes[slice(*batch)], "shard", counters, immediate_attempts)
        if (actual := _stored(dynamodb)) != {key: count for key, count in expected.items() if count}:
            yield f"{case}, then {batch}: {actual}"


def _stored(dynamodb: DynamoDB) -> dict[tuple[Row, str], int]:
    """Return the counts in the table that are not 0."""
    return {
        (row, measure): count
        for row, measures in CountersTable(Scanner(dynamodb), "counters").rows()
        for measure, count in measures.items()
        if count
    }


class Scanner:
    """Scan the model's table in one page."""

    def __init__(self, dynamodb: DynamoDB) -> None:
        self._items = dynamodb.tables["counters"].items

    def get_paginator(self, _: str) -> "Scanner":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Items": list(self._items.values())}]


def small_transactions() -> Any:
    """Let a transaction move one item only."""
    return mock.patch.object(counting, "MAX_ITEMS_PER_COMMIT", 1)
