"""End a recount early, and delete no batch that it may not have counted."""

import os
import signal
from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import typer

from aftersend.aws.recount import delete_recounted
from aftersend.aws.stored_objects import StoredFailures
from aftersend.cli.recount import explained
from aftersend.operations.failures import Failure, FailureKind, StoredObject

CUT = datetime(2026, 3, 14, 12, tzinfo=UTC)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers() -> Generator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@explained()
def interrupted_by(number: int, done: list[str]) -> None:
    try:
        os.kill(os.getpid(), number)
    finally:
        done.append("resumed")


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_ends_the_command_after_what_resumes_counting(number: int, capsys: pytest.CaptureFixture[str]):
    done: list[str] = []
    with pytest.raises(typer.Exit) as ended:
        interrupted_by(number, done)
    assert (ended.value.exit_code, done) == (130, ["resumed"])
    assert "Run the command again" in capsys.readouterr().err


def test_hangup_that_is_ignored_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with explained():
        os.kill(os.getpid(), signal.SIGHUP)


class StoredBatches(StoredFailures):
    def __init__(self, *batches: StoredObject) -> None:
        self.batches = list(batches)

    def objects(self) -> Iterator[StoredObject]:
        yield from list(self.batches)

    def records(self, stored: StoredObject) -> Iterator[Failure]:
        yield Failure(FailureKind.BATCH, stored.key, "", "", stored.since, record='{"payload": {"Records": []}}')

    def delete(self, stored: StoredObject) -> None:
        self.batches.remove(stored)


def test_batch_that_was_stored_after_the_cut_stays():
    before, after = (StoredObject(str(hours), CUT + timedelta(hours=hours), 1) for hours in (-1, 1))
    batches = StoredBatches(before, after)
    assert delete_recounted(batches, lambda items: True, CUT) == (1, 1)
    assert batches.batches == [after]
