"""Check the simulated account suppression list against what the SES developer guide says of the real one."""

from datetime import UTC, datetime, timedelta

import pytest

from local.ses.account_list import MAX_ADDED, MAX_DELETED, AccountList
from local.ses.responses import RequestError

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
HARD_BOUNCE = {"event": "Bounce", "bounceType": "Permanent", "bounceSubType": "General", "feedbackId": "f"}


def test_spellings_are_listed_separately_but_suppress_in_any_case():
    account_list = AccountList()
    account_list.put("Reader@mail.example", "BOUNCE")
    with pytest.raises(RequestError, match="NotFoundException"):
        account_list.delete("reader@mail.example")
    assert account_list.suppressing_reason("Reader <READER@mail.example>") == "BOUNCE"


def test_pages_are_filtered_by_reason_and_time():
    account_list = AccountList()
    for number in range(5):
        reason = "BOUNCE" if number % 2 else "COMPLAINT"
        account_list.put(f"{number}@mail.example", reason, at=NOW + timedelta(days=number))
    page, token = account_list.page(size=3)
    rest, end = account_list.page(size=3, token=token)
    assert ([entry.address[0] for entry in page + rest], end) == (["4", "3", "2", "1", "0"], None)
    assert len(account_list.page(reasons=["BOUNCE"])[0]) == 2
    page, _ = account_list.page(start=NOW + timedelta(days=1), end=NOW + timedelta(days=3))
    assert [entry.address[0] for entry in page] == ["2", "1"]
    with pytest.raises(RequestError, match="InvalidNextTokenException"):
        account_list.page(token="of another list")


def test_second_call_within_a_second_is_throttled():
    seconds = iter([0.0, 0.5, 1.6])
    account_list = AccountList(is_throttled=True, clock=lambda: next(seconds))
    account_list.begin_call("GetAccount", writes=False)
    with pytest.raises(RequestError, match="TooManyRequestsException"):
        account_list.begin_call("GetAccount", writes=False)
    account_list.begin_call("GetAccount", writes=False)


def test_sandbox_refuses_additions_but_no_reads():
    account_list = AccountList(in_sandbox=True)
    account_list.begin_call("ListSuppressedDestinations", writes=False)
    with pytest.raises(RequestError, match="sandbox"):
        account_list.begin_call("PutSuppressedDestination", writes=True)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (HARD_BOUNCE, "BOUNCE"),
        ({"event": "Complaint", "complaintFeedbackType": "abuse", "feedbackId": "f"}, "COMPLAINT"),
        ({"event": "Complaint", "complaintFeedbackType": "not-spam"}, None),
        ({"event": "Complaint", "complaintSubType": "OnAccountSuppressionList"}, None),
        (HARD_BOUNCE | {"bounceSubType": "OnAccountSuppressionList"}, None),
        (HARD_BOUNCE | {"bounceType": "Transient"}, None),
        ({"event": "Delivery"}, None),
    ],
)
def test_only_hard_bounces_and_complaints_add_themselves(event: dict[str, str], reason: str | None):
    account_list = AccountList()
    account_list.learn(event, ["Reader <reader@mail.example>", "bounce@simulator.amazonses.com"], NOW, "m")
    listed = {address: entry.reason for address, entry in account_list.addresses.items()}
    assert listed == ({"reader@mail.example": reason} if reason else {})


def test_account_without_a_reason_neither_adds_nor_suppresses_for_it():
    account_list = AccountList(suppressed_reasons={"COMPLAINT"})
    account_list.learn(HARD_BOUNCE, ["reader@mail.example"], NOW, "m")
    assert account_list.addresses == {}
    account_list.put("reader@mail.example", "BOUNCE")
    assert account_list.suppressing_reason("reader@mail.example") is None


def test_import_adds_and_deletes_and_counts_what_fails():
    account_list = AccountList()
    rows = [{"emailAddress": address, "reason": "BOUNCE"} for address in ("a@mail.example", "no address")]
    assert account_list.run_import("PUT", rows) == (2, 1)
    assert account_list.run_import("DELETE", rows) == (2, 1)
    assert account_list.addresses == {}


@pytest.mark.parametrize(("action", "limit"), [("PUT", MAX_ADDED), ("DELETE", MAX_DELETED)])
def test_import_of_too_many_addresses_is_refused(action: str, limit: int):
    rows = [{"emailAddress": f"{number}@mail.example", "reason": "BOUNCE"} for number in range(limit + 1)]
    with pytest.raises(RequestError, match="too many"):
        AccountList().run_import(action, rows)
