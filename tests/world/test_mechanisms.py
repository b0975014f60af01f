"""What makes it exact, taken away piece by piece: without each mechanism a test of exactness fails."""

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

ALWAYS = "attribute_not_exists(an_attribute_no_item_has)"

SEEDS = range(150)


def without_position(patch: pytest.MonkeyPatch) -> None:
    """Counts what a batch holds, whatever was counted before."""
    commits = count_tags.commits
    patch.setattr(count_tags, "commits", lambda changes, slot, after: commits(changes, slot, ""))


def without_condition(patch: pytest.MonkeyPatch) -> None:
    """Moves the position without asking whether it is still the one that was read."""
    move = CountersTable._advance_checkpoint

    def unconditional(self: CountersTable, *arguments: Any) -> dict[str, Any]:
        return {
            "Put": {name: value for name, value in move(self, *arguments)["Put"].items() if "Expression" not in name}
        }

    patch.setattr(CountersTable, "_advance_checkpoint", unconditional)


def without_expiry_guard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "is_expired", lambda event, retention, now: False)


def without_maximum(patch: pytest.MonkeyPatch) -> None:
    """The copy that comes last stays."""
    patch.setattr(ledger_table, "IF_RANKS_HIGHER", ALWAYS)


def without_version(patch: pytest.MonkeyPatch) -> None:
    """Whoever decides last writes the entry."""
    patch.setattr(suppressions_table, "IF_UNCHANGED", ALWAYS)
    patch.setattr(suppressions_table, "IF_NEW", ALWAYS)


def without_order(patch: pytest.MonkeyPatch) -> None:
    """Reads the facts before the entry."""
    update_suppression = Recorder.update_suppression

    def facts_before(self: Recorder, recipient: str) -> None:
        facts = self.ledger.feedback_for(recipient)
        update_suppression(self._replace(ledger=mock.Mock(feedback_for=lambda _: facts)), recipient)

    patch.setattr(Recorder, "update_suppression", facts_before)


def runs(test: Any, **more: Any) -> Iterator[Callable[[], None]]:
    """A property test, seed by seed: Hypothesis would spend minutes on finding the smallest failure."""
    for seed in SEEDS:
        yield lambda seed=seed: test.hypothesis.inner_test(seed=seed, **more)


@pytest.mark.parametrize(
    ("without", "test", "more"),
    [
        (
            without_position,
            exactness.test_whatever_is_killed_and_however_batches_are_cut_all_ends_exact,
            {"number": 12},
        ),
        (without_condition, exactness.test_two_that_count_the_same_shard_at_once_count_it_once, {}),
        (without_expiry_guard, exactness.test_expiry_and_replay_after_expiry_change_no_count, {"days": 60}),
        (without_maximum, exactness.test_any_order_repetition_and_route_gives_the_same, {"number": 12}),
        (without_order, exactness.test_decisions_taken_at_once_never_lose_a_suppression, {"operator": "Added"}),
        (without_version, exactness.test_decisions_taken_at_once_never_lose_a_suppression, {"operator": "Removed"}),
    ],
)
def test_each_mechanism_is_needed(without: Callable, test: Any, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    first = next(runs(test, **more))
    first()  # with the mechanism it holds
    without(monkeypatch)
    assert any(fails(run) for run in runs(test, **more)), f"{test.__name__} does not notice"


def fails(run: Callable[[], None]) -> bool:
    try:
        run()
    except AssertionError:
        return True
    return False
