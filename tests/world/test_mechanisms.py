"""Remove what makes the pipeline exact, one mechanism at a time: without it, a test of exactness fails."""

from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import msgspec
import pytest

from aftersend import ledger, retention
from aftersend.aws import ledger_table, suppressions_table
from aftersend.aws.counters_table import CountersTable
from aftersend.aws.counting_mapping import CountingMapping
from aftersend.aws.event_bus import EventBus
from aftersend.aws.ledger_image import countable_event
from aftersend.aws.recount import Recount
from aftersend.counting import START, Change, Checkpoint, Commit, item_of, slot
from aftersend.events import Event
from aftersend.operations.recount import Tally
from aftersend.recipient_hash import ForgottenRecipients
from aftersend.recorder import Recorder
from aftersend.retention import RetentionHistory
from aftersend.suppression import decision
from lambdas import count_tags
from tests.world import test_counting_scope as counting_scope
from tests.world import test_decisions as decisions
from tests.world import test_exactness as exactness
from tests.world import test_expiry as expiry
from tests.world import test_failures as failures
from tests.world import test_forgetting as forgetting
from tests.world import test_published_changes as published
from tests.world import test_recount as recounts

ALWAYS_TRUE = "attribute_not_exists(an_attribute_no_item_has)"

SEEDS = range(1000)


def ignore_checkpoints(patch: pytest.MonkeyPatch) -> None:
    """Count everything in a batch, whatever was counted before."""
    commits = count_tags.commits
    patch.setattr(count_tags, "commits", lambda changes, checkpoint: commits(changes, START))


def move_checkpoints_unconditionally(patch: pytest.MonkeyPatch) -> None:
    """Move the checkpoint without comparing it with the one that was read."""
    move = CountersTable._advance_checkpoint

    def unconditional(self: CountersTable, *arguments: Any) -> dict[str, Any]:
        put = move(self, *arguments)["Put"]
        return {"Put": {name: value for name, value in put.items() if "Expression" not in name}}

    patch.setattr(CountersTable, "_advance_checkpoint", unconditional)


def leave_positions_where_counts_cancel_out(patch: pytest.MonkeyPatch) -> None:
    """Move the position of a slot only where one of its counters moves."""
    commits = count_tags.commits

    def without_cancelled(changes: list[Change], checkpoint: Checkpoint) -> Iterator[Commit]:
        for commit in commits(changes, checkpoint):
            moved = {slot(item_of(row)) for row, _ in commit.counts}
            positions = enumerate(zip(checkpoint, commit.checkpoint, strict=True))
            checkpoint = tuple(after if number in moved else before for number, (before, after) in positions)
            yield commit._replace(checkpoint=checkpoint)

    patch.setattr(count_tags, "commits", without_cancelled)


def record_expired_events(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RetentionHistory, "is_expired", lambda self, event, now: False)


def forget_earlier_retention(patch: pytest.MonkeyPatch) -> None:
    """Let the guard know the present setting alone."""
    is_expired = RetentionHistory.is_expired
    patch.setattr(
        RetentionHistory,
        "is_expired",
        lambda self, event, now: is_expired(RetentionHistory(self.periods[-1:]), event, now),
    )


def expire_by_when_it_occurred(patch: pytest.MonkeyPatch) -> None:
    """Let copies of one event with different times expire apart."""
    patch.setattr(retention, "common_time", lambda event: event.occurred_at)


def decide_from_expired_events(patch: pytest.MonkeyPatch) -> None:
    known = Recorder._known

    def with_expired_events(self: Recorder, *arguments: Any) -> list[Event]:
        return known(self._replace(history=mock.Mock(is_expired=lambda event, now: False)), *arguments)

    patch.setattr(Recorder, "_known", with_expired_events)


def keep_no_lift_as_evidence(patch: pytest.MonkeyPatch) -> None:
    entry = decision._Fold.entry

    def without_lifts(self: decision._Fold, *arguments: Any) -> Any:
        self._lifts = {}
        return entry(self, *arguments)

    patch.setattr(decision._Fold, "entry", without_lifts)


def keep_the_first_event_as_evidence(patch: pytest.MonkeyPatch) -> None:
    """Leave out the last event of each reason."""
    entry = decision._Fold.entry

    def without_last(self: decision._Fold, *arguments: Any) -> Any:
        self._lasting = {reason: rulings[:1] for reason, rulings in self._lasting.items()}
        return entry(self, *arguments)

    patch.setattr(decision._Fold, "entry", without_last)


