"""Compare the deployed suppression list with the local SES's: what operators added, what only SES knows, and limits."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from aftersend.aws.attempts import attempts
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.config.loader import load
from aftersend.events import Event
from aftersend.recorder import Recorder
from aftersend.suppression import Entry
from local.pipeline import LocalPipeline


def compare(pipeline: LocalPipeline) -> dict[str, int]:
    """Invoke the scheduled function; return the counts that are not 0, without the heartbeat."""
    [name] = [value for key, value in pipeline.outputs.items() if key.startswith("AccountListFunctionName")]
    answer = pipeline.ses.emulator_client("lambda").invoke(FunctionName=name)
    counts = json.loads(answer["Payload"].read())
    assert counts.pop("account_list_runs") == 1, counts
    return {name.removeprefix("account_list_"): count for name, count in counts.items() if count}


class Operations:
    """What a sender, an operator and the schedule do."""

    def __init__(self, pipeline: LocalPipeline) -> None:
        self.pipeline, self.list = pipeline, pipeline.ses.account_list
        dynamodb, environment = pipeline.ses.emulator_client("dynamodb"), load("local")
        self.suppressions = SuppressionsTable(dynamodb, pipeline.outputs["SuppressionsTableName"])
        ledger = LedgerTable(dynamodb, pipeline.outputs["LedgerTableName"], environment.retention)
        self.recorder = Recorder(
            ledger=ledger,
            suppressions=self.suppressions,
            policy=environment.suppression,
            history=ledger.retention_history(datetime.now(UTC)),
            now=lambda: datetime.now(UTC),
            attempts=attempts,
        )

    def compare(self) -> dict[str, int]:
        return compare(self.pipeline)

    def entry(self, recipient: str) -> Entry | None:
        return self.suppressions.entries_of(recipient).get("*")


@pytest.fixture
def operations(pipeline: LocalPipeline) -> Operations:
    pipeline.ses.account_list.addresses.clear()
    operations = Operations(pipeline)
    operations.compare()
    pipeline.ses.account_list.addresses.clear()
    return operations


def test_entry_of_an_operator_is_listed_and_what_only_ses_knows_is_taken_over(operations: Operations):
    now = datetime.now(UTC)
    added = Event(kind="Added", message_id="act", recipient="added@mail.example", occurred_at=now, operator="ops")
    operations.recorder.record([added])
    operations.list.put("Known.To.Ses@mail.example", "COMPLAINT", at=now - timedelta(days=3))
    counts = operations.compare()
    assert (counts["taken_over"], "drift" in counts) == (1, False)
    assert operations.list.addresses["added@mail.example"].reason == "BOUNCE"
    entry = operations.entry("known.to.ses@mail.example")
    assert entry
    assert (entry.reason, entry.rule) == ("complaint", "account-list-complaint")


def test_sandbox_and_missing_permissions_are_reported(operations: Operations):
    operations.list.in_sandbox = True
    assert operations.compare()["unavailable"] == 1
    operations.list.in_sandbox = False
    operations.list.denied.add("ListSuppressedDestinations")
    assert operations.compare() == {"unavailable": 1}
    operations.list.denied.clear()


def test_import_job_adds_what_is_missing_from_the_archive_bucket(operations: Operations):
    now, jobs = datetime.now(UTC), len(operations.list.jobs)
    readers = [f"imported-{number}@mail.example" for number in range(1_001)]
    added = Event(kind="Added", message_id="act", recipient=readers[0], occurred_at=now, operator="ops")
    operations.recorder.record([added])
    entry = operations.entry(readers[0])
    assert entry
    for reader in readers[1:]:
        operations.suppressions.replace(None, msgspec.structs.replace(entry, recipient=reader))
    assert operations.compare()["added"] >= len(readers)
    assert set(readers) <= set(operations.list.addresses)
    assert len(operations.list.jobs) == jobs + 1
