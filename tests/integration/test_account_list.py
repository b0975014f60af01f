"""Follow one address through both suppression lists: bounced, listed, removed, echoed, and bounced again."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from aftersend.aws.attempts import attempts
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.config.loader import load
from aftersend.events import REMOVED, Event
from aftersend.recorder import Recorder
from aftersend.suppression import Entry
from local.emulator import REGION
from local.pipeline import LocalPipeline
from local.ses import SIMULATION_HEADER
from tests.integration.test_pipeline import wait_for

SENDER = "news@bookshop.example"
BOUNCE = {
    "event": "Bounce",
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "action": "failed",
    "status": "5.1.1",
}


class Operations:
    """What a sender, an operator and the schedule do."""

    def __init__(self, pipeline: LocalPipeline) -> None:
        self.pipeline, self.list = pipeline, pipeline.ses.account_list
        session = boto3.Session("test", "test", region_name=REGION)
        self.sesv2: Any = session.client("sesv2", endpoint_url=pipeline.ses_url)
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

    def send(self, recipient: str, *events: dict[str, Any], sent_at: datetime | None = None) -> str:
        """Send a message; with events, these happen instead of what SES decides."""
        simulation = {"sent_at": (sent_at or datetime.now(UTC)).isoformat(), "events": [*events]}
        header = {"Name": SIMULATION_HEADER, "Value": json.dumps(simulation)}
        answer = self.sesv2.send_email(
            FromEmailAddress=SENDER,
            Destination={"ToAddresses": [recipient]},
            Content={"Simple": {"Subject": {"Data": ""}, "Body": {}, "Headers": [header] if events else []}},
            ConfigurationSetName="newsletter",
        )
        return answer["MessageId"]

    def compare(self) -> dict[str, int]:
        """Invoke the scheduled function; return the counts that are not 0, without the heartbeat."""
        [name] = [value for key, value in self.pipeline.outputs.items() if key.startswith("AccountListFunctionName")]
        answer = self.pipeline.ses.emulator_client("lambda").invoke(FunctionName=name)
        counts = json.loads(answer["Payload"].read())
        assert counts.pop("account_list_runs") == 1, counts
        return {name.removeprefix("account_list_"): count for name, count in counts.items() if count}

    def remove(self, recipient: str) -> None:
        """Remove an address here as an operator does."""
        now = datetime.now(UTC)
        act = Event(kind=REMOVED, message_id=f"act-{now}", recipient=recipient, occurred_at=now, operator="ops")
        self.recorder.record([act])

    def entry(self, recipient: str) -> Entry | None:
        return self.suppressions.entries_of(recipient).get("*")

    def is_suppressed(self, recipient: str) -> bool:
        entry = self.entry(recipient)
        return entry is not None and entry.is_in_force(datetime.now(UTC))

    def events_of(self, recipient: str) -> list[Event]:
        return self.pipeline.events_for(recipient)


@pytest.fixture
def operations(pipeline: LocalPipeline) -> Operations:
    pipeline.ses.account_list.addresses.clear()
    operations = Operations(pipeline)
    operations.compare()
    pipeline.ses.account_list.addresses.clear()
    return operations


def wait_for_event(operations: Operations, recipient: str, matches: Callable[[Event], bool]) -> None:
    wait_for(lambda: any(map(matches, operations.events_of(recipient))), "the event is recorded")


def test_removal_here_is_repeated_at_ses_and_neither_duplicates_nor_echoes_undo_it(operations: Operations):
    reader, spelling = "leaving@mail.example", "Leaving@mail.example"
    operations.send(spelling, {"event": "Send"}, BOUNCE)
    wait_for(lambda: operations.is_suppressed(reader), "the bounce suppresses")
    assert list(operations.list.addresses) == [spelling], "SES lists it by itself"
    operations.compare()
    assert spelling in operations.list.addresses

    echoed = operations.send(reader)
    wait_for_event(
        operations, reader, lambda e: (e.message_id, e.bounce_subtype) == (echoed, "OnAccountSuppressionList")
    )
    operations.remove(reader)
    assert not operations.is_suppressed(reader)
    assert operations.compare()["removed"] == 1
    assert spelling not in operations.list.addresses

    older = datetime.now(UTC) - timedelta(hours=2)
    old = operations.send(reader, {"event": "Send"}, BOUNCE | {"seconds": 1}, sent_at=older)
    wait_for_event(operations, reader, lambda e: (e.message_id, e.kind) == (old, "Bounce"))
    operations.compare()
    assert not operations.is_suppressed(reader), "what happened before the removal changes nothing"
    assert reader not in operations.list.addresses

    delivered = operations.send(reader)
    wait_for_event(operations, reader, lambda e: (e.message_id, e.kind) == (delivered, "Delivery"))
    operations.send(reader, {"event": "Send"}, BOUNCE | {"seconds": 1})
    wait_for(lambda: operations.is_suppressed(reader), "a new bounce suppresses again")
    operations.compare()
    assert reader in operations.list.addresses


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
    now = datetime.now(UTC)
    readers = [f"imported-{number}@mail.example" for number in range(1_001)]
    events = (
        Event(kind="Added", message_id="act", recipient=reader, occurred_at=now, operator="ops") for reader in readers
    )
    operations.recorder.record(events)
    assert operations.compare()["added"] >= len(readers)
    assert set(readers) <= set(operations.list.addresses)
    assert len(operations.list.jobs) == 1
