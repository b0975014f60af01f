import json
import random
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest

from aftersend.events import ADDED, REMOVED, Event, Kind
from aftersend.parsing import Ignored, Unreadable, parse
from aftersend.recorder import (
    DECISION_ATTEMPTS,
    Conflict,
    Feedback,
    Incomplete,
    RecipientForgotten,
    Recorder,
    Refused,
    Undecided,
    parse_recordable,
)
from aftersend.retention import Retention, RetentionHistory
from aftersend.suppression import Entry, Policy
from tests.event_factory import (
    READER,
    SENT,
    a_bounce,
    a_complaint,
    a_not_spam_report,
    an_event,
    an_open,
    an_out_of_office_reply,
    decide_everywhere,
    removed_by_operator,
)
from tests.fakes import FakeLedger, FakeSuppressions
from tests.record_files import published, setup


def a_recorder(
    events: FakeLedger | None = None, entries: FakeSuppressions | None = None, *, days_after_sending: float = 1
) -> Recorder:
    return Recorder(
        ledger=FakeLedger() if events is None else events,
        suppressions=FakeSuppressions() if entries is None else entries,
        policy=Policy(),
        history=RetentionHistory().with_setting(Retention(), SENT),
        now=lambda: SENT + timedelta(days=days_after_sending),
        attempts=lambda most: range(1, most + 1),
    )


def test_bounce_is_recorded_and_its_recipient_decided_about():
    events, entries = FakeLedger(), FakeSuppressions()
    assert a_recorder(events, entries).record([a_bounce()]) == {"recorded": 1}
    assert (len(events), (READER, "*") in entries) == (1, True)


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
    assert (READER, "*") in entries


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
    assert (READER, "*") in entries


def test_unchanged_entry_is_not_written_again():
    entries = FakeSuppressions()
    recorder = a_recorder(entries=entries)
    for _ in range(3):
        recorder.record([a_bounce()])
    assert entries[READER, "*"].version == 1


def test_entry_outlives_the_events_it_was_decided_from():
    events, entries = FakeLedger(), FakeSuppressions()
    recorder = a_recorder(events, entries)
    recorder.record([a_bounce()])
    events.clear()
    recorder.record([a_not_spam_report()])
    assert entries[READER, "*"].is_in_force(SENT + timedelta(days=500))


def test_not_spam_report_lifts_a_complaint_the_ledger_has_expired():
    events, entries = FakeLedger(), FakeSuppressions()
    recorder = a_recorder(events, entries)
    recorder.record([a_complaint()])
    events.clear()
    recorder.record([a_not_spam_report()])
    assert not entries[READER, "*"].is_in_force(SENT + timedelta(days=1))


@pytest.mark.parametrize("order", list(permutations([a_complaint(), a_not_spam_report(), a_bounce(minutes=7)])))
def test_order_of_arrival_makes_no_difference(order: tuple[Event, ...]):
    events, entries = FakeLedger(), FakeSuppressions()
    for event in order:
        a_recorder(events, entries).record([event])
    entry = entries[READER, "*"]
    assert (entry.rule, entry.lifted_by) == ("hard-bounce", None)
    assert [event.feedback_type for event in entry.evidence] == [None, "not-spam"]


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
    assert (READER, "*") in entries


def test_recipient_with_a_conflict_at_every_attempt_is_left_to_the_next_invocation():
    recorder = a_recorder(entries=ContendedSuppressions(conflicts=DECISION_ATTEMPTS))
    with pytest.raises(Undecided):
        recorder.update_suppression(READER, [a_bounce()])
    with pytest.raises(Incomplete, match=r"^1 failures; the first is Undecided: An entry changed"):
        a_recorder(entries=ContendedSuppressions(conflicts=DECISION_ATTEMPTS)).record([a_bounce()])


class BrokenEntries(FakeSuppressions):
    """Fail to read the entries of some recipients."""

    def __init__(self, broken: set[str]) -> None:
        self.broken = broken

    def entries_of(self, recipient: str) -> dict[str, Entry]:
        if recipient in self.broken:
            raise ConnectionError("DynamoDB is away.")
        return super().entries_of(recipient)


def test_recipient_who_cannot_be_decided_about_keeps_no_other_from_it():
    entries = BrokenEntries({"a@mail.example", "c@mail.example"})
    bounces = [a_bounce(recipient=f"{name}@mail.example") for name in "abcd"]
    with pytest.raises(Incomplete, match=r"^2 failures; the first is ConnectionError: DynamoDB is away\.$"):
        a_recorder(entries=entries).record(bounces)
    assert entries.keys() == {("b@mail.example", "*"), ("d@mail.example", "*")}


class RefusingLedger(FakeLedger):
    """Refuse events of some recipients as invalid, as DynamoDB may do for a reason that is not checked before."""

    @contextmanager
    def writer(self) -> Generator[Callable[[Event], None]]:
        refused: list[Event] = []
        yield lambda event: refused.append(event) if event.recipient == "bad@mail.example" else self.write(event)
        if refused:
            raise Refused("DynamoDB refused 1 items.")


