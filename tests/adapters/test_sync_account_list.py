"""Test that both lists agree after the comparison, however it is interrupted, refused or repeated."""

import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from aftersend.account_list import Listed, Progress
from aftersend.aws import account_list as adapter
from aftersend.contract import Variable
from aftersend.events import PUT_ON_ACCOUNT_LIST
from aftersend.suppression import Entry
from lambdas import account_list_comparison, sync_account_list
from tests.adapters.account_list import NOW, PLENTY_MILLISECONDS, Account, context_with
from tests.event_factory import READER, SENT, a_bounce, a_complaint, added_by_operator, removed_by_operator
from tests.world.calls import Killed

pytestmark = pytest.mark.usefixtures("settings")
BOUNCED_AT = SENT + timedelta(minutes=1)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Variable.ENVIRONMENT, "test")


@pytest.fixture
def account(dynamodb: Any, s3: Any) -> Account:
    return Account(dynamodb, s3)


@pytest.fixture
def reading_account(dynamodb: Any, s3: Any) -> Account:
    return Account(dynamodb, s3, mode="read")


def readers(number: int) -> list[str]:
    return [f"reader-{index}@mail.example" for index in range(number)]


def test_run_without_differences_emits_only_its_heartbeat(account: Account):
    assert account.run() == {}
    assert set(account.documents[0]) == {"_aws", "Environment", "account_list_runs"}
    assert account.documents[0]["account_list_runs"] == 1


def test_entry_of_ours_is_added_as_ses_spelled_it_with_its_reason(account: Account):
    account.record(a_bounce(recipient_raw="Reader@mail.example"), a_complaint(recipient="other@mail.example"))
    account.record(added_by_operator(recipient="third@mail.example"))
    assert account.run() == {"missing": 3, "added": 3}
    listed = {address: entry.reason for address, entry in account.list.addresses.items()}
    expected = {"Reader@mail.example": "BOUNCE", "other@mail.example": "COMPLAINT", "third@mail.example": "BOUNCE"}
    assert listed == expected
    assert account.run() == {}


def test_entry_of_ours_that_is_listed_in_another_spelling_is_not_added(account: Account):
    account.record(a_bounce())
    account.list.put("READER@mail.example", "BOUNCE", at=BOUNCED_AT)
    assert account.run() == {}


def test_removal_here_removes_every_spelling_there(account: Account):
    for spelling in (READER, "Reader@mail.example", "READER@MAIL.EXAMPLE"):
        account.list.put(spelling, "BOUNCE", at=BOUNCED_AT)
    account.record(a_bounce(), removed_by_operator())
    assert account.run() == {"surplus": 3, "removed": 3}
    assert account.list.addresses == {}
    assert account.run() == {}
    assert not account.is_suppressed(READER)


def test_address_listed_for_something_unknown_is_taken_over_once(account: Account):
    account.list.put("Reader@mail.example", "COMPLAINT", at=BOUNCED_AT)
    assert account.run() == {"taken_over": 1}
    entry = account.suppressions.entries_of(READER).get("*")
    assert entry
    assert (entry.rule, entry.reason, entry.since) == ("account-list-complaint", "complaint", BOUNCED_AT)
    assert account.run() == {}


def test_forgotten_recipient_is_neither_taken_over_nor_added(account: Account):
    account.list.put("Reader@mail.example", "COMPLAINT", at=BOUNCED_AT)
    account.record(a_bounce(recipient="other@mail.example"))
    account.recorder = account.recorder._replace(forgotten=lambda: {READER, "other@mail.example"})
    assert account.run() == {}
    assert set(account.list.addresses) == {"Reader@mail.example"}
    assert account.suppressions.entries_of(READER) == {}


def test_address_that_was_taken_over_and_removed_here_is_removed_there(account: Account):
    account.list.put(READER, "BOUNCE", at=BOUNCED_AT)
    account.run()
    account.record(removed_by_operator())
    assert account.run() == {"surplus": 1, "removed": 1}
    assert account.run() == {}
    assert not account.is_suppressed(READER)