def decide_without_what_was_just_written(patch: pytest.MonkeyPatch) -> None:
    update_suppression = Recorder.update_suppression
    patch.setattr(Recorder, "update_suppression", lambda self, recipient, _: update_suppression(self, recipient))


def write_incomplete_copies_unconditionally(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "is_complete", lambda event: bool(event.tags))


def take_tags_of_headers_for_complete(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "is_complete", lambda event: bool(event.tags and event.sent_at and event.from_domain))


def keep_any_complaint(patch: pytest.MonkeyPatch) -> None:
    """Let the rank of a complaint not depend on its time."""
    rank = ledger.rank
    patch.setattr(
        ledger, "rank", lambda event: rank(msgspec.structs.replace(event, occurred_at=None, reported_at=None))
    )


def write_what_dynamodb_refuses(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "storage_problem", lambda event: None)


def count_undecodable_records(patch: pytest.MonkeyPatch) -> None:
    """Let a record that cannot be decoded fail its batch."""

    patch.setattr(count_tags, "_decode", lambda image, counted: countable_event(image, counted.names))


def keep_the_last_copy(patch: pytest.MonkeyPatch) -> None:
    """Let each copy of an event replace the one before, whatever their ranks."""
    patch.setattr(ledger_table, "IF_RANKS_HIGHER", ALWAYS_TRUE)


def forget_refused_changes(patch: pytest.MonkeyPatch) -> None:
    """Let the function return no record that EventBridge refused."""
    publish = EventBus.publish
    patch.setattr(EventBus, "publish", lambda self, events: publish(self, events) and [])


def overwrite_entries(patch: pytest.MonkeyPatch) -> None:
    """Write entries whatever their version is."""
    patch.setattr(suppressions_table, "IF_UNCHANGED", ALWAYS_TRUE)
    patch.setattr(suppressions_table, "IF_NEW", ALWAYS_TRUE)


def read_events_before_the_entry(patch: pytest.MonkeyPatch) -> None:
    update_suppression = Recorder.update_suppression

    def with_events_read_first(self: Recorder, recipient: str, _: Any) -> bool:
        events = self.ledger.feedback_for(recipient)
        return update_suppression(self._replace(ledger=mock.Mock(feedback_for=lambda _: events)), recipient)

    patch.setattr(Recorder, "update_suppression", with_events_read_first)


def record_forgotten_recipients(patch: pytest.MonkeyPatch) -> None:
    """Let a replay write again what was erased."""
    patch.setattr(ForgottenRecipients, "__contains__", lambda self, recipient: False)


def read_tombstones_once_per_process(patch: pytest.MonkeyPatch) -> None:
    """Let a process know only those who were forgotten before its first invocation."""
    known: dict[int, Any] = {}

    def once(self: Recorder) -> Recorder:
        forgotten = known.setdefault(id(self.ledger), None) or self.forgotten()
        known[id(self.ledger)] = forgotten
        return self._replace(forgotten=lambda: forgotten)

    patch.setattr(Recorder, "for_one_invocation", once)


def recount_without_pause(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CountingMapping, "pause", lambda self: None)
    patch.setattr(CountingMapping, "is_paused", lambda self: True)


def recount_without_moving_checkpoints(patch: pytest.MonkeyPatch) -> None:
    """Let what was counted from the ledger be counted from the stream as well."""
    patch.setattr(Recount, "_move_checkpoints", lambda self: None)


def recount_without_the_stream(patch: pytest.MonkeyPatch) -> None:
    """Count items as they were read, whatever changed before the cut."""
    patch.setattr(Tally, "change", lambda self, *change: None)


def runs(test: Any, **arguments: Any) -> Iterator[Callable[[], None]]:
    """Run a property test seed by seed: Hypothesis would spend minutes on finding the smallest failure."""
    if not hasattr(test, "hypothesis"):
        yield test
        return
    for seed in SEEDS:
        yield lambda seed=seed: test.hypothesis.inner_test(seed=seed, **arguments)