def test_refused_event_costs_itself_and_its_message_returns():
    events, entries = RefusingLedger(), FakeSuppressions()
    with pytest.raises(Incomplete, match="Refused: DynamoDB refused 1 items"):
        a_recorder(events, entries).record([a_bounce(recipient="bad@mail.example"), a_bounce()])
    assert (len(events), (READER, "*") in entries) == (1, True)


class UnreadLedger(FakeLedger):
    """Fail when events are read."""

    def feedback_for(self, recipient: str) -> Feedback:
        raise AssertionError


@pytest.mark.parametrize(
    "event",
    [
        a_bounce(recipient="bounce@simulator.amazonses.com"),
        a_bounce("Transient", "ContentRejected", status="5.3.4"),
        a_bounce(subtype="OnAccountSuppressionList"),
        a_bounce(status="5.7.1"),
        an_out_of_office_reply(),
        an_event(Kind.DELIVERY),
    ],
    ids=lambda event: f"{event.kind}-{event.bounce_subtype}",
)
def test_nothing_is_read_for_an_event_without_effect(event: Event):
    assert a_recorder(UnreadLedger(), BrokenEntries({READER})).record([event]) == {"recorded": 1}


class PartlyReadLedger(FakeLedger):
    """Read only the newest few events."""

    def feedback_for(self, recipient: str) -> Feedback:
        newest = sorted(key for key in self if self.is_feedback_of(recipient, key))[-2:]
        return Feedback([self[key] for key in newest], is_complete=len(newest) == len(self))


def numbered(event: Event, number: int) -> Event:
    return msgspec.structs.replace(event, message_id=f"message-{number:04}")


def test_decision_from_part_of_the_events_is_counted():
    recorder = a_recorder(PartlyReadLedger())
    assert recorder.record([numbered(a_bounce(), 1)]) == {"recorded": 1}
    tally = recorder.record(numbered(a_bounce(), number) for number in range(2, 5))
    assert tally == {"recorded": 3, "decided-from-part": 1}


@pytest.mark.parametrize("seed", range(100))
def test_recipient_with_more_events_than_are_read_is_suppressed_as_by_all_of_them(seed: int):
    rng, events, entries = random.Random(seed), PartlyReadLedger(), FakeSuppressions()
    recorder = a_recorder(events, entries)
    makers = [a_bounce, a_complaint, a_not_spam_report, removed_by_operator]
    history = [
        numbered(maker(minutes=rng.randrange(100)), number) for number, maker in enumerate(rng.choices(makers, k=12))
    ]
    rng.shuffle(history)
    history.insert(0, numbered(a_complaint(minutes=rng.randrange(100)), 99))  # evidence begins with the first entry
    for number, event in enumerate(history, 1):
        recorder.record([event, rng.choice(history[:number])])
        expected = decide_everywhere(history[:number], recorder.policy)
        if (READER, "*") in entries:
            assert expected is not None
            assert entries[READER, "*"].is_in_force(SENT) == expected.is_in_force(SENT)


@pytest.mark.parametrize("left", [[], [a_complaint()], [a_not_spam_report()], [a_complaint(), a_not_spam_report()]])
def test_what_has_expired_decides_no_more_whether_or_not_it_was_removed(left: list[Event]):
    """Time-to-live removes the retraction before the complaint, or after it."""
    events, entries = FakeLedger(), FakeSuppressions()
    for event in left:
        events.write(event)
    later = a_bounce(sent_at=SENT + timedelta(days=400), message="later")
    a_recorder(events, entries, days_after_sending=402).record([later])
    expected = decide_everywhere([later], Policy())
    assert expected is not None
    assert entries[READER, "*"].is_equivalent(expected)


def test_last_lift_outlives_its_item_in_the_entry():
    """It lifted nothing itself, but a complaint before it, which arrives late, must not suppress."""
    events, entries = FakeLedger(), FakeSuppressions()
    recorder = a_recorder(events, entries)
    last_lift = a_not_spam_report(minutes=50, message="message-2")
    recorder.record([a_complaint(minutes=1), a_not_spam_report(minutes=2), last_lift])
    events.clear()
    recorder.record([a_complaint(minutes=30, message="late")])
    assert not entries[READER, "*"].is_in_force(SENT)


def test_complaint_taken_back_and_repeated_suppresses_in_any_order():
    complaints = [a_complaint(minutes=1), a_not_spam_report(minutes=2), a_complaint(minutes=60 * 24 * 40)]
    for order in permutations(complaints):
        events, entries = FakeLedger(), FakeSuppressions()
        for event in order:
            a_recorder(events, entries, days_after_sending=50).record([event])
        assert entries[READER, "*"].is_in_force(SENT)


