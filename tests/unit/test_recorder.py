import json
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from aftersend import ledger
from aftersend.events import Event, Kind
from aftersend.parsing.parser import Ignored, Unreadable, parse
from aftersend.recorder import DECISION_ATTEMPTS, Conflict, Recorder, Undecided, parse_recordable
from aftersend.suppression import Entry, Policy
from tests.event_factory import READER, SENT, a_bounce, a_complaint, a_not_spam_report, an_event, an_open
from tests.fakes import FakeLedger, FakeSuppressions
from tests.record_files import published, setup


def a_recorder(kept: FakeLedger | None = None, listed: FakeSuppressions | None = None, days: float = 1) -> Recorder:
    return Recorder(
        ledger=FakeLedger() if kept is None else kept,
        suppressions=FakeSuppressions() if listed is None else listed,
        policy=Policy(),
        retention=ledger.Retention(),
        now=lambda: SENT + timedelta(days=days),
        attempts=lambda most: range(1, most + 1),
    )


def test_an_event_is_recorded_and_its_recipient_decided_about():
    kept, listed = FakeLedger(), FakeSuppressions()
    assert a_recorder(kept, listed).record([a_bounce()]) == {"recorded": 1}
    assert (len(kept), READER in listed) == (1, True)


def test_recording_again_changes_nothing():
    kept, listed = FakeLedger(), FakeSuppressions()
    recorder = a_recorder(kept, listed)
    recorder.record([a_bounce(), an_open()])
    before = dict(kept), dict(listed)
    recorder.record([an_open(), a_bounce()])
    assert (kept, listed) == before


def test_events_that_expired_are_ignored_and_counted():
    kept = FakeLedger()
    tally = a_recorder(kept, days=60).record([an_event(Kind.DELIVERY), a_bounce()])
    assert tally == {"recorded": 1, "ignored:expired": 1}
    assert [key.sort.split("#")[0] for key in kept] == ["feedback"]


def test_a_recipient_is_decided_about_although_the_fact_was_known():
    """The attempt that wrote the fact was cut off before it decided."""
    kept, listed = FakeLedger(), FakeSuppressions()
    kept.record([a_bounce()])
    a_recorder(kept, listed).record([a_bounce()])
    assert READER in listed


def test_an_entry_that_still_stands_is_not_written_again():
    kept, listed = FakeLedger(), FakeSuppressions()
    recorder = a_recorder(kept, listed)
    for _ in range(3):
        recorder.record([a_bounce()])
    assert listed[READER].version == 1


def test_an_entry_outlives_the_facts_it_stands_on():
    kept, listed = FakeLedger(), FakeSuppressions()
    recorder = a_recorder(kept, listed)
    recorder.record([a_bounce()])
    kept.clear()
    recorder.record([a_not_spam_report()])
    assert listed[READER].is_in_force(SENT + timedelta(days=500))


def test_a_retraction_lifts_a_complaint_the_ledger_has_forgotten():
    kept, listed = FakeLedger(), FakeSuppressions()
    recorder = a_recorder(kept, listed)
    recorder.record([a_complaint()])
    kept.clear()
    recorder.record([a_not_spam_report()])
    assert not listed[READER].is_in_force(SENT + timedelta(days=1))


@pytest.mark.parametrize("order", list(permutations([a_complaint(), a_not_spam_report(), a_bounce(minutes=7)])))
def test_the_order_of_arrival_makes_no_difference(order: tuple[Event, ...]):
    kept, listed = FakeLedger(), FakeSuppressions()
    for event in order:
        a_recorder(kept, listed).record([event])
    entry = listed[READER]
    assert (entry.rule, entry.lifted_by, len(entry.evidence)) == ("hard-bounce", None, 1)


class Contended(FakeSuppressions):
    """Somebody else writes the entry between reading and replacing, some times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def replace(self, expected: Entry | None, new: Entry) -> None:
        if self.times:
            self.times -= 1
            raise Conflict
        super().replace(expected, new)


def test_a_conflict_is_decided_again():
    listed = Contended(times=DECISION_ATTEMPTS - 1)
    a_recorder(listed=listed).record([a_bounce()])
    assert READER in listed


def test_who_cannot_be_decided_about_is_left_to_the_next_attempt():
    with pytest.raises(Undecided):
        a_recorder(listed=Contended(times=DECISION_ATTEMPTS)).record([a_bounce()])


def test_the_entry_is_read_before_the_facts():
    """Read the other way round, a decision from fewer facts could replace one from more."""

    class Watched(FakeSuppressions):
        def entry(self, recipient: str) -> Entry | None:
            kept.record([a_bounce(minutes=3)])  # another route's fact, just before the facts are read
            return super().entry(recipient)

    kept, listed = FakeLedger(), Watched()
    a_recorder(kept, listed).record([a_complaint()])
    assert listed[READER].rule == "hard-bounce"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"messageId": "m" * 901}, "too-large"),
        ({"destination": ["a" * 2049 + "@mail.example"]}, "too-large"),
        ({"tags": {"campaign": ["c" * 300_000]}}, "too-large"),
        ({"messageId": None, "destination": []}, "no-message-id"),
    ],
)
def test_what_cannot_be_kept_is_unreadable(changes: dict[str, Any], reason: str):
    record = published("send")
    record["mail"] |= changes
    [found] = parse_recordable(json.dumps(record))
    assert isinstance(found, Unreadable)
    assert found.reason == reason


def test_what_can_be_kept_is_as_it_was_read():
    assert parse_recordable(setup("topic-validation.txt")) == [Ignored("topic-validation")]
    assert parse_recordable(json.dumps(published("bounce"))) == parse(json.dumps(published("bounce")))


def test_a_bounce_without_message_id_and_time_suppresses_nevertheless():
    record = published("bounce")
    record["mail"] |= {"messageId": None, "timestamp": "the other day"}
    record["bounce"]["timestamp"] = "soon"
    [found] = parse_recordable(json.dumps(record))
    kept, listed = FakeLedger(), FakeSuppressions()
    assert isinstance(found, list)
    a_recorder(kept, listed).record(found)
    assert listed["ada.reader@mail.example"].is_in_force(SENT)