def test_address_that_was_removed_while_a_run_added_it_stays_removed(account: Account):
    account.record(a_bounce(occurred_at=NOW - timedelta(days=9)))

    class RemovedMeanwhile:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            if name == "put_suppressed_destination":
                account.record(removed_by_operator(occurred_at=NOW - timedelta(hours=2)))
            return getattr(account.sesv2, name)

    assert account.run(RemovedMeanwhile()) == {"missing": 1, "added": 1}
    account.list.put(READER, "BOUNCE", at=NOW - timedelta(hours=1, minutes=1))
    assert account.run() == {"surplus": 1, "removed": 1}
    assert account.run() == {}
    assert not account.is_suppressed(READER)


def test_reading_environment_takes_over_but_changes_nothing_at_ses(reading_account: Account):
    reading_account.record(a_bounce(), a_bounce(recipient="removed@mail.example"))
    reading_account.record(removed_by_operator(recipient="removed@mail.example"))
    reading_account.list.put("removed@mail.example", "BOUNCE", at=BOUNCED_AT)
    reading_account.list.put("unknown@mail.example", "BOUNCE", at=BOUNCED_AT)
    assert reading_account.run() == {"missing": 1, "surplus": 1, "taken_over": 1}
    assert reading_account.run() == {"missing": 1, "surplus": 1}, "without drift: it is not to be repaired"
    assert set(reading_account.list.calls) == {"ListSuppressedDestinations"}


