import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from aftersend import ledger
from aftersend.events import Event, Kind
from aftersend.parsing import Ignored, Unreadable, parse
from aftersend.recorder import DECISION_ATTEMPTS, Conflict, Recorder, Undecided, parse_recordable
from aftersend.suppression import Entry, Policy
from tests.event_factory import READER, SENT, a_bounce, a_complaint, a_not_spam_report, an_event, an_open
from tests.fakes import FakeLedger, FakeSuppressions
from tests.record_files import published, setup


def a_recorder(
    events: FakeLedger | None = None, entries: FakeSuppressions | None = None, *, days_after_sending: float = 1
) -> Recorder:
    return Recorder(
        ledger=FakeLedger() if events is None else events,
        suppressions=FakeSuppressions() if entries is None else entries,
        policy=Policy(),
        retention=ledger.Retention(),
        now=lambda: SENT + timedelta(days=days_after_sending),
        attempts=lambda most: range(1, most + 1),
    )


def test_bounce_is_recorded_and_its_recipient_decided_about():
    events, entries = FakeLedger(), FakeSuppressions()
    assert a_recorder(events, entries).record([a_bounce()]) == {"recorded": 1}
    assert (len(events), READER in entries) == (1, True)


def test_recording_again_changes_nothing():
    events, entries = FakeLedger(), FakeSuppressions()
    recorder = a_recorder(events, entries)
    recorder.record([a_bounce(), an_open()])
    before = dict(events), dict(entries)
    recorder.record([an_open(), a_bounce()])
    assert (events, entries) == before


def test_expired_events_are_ignored_and_counted():
    events = FakeLedger()
    tally = a_recorder(events, days_after_sending=60).record([an_event(Kind.DELIVERY), a_bounce()])
    assert tally == {"recorded": 1, "ignored:expired": 1}
    assert [key.sort.split("#")[0] for key in events] == ["feedback"]


def ignore(_: Event) -> None:
    pass


class IdleLedger(FakeLedger):
    """Write nothing, as if every event were stored already."""

    @contextmanager
    def writer(self) -> Generator[Callable[[Event], None]]:
        yield ignore


class RepeatingLedger(FakeLedger):
    """Write each event twice, and not before the block ends."""

    @contextmanager
    def writer(self) -> Generator[Callable[[Event], None]]:
        written: list[Event] = []
        yield written.append
        for event in [*written, *written]:
            self.write(event)


@pytest.mark.parametrize("implementation", [FakeLedger, IdleLedger, RepeatingLedger])
def test_tally_and_affected_recipients_do_not_depend_on_how_the_ledger_writes(implementation: type[FakeLedger]):
    events, entries = implementation(), FakeSuppressions()
    events.write(a_bounce())
    assert a_recorder(events, entries).record([a_bounce(), an_open()]) == {"recorded": 3}
    assert READER in entries


class FailingLedger(FakeLedger):
    """Fail to write the last batch."""

    @contextmanager
    def writer(self) -> Generator[Callable[[Event], None]]:
        yield self.write
        raise ConnectionError


def test_no_recipient_is_decided_about_before_all_events_are_written():
    entries = FakeSuppressions()
    with pytest.raises(ConnectionError):
        a_recorder(FailingLedger(), entries).record([a_bounce()])
    assert entries == {}


def test_each_event_is_written_before_the_next_is_taken():
    """An object of the archive does not fit into a function's memory as events."""
    events = FakeLedger()

    def one_by_one() -> Iterator[Event]:
        for number in range(100):
            assert len(events) == number
            yield a_bounce(message=f"message-{number}")

    assert a_recorder(events).record(one_by_one()) == {"recorded": 100}


def test_recipient_is_decided_about_although_the_event_was_recorded_before():
    """The attempt that wrote the event was interrupted before it decided."""
    events, entries = FakeLedger(), FakeSuppressions()
    events.write(a_bounce())
    a_recorder(events, entries).record([a_bounce()])
    assert READER in entries