def test_operators_act_counts_as_later_than_every_event_known_when_it_was_made():
    """The bouncing server's clock is 19 days ahead."""
    entries = FakeSuppressions()
    recorder = a_recorder(entries=entries)
    recorder.record([a_bounce(minutes=60 * 24 * 19)])
    act = recorder.record_operator_act(REMOVED, READER.upper(), operator="ops", note="asked on the phone")
    assert act.occurred_at == SENT + timedelta(days=19, milliseconds=1)
    assert (act.recipient, act.recipient_raw, act.operator, act.note) == (
        READER,
        READER.upper(),
        "ops",
        "asked on the phone",
    )
    assert not entries[READER, "*"].is_in_force(SENT)
    recorder.record_operator_act(ADDED, READER, operator="ops", note="by mistake")
    assert entries[READER, "*"].rule == "added-by-operator"


def test_operators_act_is_later_than_evidence_whose_events_have_expired():
    events, entries = FakeLedger(), FakeSuppressions()
    a_recorder(events, entries).record([a_bounce(minutes=60 * 24 * 19)])
    events.clear()
    a_recorder(events, entries).record_operator_act(REMOVED, READER, operator="ops", note="")
    assert not entries[READER, "*"].is_in_force(SENT)


def test_operators_act_is_made_now_where_nothing_later_is_known():
    act = a_recorder().record_operator_act(ADDED, READER, operator="ops", note="")
    assert act.occurred_at == SENT + timedelta(days=1)


@pytest.mark.parametrize(
    ("kind", "recipient", "note"), [("Bounce", READER, ""), (ADDED, "", ""), (ADDED, READER, "n" * 200_000)]
)
def test_operators_act_that_cannot_be_stored_is_an_error(kind: str, recipient: str, note: str):
    with pytest.raises(ValueError, match=r"\.$"):
        a_recorder().record_operator_act(kind, recipient, operator="ops", note=note)


def test_entry_is_read_before_the_events():
    """In the other order, a decision from fewer events could replace one from more."""

    class WatchedSuppressions(FakeSuppressions):
        def entries_of(self, recipient: str) -> dict[str, Entry]:
            events.write(a_bounce(minutes=3))  # by the other route, just before the events are read
            return super().entries_of(recipient)

    events, entries = FakeLedger(), WatchedSuppressions()
    a_recorder(events, entries).record([a_complaint()])
    assert entries[READER, "*"].rule == "hard-bounce"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"messageId": "m" * 901}, "too-large"),
        ({"destination": ["a" * 2049 + "@mail.example"]}, "too-large"),
        ({"tags": {"campaign": ["c" * 150_000]}}, "too-large"),
        ({"messageId": None, "destination": []}, "no-message-id"),
    ],
)
def test_record_that_cannot_be_stored_is_unreadable(changes: dict[str, Any], reason: str):
    record = published("send")
    record["mail"] |= changes
    [result] = parse_recordable(json.dumps(record))
    assert isinstance(result, Unreadable)
    assert result.reason == reason


def test_recipient_who_cannot_be_stored_keeps_no_other_of_the_record_from_it():
    record = published("bounce")
    long = {"emailAddress": "a" * 2049 + "@mail.example", "status": "5.1.1"}
    record["mail"]["destination"].append(long["emailAddress"])
    record["bounce"]["bouncedRecipients"] += [long, long]
    events, rejection = parse_recordable(json.dumps(record))
    assert isinstance(events, list)
    assert [event.recipient for event in events] == ["ada.reader@mail.example"]
    assert rejection == Unreadable("too-large", "A recipient has more than 2048 bytes.")


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
    assert entries["ada.reader@mail.example", "*"].is_in_force(SENT)


def test_nothing_is_recorded_about_a_forgotten_recipient():
    events, entries = FakeLedger(), FakeSuppressions()
    recorder = a_recorder(events, entries)._replace(forgotten=lambda: {READER})
    about_somebody_else = msgspec.structs.replace(a_bounce(), recipient="other@mail.example")
    tally = recorder.record([a_bounce(), an_open(), about_somebody_else])
    assert tally == {"recorded": 1, "ignored:forgotten": 3}  # the first open is an event of its own
    assert {key.partition for key in events} == {"other@mail.example"}


def test_operator_cannot_add_a_forgotten_recipient():
    recorder = a_recorder()._replace(forgotten=lambda: {READER})
    with pytest.raises(RecipientForgotten, match="--undo") as error:
        recorder.record_operator_act(ADDED, READER.upper(), "operator", "note")
    assert READER not in str(error.value)


def test_forgotten_recipients_are_read_once_per_invocation_and_only_for_events_of_recipients():
    reads: list[int] = []
    recorder = a_recorder()._replace(forgotten=lambda: reads.append(1) or frozenset())
    for _ in range(2):
        invocation = recorder.for_one_invocation()
        invocation.record([msgspec.structs.replace(an_open(), recipient=None)])
        for _ in range(3):
            invocation.record([a_bounce(), an_open()])
    assert len(reads) == 2


def test_forgotten_recipient_is_not_decided_about_again():
    """Between tombstone and erasure, the ledger still has what would lead to a new entry."""
    events, entries = FakeLedger(), FakeSuppressions()
    with events.writer() as write:
        write(a_bounce())
    recorder = a_recorder(events, entries)
    recorder._replace(forgotten=lambda: {READER}).update_suppression(READER)
    assert not entries
    recorder.update_suppression(READER)
    assert (READER, "*") in entries
