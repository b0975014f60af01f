"""Run the command `aftersend forget`, over moto."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from aftersend.aws.erasure import Erasure
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.aws.tombstones import Tombstones
from aftersend.cli import forget
from aftersend.cli.main import app
from aftersend.retention import Retention
from aftersend.suppression import Entry
from tests.adapters.conftest import BUCKET, SESSION
from tests.adapters.test_deployment import Session
from tests.event_factory import READER, a_bounce, an_open


class Shop:
    """The deployment that the command finds with `--env shop`."""

    def __init__(self, dynamodb: Any, stacks: dict[str, dict[str, str]]) -> None:
        secret = SESSION.client("secretsmanager").create_secret(Name="hash-key", SecretString="the key")
        stacks["Aftersend-shop-State"] = {
            "ArchiveBucketName": BUCKET,
            "LedgerTableName": "ledger",
            "SuppressionsTableName": "suppressions",
            "RecipientHashKeySecretArn": secret["ARN"],
        }
        stacks["Aftersend-shop-Pipeline"] = {}
        self.tombstones = Tombstones(dynamodb, "suppressions", lambda: "the key")
        self.erasure = Erasure(dynamodb, "ledger", "suppressions")
        LedgerTable(dynamodb, "ledger", Retention()).record([a_bounce(recipient_raw="Reader@Mail.Example"), an_open()])
        for scope in ("*", "stream#news"):
            entry = Entry(recipient=READER, scope=scope, reason="bounce", rule="hard-bounce", recipient_raw=READER)
            SuppressionsTable(dynamodb, "suppressions").replace(None, entry)


@pytest.fixture
def shop(dynamodb: Any, s3: Any, monkeypatch: pytest.MonkeyPatch) -> Shop:
    stacks: dict[str, dict[str, str]] = {}
    monkeypatch.setattr(boto3, "Session", lambda *_, **__: Session(stacks))
    monkeypatch.setattr(forget, "SETTLED", timedelta(0))
    return Shop(dynamodb, stacks)


def run(*arguments: str, given: str = "", exits: int = 0) -> Result:
    result = CliRunner().invoke(app, ["forget", *arguments, "--env", "shop"], input=given)
    assert result.exit_code == exits, result.output
    return result


def test_everything_in_the_tables_is_erased_and_counted(shop: Shop):
    erased = json.loads(run(READER.upper(), "--yes", "--json").stdout)
    assert (erased["events"], erased["entries"], erased["account_list"]) == (2, 2, 0)
    assert {place["place"]: place["gone_by"] for place in erased["remains"]}["events in the archive"] is None
    assert shop.erasure.erase(READER) == (0, 0)
    assert READER in shop.tombstones.read()


def test_repetition_erases_what_an_interrupted_run_has_left(shop: Shop):
    since = datetime(2026, 3, 14, tzinfo=UTC)
    shop.tombstones.put(READER, since)
    assert "2 events" in run(READER, "--yes").stdout.replace("\n", " ")
    assert shop.tombstones.since(READER) == since


def test_nothing_is_erased_before_functions_that_may_not_know_the_tombstone_have_ended(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    def interrupt(seconds: float) -> None:
        assert seconds > 900
        raise KeyboardInterrupt

    monkeypatch.setattr(forget, "SETTLED", timedelta(seconds=960))
    monkeypatch.setattr(forget.time, "sleep", interrupt)
    run(READER, "--yes", exits=130)
    assert READER in shop.tombstones.read()
    assert shop.erasure.erase(READER) == (2, 2)


def test_every_spelling_is_removed_from_the_account_list(shop: Shop):
    assert shop.erasure.spellings(READER) == {READER, "Reader@Mail.Example"}


def test_nothing_happens_without_confirmation(shop: Shop):
    run(READER, given="n\n", exits=1)
    assert READER not in shop.tombstones.read()


def test_undo_deletes_the_tombstone_and_nothing_else(shop: Shop):
    run(READER, "--undo", "--yes", exits=1)
    shop.tombstones.put(READER, datetime.now(UTC))
    run(READER, "--undo", "--yes")
    assert READER not in shop.tombstones.read()
    assert shop.erasure.erase(READER) == (2, 2)


@pytest.mark.parametrize(
    "arguments", [("nobody",), (f"{READER},other@mail.example",), (READER, "--note", f"asked by {READER}")]
)
def test_mistakes_are_refused_before_anything_is_asked(shop: Shop, arguments: tuple[str, ...]):
    run(*arguments, exits=2)