def test_unchanged_entry_is_not_written_again():
    entries = FakeSuppressions()
    recorder = a_recorder(entries=entries)
    for _ in range(3):
        recorder.record([a_bounce()])
    assert entries[READER].version == 1


def test_entry_outlives_the_events_it_was_decided_from():
    events, entries = FakeLedger(), FakeSuppressions()
    recorder = a_recorder(events, entries)
    recorder.record([a_bounce()])
    events.clear()
    recorder.record([a_not_spam_report()])
    assert entries[READER].is_in_force(SENT + timedelta(days=500))


def test_not_spam_report_lifts_a_complaint_the_ledger_has_expired():
    events, entries = FakeLedger(), FakeSuppressions()
    recorder = a_recorder(events, entries)
    recorder.record([a_complaint()])
    events.clear()
    recorder.record([a_not_spam_report()])
    assert not entries[READER].is_in_force(SENT + timedelta(days=1))


@pytest.mark.parametrize("order", list(permutations([a_complaint(), a_not_spam_report(), a_bounce(minutes=7)])))
def test_order_of_arrival_makes_no_difference(order: tuple[Event, ...]):
    events, entries = FakeLedger(), FakeSuppressions()
    for event in order:
        a_recorder(events, entries).record([event])
    entry = entries[READER]
    assert (entry.rule, entry.lifted_by, len(entry.evidence)) == ("hard-bounce", None, 1)


class ContendedSuppressions(FakeSuppressions):
    """Report a conflict so many times, as if another process had written the entry since it was read."""

    def __init__(self, conflicts: int) -> None:
        self.conflicts = conflicts

    def replace(self, expected: Entry | None, new: Entry) -> None:
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict
        super().replace(expected, new)


def test_conflict_is_decided_again():
    entries = ContendedSuppressions(conflicts=DECISION_ATTEMPTS - 1)
    a_recorder(entries=entries).record([a_bounce()])
    assert READER in entries


def test_recipient_with_a_conflict_at_every_attempt_is_left_to_the_next_invocation():
    with pytest.raises(Undecided):
        a_recorder(entries=ContendedSuppressions(conflicts=DECISION_ATTEMPTS)).record([a_bounce()])


def test_entry_is_read_before_the_events():
    """In the other order, a decision from fewer events could replace one from more."""

    class WatchedSuppressions(FakeSuppressions):
        def entry(self, recipient: str) -> Entry | None:
            events.write(a_bounce(minutes=3))  # by the other route, just before the events are read
            return super().entry(recipient)

    events, entries = FakeLedger(), WatchedSuppressions()
    a_recorder(events, entries).record([a_complaint()])
    assert entries[READER].rule == "hard-bounce"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"messageId": "m" * 901}, "too-large"),
        ({"destination": ["a" * 2049 + "@mail.example"]}, "too-large"),
        ({"tags": {"campaign": ["c" * 300_000]}}, "too-large"),
        ({"messageId": None, "destination": []}, "no-message-id"),
    ],
)
def test_record_that_cannot_be_stored_is_unreadable(changes: dict[str, Any], reason: str):
    record = published("send")
    record["mail"] |= changes
    [result] = parse_recordable(json.dumps(record))
    assert isinstance(result, Unreadable)
    assert result.reason == reason


def test_record_that_can_be_stored_is_parsed_as_usual():
    assert parse_recordable(setup("topic-validation.txt")) == [Ignored("topic-validation")]
    assert parse_recordable(json.dumps(published("bounce"))) == parse(json.dumps(published("bounce")))


def test_bounce_without_message_id_and_time_suppresses_nevertheless():
    record = published("bounce")
    record["mail"] |= {"messageId": None, "timestamp": "the other day"}
    record["bounce"]["timestamp"] = "soon"
    [result] = parse_recordable(json.dumps(record))
    entries = FakeSuppressions()
    assert isinstance(result, list)
    a_recorder(entries=entries).record(result)
    assert entries["ada.reader@mail.example"].is_in_force(SENT)
