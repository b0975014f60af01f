"""Preview a changed policy, and rebuild the suppression list, over moto."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aftersend.aws.connection import find_deployment
from aftersend.aws.deployed_recorder import deployed_recorder
from aftersend.cli import suppression_policy
from aftersend.recorder import Recorder, Undecided
from aftersend.suppression import Policy
from tests.adapters.suppression_entries import delete_entry, entries, suppressed
from tests.adapters.suppression_shop import SuppressionShop, run, shop
from tests.event_factory import READER, a_bounce, a_complaint

__all__ = ["shop"]

SENT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
OTHER, THIRD = "other@mail.example", "third@mail.example"


@pytest.fixture(autouse=True)
def recorded(shop: SuppressionShop) -> None:
    """Record a bounce, a complaint, and a refusal of the sender, which does not suppress."""
    shop.record(
        a_bounce(sent_at=SENT),
        a_complaint(recipient=OTHER, sent_at=SENT),
        a_bounce(recipient=THIRD, sent_at=SENT, status="5.7.1"),
    )
    assert suppressed(shop.dynamodb) == {READER, OTHER}


EFFECTS = '[suppression.effects]\ncomplaint = "none"\nhard-bounce = "90 days"\nsender-refused = "suppress"\n'


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "changed.toml"
    file.write_text(EFFECTS)
    return file


def test_preview_counts_what_a_policy_would_change(shop: SuppressionShop, policy: Path):
    before = entries(shop.dynamodb)
    assert run("preview", "--policy", policy, exits=1).stdout == (
        "2 recipients.\n"
        "Would be suppressed: 0\n"
        "Would be lifted: 1\n"
        "    complaint: 1, for example o***@mail.example\n"
        "Would have another rule or end: 1\n"
        "    hard-bounce: 1, for example r***@mail.example\n"
    )
    assert entries(shop.dynamodb) == before


def test_preview_from_the_ledger_includes_recipients_without_an_entry(shop: SuppressionShop, policy: Path):
    result = run("preview", "--policy", policy, "--from-ledger", "--json", exits=1)
    assert json.loads(result.stdout) == {
        "recipients": 3,
        "differences": [
            {"kind": "changed", "rule": "hard-bounce", "count": 1, "examples": ["r***@mail.example"]},
            {"kind": "lifted", "rule": "complaint", "count": 1, "examples": ["o***@mail.example"]},
            {"kind": "suppressed", "rule": "sender-refused", "count": 1, "examples": ["t***@mail.example"]},
        ],
        "failed": 0,
    }
    assert "The ledger has " in result.stderr


def test_preview_of_the_deployed_policy_changes_nothing(shop: SuppressionShop, policy: Path):
    policy.write_text("[suppression]\n")
    run("preview", "--policy", policy, "--from-ledger")


def test_policy_that_does_not_exist_is_reported(shop: SuppressionShop, tmp_path: Path):
    assert "cannot be read: No such file" in run("preview", "--policy", tmp_path / "missing", exits=2).stderr


def test_rebuild_does_what_the_preview_announced(shop: SuppressionShop, policy: Path):
    announced = run("preview", "--policy", policy, "--from-ledger", "--json", exits=1).stdout
    shop.set_policy(Policy(effects={"complaint": "none", "hard-bounce": "90 days", "sender-refused": "suppress"}))
    assert run("rebuild", "--from-ledger", "--yes", "--json").stdout == announced
    assert suppressed(shop.dynamodb) == {READER, THIRD}
    repeated = json.loads(run("rebuild", "--from-ledger", "--yes", "--json").stdout)
    assert repeated["differences"] == []


def test_rebuild_restores_entries_that_were_deleted(shop: SuppressionShop):
    before = suppressed(shop.dynamodb)
    delete_entry(shop.dynamodb, READER)
    run("rebuild", "--yes", "--from-ledger")
    assert suppressed(shop.dynamodb) == before


def test_recipient_forgotten_during_a_rebuild_gets_no_new_entry(shop: SuppressionShop, monkeypatch: pytest.MonkeyPatch):
    """A rebuild may take hours; what it knew about tombstones at its beginning is outdated."""
    delete_entry(shop.dynamodb, READER)
    recorder = deployed_recorder(find_deployment("shop"))
    assert READER not in recorder.forgotten()
    shop.forget(READER)
    minutes_later = time.monotonic() + 120
    monkeypatch.setattr(time, "monotonic", lambda: minutes_later)
    recorder.apply_changes(READER)
    assert shop.entry(READER) is None


def test_rebuild_asks_first(shop: SuppressionShop):
    shop.set_policy(Policy(effects={"complaint": "none"}))
    run("rebuild", given="n\n", exits=1)
    assert OTHER in suppressed(shop.dynamodb)
    run("rebuild", given="y\n")
    assert OTHER not in suppressed(shop.dynamodb)


def test_large_ledger_is_read_after_a_confirmation(
    shop: SuppressionShop, policy: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(suppression_policy, "ASK_FROM_BYTES", 0)
    assert "Read it?" in run("preview", "--policy", policy, "--from-ledger", given="\n", exits=1).stderr
    run("preview", "--policy", policy, "--from-ledger", "--json", given="y\n", exits=1)


def test_recipient_who_fails_costs_no_other(shop: SuppressionShop, monkeypatch: pytest.MonkeyPatch):
    apply_changes = Recorder.apply_changes

    def failing(self: Recorder, recipient: str) -> Any:
        if recipient == READER:
            raise Undecided
        return apply_changes(self, recipient)

    shop.set_policy(Policy(effects={"complaint": "none"}))
    monkeypatch.setattr(Recorder, "apply_changes", failing)
    assert "1 recipients failed (Undecided)" in run("rebuild", "--yes", exits=1).stderr
    assert suppressed(shop.dynamodb) == {READER}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[suppression]\nsimulatr = 1\n", 'suppression.simulatr: there is no such key. Did you mean "simulator"?'),
        ("", "the section [suppression] is missing"),
        ("[", "line 1"),
    ],
)
def test_mistake_in_the_policy_is_named(shop: SuppressionShop, policy: Path, text: str, problem: str):
    policy.write_text(text)
    assert problem in run("preview", "--policy", policy, exits=2).stderr
