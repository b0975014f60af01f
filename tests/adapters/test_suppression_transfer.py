"""Import and export suppression lists, over moto."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aftersend.aws import ledger_table, suppression_importer
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.cli import suppression_transfer
from aftersend.operations.suppression_export import COLUMNS
from aftersend.recorder import Recorder, Undecided
from tests.adapters.suppression_entries import delete_entry, entries, remove, suppressed
from tests.adapters.suppression_shop import SuppressionShop, run, shop
from tests.event_factory import READER, a_bounce, a_complaint

__all__ = ["shop"]

SENT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
OTHER = "other@mail.example"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bounces.csv"


def write(file: Path, *rows: str, header: str = "email,created,reason,status") -> Path:
    file.write_text("\n".join([header, *rows, ""]))
    return file


def test_import_adds_each_address_with_reason_and_source(shop: SuppressionShop, file: Path):
    write(file, f"Reader <Reader@mail.example>,{SENT.timestamp():.0f},550 5.1.1 unknown,5.1.1", f"{OTHER},,,")
    assert run("import", file).stdout == "Added: 2\n"
    entry = entries(shop.dynamodb)[READER, "*"]
    assert (entry.reason, entry.rule, entry.recipient_raw) == ("operator", "added-by-operator", "Reader@mail.example")
    assert entry.note == f"Imported from SendGrid, listed {SENT:%Y-%m-%d}: 550 5.1.1 unknown"
    assert entry.who
    assert suppressed(shop.dynamodb) == {READER, OTHER}


def test_repeated_import_changes_nothing(shop: SuppressionShop, file: Path):
    write(file, f"{READER},,,", f"{OTHER},,,")
    run("import", file)
    before = entries(shop.dynamodb)
    assert run("import", file).stdout.splitlines()[:2] == [
        "Added: 0",
        "Skipped, already-suppressed: 2 (suppressed here already, or repeated in the file)",
    ]
    assert entries(shop.dynamodb) == before


@pytest.mark.parametrize(("command", "option"), [("import", "--rejects"), ("check", "--output")])
def test_file_that_is_read_is_never_written(shop: SuppressionShop, file: Path, command: str, option: str):
    content = write(file, f"{READER},,,").read_text()
    assert "is the file that is read" in run(command, file, option, file, exits=2).output
    assert file.read_text() == content


def test_interrupted_import_continues(shop: SuppressionShop, file: Path, monkeypatch: pytest.MonkeyPatch):
    write(file, *(f"reader-{number}@mail.example,,," for number in range(6)))
    monkeypatch.setattr(suppression_importer, "BATCH", 4)
    entries_at, calls = SuppressionsTable.entries_at, []

    def interrupted(self: SuppressionsTable, keys: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return entries_at(self, keys)

    with monkeypatch.context() as patch:
        patch.setattr(SuppressionsTable, "entries_at", interrupted)
        result = run("import", file, exits=130)
    assert "Added: 4" in result.stdout
    assert "run the same command again" in result.stderr
    assert run("import", file, "--json").stdout == ('{"dry_run":false,"added":2,"skipped":{"already-suppressed":4}}\n')
    assert len(suppressed(shop.dynamodb)) == 6


def test_bad_rows_are_written_without_addresses(shop: SuppressionShop, file: Path, tmp_path: Path):
    write(file, "nobody,,,", f"{READER},,,", '"never closed', f"{OTHER},,,")
    file.write_bytes(file.read_bytes() + b"\xff@mail.example,,,\n")
    rejects = tmp_path / "rejects.csv"
    run("import", file, "--rejects", rejects, exits=1)
    assert rejects.read_text() == "2,no-address\n4,no-address\n6,no-address\n"
    assert suppressed(shop.dynamodb) == {READER, OTHER}


def test_dry_run_writes_nothing(shop: SuppressionShop, file: Path):
    write(file, f"{READER},,,")
    assert run("import", file, "--dry-run").stdout == "To add: 1\n"
    assert entries(shop.dynamodb) == {}


def test_recipient_whom_an_operator_removed_is_added_only_by_force(shop: SuppressionShop, file: Path):
    write(file, f"{READER},,,")
    run("import", file)
    remove(READER)
    assert "removed-here: 1" in run("import", file).stdout
    assert suppressed(shop.dynamodb) == set()
    run("import", file, "--force")
    assert suppressed(shop.dynamodb) == {READER}


def test_forgotten_recipient_does_not_return(shop: SuppressionShop, file: Path):
    shop.forget(READER)
    assert "forgotten: 1" in run("import", write(file, f"{READER},,,"), "--force").stdout
    assert entries(shop.dynamodb) == {}


def test_import_into_a_scope(shop: SuppressionShop, file: Path):
    shop.record(a_bounce(sent_at=SENT))
    write(file, f"{READER},news", header="address,tag")
    assert "one-tag: 1" in run("import", file).stdout
    run("import", file, "--scope", "stream#news")
    assert entries(shop.dynamodb).keys() == {(READER, "*"), (READER, "stream#news")}


def test_import_reads_standard_input(shop: SuppressionShop):
    run("import", "-", given=f'{{"emailAddress": "{READER}", "reason": "BOUNCE"}}\n')
    assert suppressed(shop.dynamodb) == {READER}


@pytest.mark.parametrize("command", ["import", "check"])
def test_pipe_is_read_once(shop: SuppressionShop, command: str):
    """As in `import <(gunzip -c bounces.gz)`: counting its lines first would leave nothing to import."""
    reader, writer = os.pipe()
    os.write(writer, b"email\n%b\n" % READER.encode())
    os.close(writer)
    output = run(command, f"/dev/fd/{reader}", "--json").stdout
    assert (json.loads(output).get("added"), json.loads(output).get("addresses")) in [(1, None), (None, 1)]


def test_export_to_a_folder_is_refused(shop: SuppressionShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    assert "folder cannot be written" in run("export", "--output", "folder", exits=2).stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_row_that_fails_costs_itself(shop: SuppressionShop, file: Path, monkeypatch: pytest.MonkeyPatch):
    record = Recorder.record

    def failing(self: Recorder, events: Any) -> Any:
        if events[0].recipient == READER:
            raise Undecided
        return record(self, events)

    monkeypatch.setattr(Recorder, "record", failing)
    result = run("import", write(file, f"{READER},,,", f"{OTHER},,,"), exits=1)
    assert "Skipped, failed: 1" in result.stdout
    assert suppressed(shop.dynamodb) == {OTHER}


def test_missing_permission_ends_the_import_with_one_sentence(
    shop: SuppressionShop, file: Path, monkeypatch: pytest.MonkeyPatch
):
    def denied(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no."}}, "PutItem")

    monkeypatch.setattr(ledger_table.LedgerTable, "_put_if_ranks_higher", denied)
    monkeypatch.setattr(ledger_table.LedgerTable, "_put_batch", denied)
    assert "PutItem is denied" in run("import", write(file, f"{READER},,,"), exits=2).stderr


@pytest.mark.parametrize("text", ["name,city\nAnn,Turin\n", "[\n]\n"])
def test_file_without_addresses_is_refused(shop: SuppressionShop, file: Path, text: str):
    file.write_text(text)
    assert f"{file}: " in run("import", file, exits=1).stderr


def test_file_that_does_not_exist_is_refused(shop: SuppressionShop, file: Path):
    assert "cannot be read" in run("import", file, exits=2).stderr


def test_export_is_imported_again_in_another_environment(shop: SuppressionShop, file: Path):
    shop.record(a_bounce(sent_at=SENT), a_complaint(recipient=OTHER, sent_at=SENT))
    run("import", "-", "--scope", "list#readers", given=f"email\n{READER}\n")
    run("export", "--output", file)
    lines = file.read_text().splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert len(lines) == 4
    for recipient, scope in entries(shop.dynamodb):
        delete_entry(shop.dynamodb, recipient, scope)
    assert run("import", file).stdout == "Added: 3\n"
    assert entries(shop.dynamodb).keys() >= {(READER, "*"), (OTHER, "*"), (READER, "list#readers")}
    assert (entries(shop.dynamodb)[OTHER, "*"].note or "").endswith(": complaint")


def test_export_selects_entries_in_force(shop: SuppressionShop):
    shop.record(a_bounce(sent_at=SENT), a_complaint(recipient=OTHER, sent_at=SENT))
    remove(READER)
    assert [json.loads(line)["recipient"] for line in run("export", "--format", "json").stdout.splitlines()] == [OTHER]
    assert len(run("export", "--format", "json", "--all").stdout.splitlines()) == 2
    assert len(run("export", "--reason", "bounce").stdout.splitlines()) == 1, "the header"


def test_export_for_ses_is_an_import_job(shop: SuppressionShop):
    shop.record(a_bounce(recipient_raw="Reader@mail.example", sent_at=SENT), a_complaint(recipient=OTHER, sent_at=SENT))
    run("import", "-", "--scope", "list#readers", given="email\nthird@mail.example\n")
    assert sorted(run("export", "--format", "ses").stdout.splitlines()) == [
        "Reader@mail.example,BOUNCE",
        f"{OTHER},COMPLAINT",
    ]


def test_interrupted_export_leaves_no_file(shop: SuppressionShop, file: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: Any) -> Any:
        yield "half a list\n"
        raise KeyboardInterrupt

    monkeypatch.setattr(suppression_transfer, "FORMATS", {"csv": interrupted})
    run("export", "--output", file, exits=130)
    assert list(file.parent.iterdir()) == []
