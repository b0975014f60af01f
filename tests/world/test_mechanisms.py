"""Remove what makes the pipeline exact, one mechanism at a time: without it, a test of exactness fails."""

from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from aftersend import ledger
from aftersend.aws import ledger_table, suppressions_table
from aftersend.aws.counters_table import CountersTable
from aftersend.recorder import Recorder
from lambdas import count_tags
from tests.world import test_exactness as exactness

ALWAYS_TRUE = "attribute_not_exists(an_attribute_no_item_has)"

SEEDS = range(150)


def ignore_checkpoints(patch: pytest.MonkeyPatch) -> None:
    """Count everything in a batch, whatever was counted before."""
    commits = count_tags.commits
    patch.setattr(count_tags, "commits", lambda changes, slot, after: commits(changes, slot, ""))


def move_checkpoints_unconditionally(patch: pytest.MonkeyPatch) -> None:
    """Move the checkpoint without comparing it with the one that was read."""
    move = CountersTable._advance_checkpoint

    def unconditional(self: CountersTable, *arguments: Any) -> dict[str, Any]:
        put = move(self, *arguments)["Put"]
        return {"Put": {name: value for name, value in put.items() if "Expression" not in name}}

    patch.setattr(CountersTable, "_advance_checkpoint", unconditional)


def record_expired_events(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "is_expired", lambda event, retention, now: False)


def keep_the_last_copy(patch: pytest.MonkeyPatch) -> None:
    """Let each copy of an event replace the one before, whatever their ranks."""
    patch.setattr(ledger_table, "IF_RANKS_HIGHER", ALWAYS_TRUE)


def overwrite_entries(patch: pytest.MonkeyPatch) -> None:
    """Write entries whatever their version is."""
    patch.setattr(suppressions_table, "IF_UNCHANGED", ALWAYS_TRUE)
    patch.setattr(suppressions_table, "IF_NEW", ALWAYS_TRUE)


def read_events_before_the_entry(patch: pytest.MonkeyPatch) -> None:
    update_suppression = Recorder.update_suppression

    def with_events_read_first(self: Recorder, recipient: str) -> None:
        events = self.ledger.feedback_for(recipient)
        update_suppression(self._replace(ledger=mock.Mock(feedback_for=lambda _: events)), recipient)

    patch.setattr(Recorder, "update_suppression", with_events_read_first)


def runs(test: Any, **arguments: Any) -> Iterator[Callable[[], None]]:
    """Run a property test seed by seed: Hypothesis would spend minutes on finding the smallest failure."""
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
        (record_expired_events, exactness.test_expiry_and_replay_after_expiry_change_no_count, {"days": 60}),
        (keep_the_last_copy, exactness.test_any_order_repetition_and_route_ends_exact, {"number": 12}),
        (
            read_events_before_the_entry,
            exactness.test_concurrent_decisions_never_lose_a_suppression,
            {"operator": "Added"},
        ),
        (overwrite_entries, exactness.test_concurrent_decisions_never_lose_a_suppression, {"operator": "Removed"}),
    ],
)
def test_exactness_needs_the_mechanism(
    remove: Callable[[pytest.MonkeyPatch], None],
    test: Any,
    arguments: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
):
    run_with_mechanism = next(runs(test, **arguments))
    run_with_mechanism()
    remove(monkeypatch)
    assert any(fails(run) for run in runs(test, **arguments)), f"{test.__name__} passes without it"