def fails(run: Callable[[], None]) -> bool:
    try:
        run()
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(
    ("remove", "test", "arguments"),
    [
        (ignore_checkpoints, exactness.test_killed_functions_and_recut_batches_end_exact, {"number": 12}),
        (move_checkpoints_unconditionally, exactness.test_concurrent_invocations_count_a_shard_once, {}),
        (
            move_checkpoints_unconditionally,
            exactness.test_killed_functions_and_recut_batches_end_exact,
            {"number": 12},
        ),
        *(
            (
                remove,
                counting_scope.test_small_stream_is_counted_exactly_whatever_the_order_the_kill_and_the_batches,
                {},
            )
            for remove in (
                ignore_checkpoints,
                move_checkpoints_unconditionally,
                leave_positions_where_counts_cancel_out,
            )
        ),
        (record_expired_events, expiry.test_expiry_and_replay_after_expiry_change_no_count, {"days": 60}),
        (keep_the_last_copy, exactness.test_any_order_repetition_and_route_ends_exact, {"number": 12}),
        (
            read_events_before_the_entry,
            decisions.test_concurrent_decisions_never_lose_a_suppression,
            {"operator": "Added"},
        ),
        (
            leave_positions_where_counts_cancel_out,
            exactness.test_counts_that_move_within_a_batch_are_exact_wherever_batches_begin_and_end,
            {},
        ),
        (ignore_checkpoints, failures.test_batches_that_were_given_up_and_handed_back_are_never_counted_twice, {}),
        (forget_earlier_retention, expiry.test_retention_changed_between_runs_counts_nothing_twice, {}),
        (expire_by_when_it_occurred, expiry.test_expiry_and_replay_after_expiry_change_no_count, {"days": 33}),
        (decide_from_expired_events, expiry.test_expiry_between_decisions_changes_no_entry, {}),
        (
            keep_no_lift_as_evidence,
            decisions.test_recipient_with_more_events_than_are_read_is_suppressed_as_by_all_of_them,
            {},
        ),
        (
            keep_the_first_event_as_evidence,
            decisions.test_recipient_with_more_events_than_are_read_is_suppressed_as_by_all_of_them,
            {},
        ),
        (
            decide_without_what_was_just_written,
            decisions.test_recipient_with_more_events_than_are_read_is_suppressed_as_by_all_of_them,
            {},
        ),
        (
            write_incomplete_copies_unconditionally,
            exactness.test_any_order_repetition_and_route_ends_exact,
            {"number": 12},
        ),
        (
            take_tags_of_headers_for_complete,
            exactness.test_any_order_repetition_and_route_ends_exact,
            {"number": 12},
        ),
        (keep_any_complaint, decisions.test_complaint_repeated_after_its_retraction_suppresses_in_any_order, {}),
        (
            write_what_dynamodb_refuses,
            failures.test_records_that_dynamodb_would_refuse_are_quarantined_before_they_are_written,
            {},
        ),
        (
            count_undecodable_records,
            failures.test_poisoned_stream_record_neither_blocks_nor_fails_others,
            {},
        ),
        (
            forget_refused_changes,
            published.test_every_change_in_force_is_published_and_nothing_that_never_was,
            {"number": 80},  # a record is refused for long enough in one of a few seeds
        ),
        (
            record_forgotten_recipients,
            forgetting.test_recipient_forgotten_at_any_moment_is_named_nowhere_and_counted_once,
            {"number": 12},
        ),
        (
            read_tombstones_once_per_process,
            forgetting.test_recipient_forgotten_at_any_moment_is_named_nowhere_and_counted_once,
            {"number": 12},
        ),
        (recount_without_pause, recounts.test_recount_succeeds_at_once_while_events_arrive, {}),
        (recount_without_moving_checkpoints, recounts.test_recount_succeeds_at_once_while_events_arrive, {}),
        (recount_without_the_stream, recounts.test_recount_succeeds_at_once_while_events_arrive, {}),
        (move_checkpoints_unconditionally, recounts.test_recount_at_any_moment_ends_exact, {}),
        (overwrite_entries, decisions.test_concurrent_decisions_never_lose_a_suppression, {"operator": "Removed"}),
    ],
)
def test_exactness_needs_the_mechanism(
    remove: Callable[[pytest.MonkeyPatch], None],
    test: Any,
    arguments: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
):
    if hasattr(test, "hypothesis"):  # other tests run by themselves with the mechanism
        next(runs(test, **arguments))()
    remove(monkeypatch)
    assert any(fails(run) for run in runs(test, **arguments)), f"{test.__name__} passes without it"