def test_more_than_a_thousand_additions_are_one_import_job(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(account_list_comparison, "MAX_SINGLE_CALLS", 3)
    account.record(*(a_bounce(recipient=recipient) for recipient in readers(4)))
    assert account.run() == {"missing": 4, "added": 4}
    assert sorted(account.list.addresses) == readers(4)
    assert "PutSuppressedDestination" not in account.list.calls
    assert account.run() == {}, "the job has ended"
    assert account.list.calls.count("GetImportJob") == 1
    account.run()
    assert account.list.calls.count("GetImportJob") == 1


def test_more_than_a_thousand_removals_are_one_import_job(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(account_list_comparison, "MAX_SINGLE_CALLS", 3)
    for recipient in readers(4):
        account.list.put(recipient, "BOUNCE", at=BOUNCED_AT)
        account.record(a_bounce(recipient=recipient), removed_by_operator(recipient=recipient))
    assert account.run() == {"surplus": 4, "removed": 4}
    assert account.list.addresses == {}
    assert "DeleteSuppressedDestination" not in account.list.calls


def test_no_second_import_job_starts_while_one_runs(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(account_list_comparison, "MAX_SINGLE_CALLS", 0)
    account.record(a_bounce())
    account.run()
    account.list.addresses.clear()
    [job] = account.list.jobs.values()
    job["JobStatus"] = "PROCESSING"
    assert account.run() == {"missing": 1, "drift": 1}
    job |= {"JobStatus": "FAILED", "FailureInfo": {"ErrorMessage": "AccessDenied"}}
    assert account.run() == {"missing": 1, "added": 1}


def test_address_that_ses_refuses_stops_no_other_and_is_no_drift(account: Account):
    account.record(*(a_bounce(recipient=recipient) for recipient in ("no-address", "reader@mail.example")))
    assert account.run() == {"missing": 2, "added": 1, "refused": 1}
    assert account.run() == {"missing": 1, "refused": 1}
    events = account.recorder.ledger.feedback_for("no-address").events
    assert [event.kind for event in events].count(PUT_ON_ACCOUNT_LIST) == 1


def test_address_that_could_not_be_added_is_drift_until_it_is(account: Account):
    account.list.is_throttled, account.list.clock = True, lambda: 0
    account.record(*(a_bounce(recipient=recipient) for recipient in readers(2)))
    assert account.run() == {"missing": 2, "added": 1, "drift": 1}
    account.list.is_throttled = False
    assert account.run() == {"missing": 1, "added": 1}


def test_sandbox_is_reported_and_the_list_still_read(account: Account):
    account.list.in_sandbox = True
    account.list.put("unknown@mail.example", "BOUNCE", at=BOUNCED_AT)
    account.record(a_bounce())
    assert account.run() == {"unavailable": 1, "missing": 1, "taken_over": 1}
    assert account.is_suppressed("unknown@mail.example")
    assert list(account.list.addresses) == ["unknown@mail.example"]


@pytest.mark.parametrize("operation", ["GetAccount", "ListSuppressedDestinations", "PutSuppressedDestination"])
def test_missing_permission_is_reported(account: Account, operation: str):
    account.list.denied.add(operation)
    account.record(a_bounce())
    assert account.run()["unavailable"] == 1
    account.list.denied.clear()
    account.run()
    assert account.run() == {}


def test_ses_is_called_once_a_second(account: Account):
    account.record(a_bounce())
    account.run()
    assert account.list.calls == ["GetAccount", "ListSuppressedDestinations", "PutSuppressedDestination"]
    assert account.pauses == [adapter.PACE_SECONDS] * 2


def test_run_without_time_continues_where_the_last_one_stopped(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(adapter, "PAGE_SIZE", 2)
    for recipient in readers(6):
        account.list.put(recipient, "BOUNCE", at=BOUNCED_AT)
    account.record(*(a_bounce(recipient=recipient) for recipient in readers(7)))
    short = account_list_comparison.RESERVED_TO_CHANGE
    runs = [account.run(context=context_with(short)) for _ in range(3)]
    assert runs == [{}, {}, {"missing": 1, "added": 1}], "what is missing is known once all was read"
    assert account.list.calls.count("ListSuppressedDestinations") == 3


def test_comparison_begins_again_where_ses_has_forgotten_the_page(account: Account):
    account.files.put_progress(Progress(next_token="of last week", listed=""))
    account.record(a_bounce())
    assert account.run() == {}
    assert account.run() == {"missing": 1, "added": 1}


def test_addresses_are_neither_in_the_progress_nor_in_the_log(
    account: Account, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(adapter, "PAGE_SIZE", 1)
    for recipient in readers(2):
        account.list.put(recipient, "BOUNCE", at=BOUNCED_AT)
    account.record(a_bounce(recipient="no-address-of-a-person"))
    account.run(context=context_with(*[PLENTY_MILLISECONDS] * 2, 0))
    account.run()
    stored = account.s3.get_object(Bucket="archive", Key=adapter.PROGRESS_KEY)["Body"].read().decode()
    assert "mail.example" not in stored
    output = " ".join(str(vars(record)) for record in caplog.records)
    assert "could not be synchronized" in output
    assert not {word for word in ("mail.example", "no-address-of-a-person") if word in output}


def test_address_is_looked_up_in_exactly_its_spelling(account: Account):
    account.list.put("Reader@mail.example", "BOUNCE", at=BOUNCED_AT)
    account_list = adapter.AccountList(account.sesv2, pause=account.pauses.append)
    assert account_list.get("Reader@mail.example") == Listed("Reader@mail.example", "BOUNCE", BOUNCED_AT)
    assert account_list.get("reader@mail.example") is None


def test_environment_that_only_reads_does_not_ask_about_an_import_job_of_another_time(reading_account: Account):
    reading_account.files.put_progress(Progress(import_job="job"))
    assert reading_account.run() == {}
    assert reading_account.list.calls == ["ListSuppressedDestinations"]


def test_two_runs_at_once_do_what_one_does(account: Account):
    account.record(a_bounce(), a_bounce(recipient="removed@mail.example"))
    account.record(removed_by_operator(recipient="removed@mail.example"))
    for recipient in ("removed@mail.example", "unknown@mail.example"):
        account.list.put(recipient, "BOUNCE", at=BOUNCED_AT)

    class AnotherRunAfterReading:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            def read(**parameters: Any) -> Any:
                page = account.sesv2.list_suppressed_destinations(**parameters)
                account.run()
                return page

            return read if name == "list_suppressed_destinations" else getattr(account.sesv2, name)

    account.run(AnotherRunAfterReading())
    assert account.run() == {}
    assert sorted(account.list.addresses) == [READER, "unknown@mail.example"]


@pytest.mark.slow
def test_run_may_be_killed_at_every_call_of_ses(dynamodb: Any, s3: Any):
    """Kill a run before and after each of its calls; the next run leaves both lists equal."""
    for number in range(8):
        account = Account(dynamodb, s3)
        recipients = {name: f"{name}-{number}@mail.example" for name in ("missing", "surplus", "unknown")}
        account.record(a_bounce(recipient=recipients["missing"]), a_bounce(recipient=recipients["surplus"]))
        account.record(removed_by_operator(recipient=recipients["surplus"]))
        for recipient in list(recipients.values())[1:]:
            account.list.put(recipient, "BOUNCE", at=BOUNCED_AT)
        for entry in list(account.suppressions.entries()):
            if entry.lifted_by is None and entry.recipient not in recipients.values():
                account.list.put(entry.recipient, "BOUNCE", at=BOUNCED_AT)
        calls = iter(range(100))

        class Kill:
            def __getattr__(self, name: str, account: Account = account, calls: Any = calls, last: int = number) -> Any:
                def call(**parameters: Any) -> Any:
                    position = next(calls)
                    if position * 2 == last:
                        raise Killed
                    result = getattr(account.sesv2, name)(**parameters)
                    if position * 2 + 1 == last:
                        raise Killed
                    return result

                return call

        with pytest.raises(Killed):
            account.run(Kill())
        account.run()
        assert account.run() == {}
        assert {recipients["missing"], recipients["unknown"]} <= {*account.list.addresses}
        assert recipients["surplus"] not in account.list.addresses
        assert account.is_suppressed(recipients["unknown"])
        assert not account.is_suppressed(recipients["surplus"])


NUMBER, MAX_PEAK_MEGABYTES = 100_000, 64


class ManyEntries:
    """A suppression list of many lasting entries, made as they are read."""

    def entries(self) -> Iterator[Entry]:
        return (Entry(recipient=name, reason="bounce", rule="hard-bounce") for name in numbered_readers(range(NUMBER)))

    def entries_for(self, recipients: Iterable[str]) -> dict[str, Entry]:
        assert not list(recipients), "entries in force are known from the scan"
        return {}


class ManyListed:
    """SES with the same addresses but one, page by page."""

    def list_suppressed_destinations(self, PageSize: int, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        names = numbered_readers(range(int(NextToken), int(NextToken) + PageSize))
        summary = {"Reason": "BOUNCE", "LastUpdateTime": BOUNCED_AT}
        page = [summary | {"EmailAddress": name} for name in names if name != "reader-7@mail.example"]
        following = int(NextToken) + PageSize
        token = {"NextToken": str(following)} if following < NUMBER else {}
        return {"SuppressedDestinationSummaries": page, **token}


def numbered_readers(numbers: range) -> Iterator[str]:
    return (f"reader-{number}@mail.example" for number in numbers)


@pytest.mark.slow
def test_hundred_thousand_entries_are_compared_in_a_hundred_calls_and_bounded_memory(reading_account: Account):
    pauses: list[float] = []
    tracemalloc.start()
    counts = sync_account_list.handler(
        account_list=adapter.AccountList(ManyListed(), pause=pauses.append),
        files=reading_account.files,
        suppressions=ManyEntries(),  # ty: ignore[invalid-argument-type] (as much of it as is used)
        recorder=reading_account.recorder,
        emit_metric=reading_account.documents.append,
        now=NOW,
    )
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert counts["account_list_missing"] == 1
    assert len(pauses) == NUMBER / adapter.PAGE_SIZE - 1
    assert peak_bytes / 2**20 < MAX_PEAK_MEGABYTES
