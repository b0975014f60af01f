"""Look up recipients, beginnings and messages, and change the suppression list, over moto and the simulated list."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from aftersend.aws.account_list import AccountList
from aftersend.aws.connection import find_deployment
from aftersend.aws.deployed_recorder import deployed_recorder
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.contract import Variable
from aftersend.dashboard.elements import widget
from aftersend.dashboard.request import Functions, parse_request
from aftersend.events import Event, Kind
from aftersend.suppression import Policy
from lambdas import change_suppressions, widget_recipient
from lambdas.change_suppressions import Tables
from lambdas.dependencies import logger
from tests.adapters.suppression_shop import SuppressionShop, shop
from tests.adapters.test_deployment import client_error
from tests.event_factory import READER, a_bounce, an_event

__all__ = ["shop"]

SENT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
SPELLED = "Reader@mail.example"
MESSAGE_ID = "0102019abc3f7a11-5b9f2c11-7d1b-4b6e-8a3e-3f1d1c0e9a77-000000"
STATED = {"operator": "Kim", "reason": "asked by telephone"}


def bounce(**given: Any) -> Event:
    return a_bounce(sent_at=SENT, message=MESSAGE_ID, recipient_raw=SPELLED, **given)


def look_up(**parameters: str) -> str:
    functions = Functions("arn:show", "arn:change")
    request = parse_request({"panel": "recipient", **parameters}, datetime.now(UTC), functions)
    return widget(*widget_recipient.show(request, find_deployment("shop")), is_dark=False)


class Changes:
    """The function change_suppressions of the shop, as the dashboard invokes it."""

    def __init__(self, shop: SuppressionShop) -> None:
        self._shop = shop

    def tables(self) -> Tables:
        recorder = deployed_recorder(find_deployment("shop"))
        account_list = AccountList(self._shop.sesv2, pace_seconds=0)
        ledger: Any = recorder.ledger
        return Tables(recorder, ledger, SuppressionsTable(self._shop.dynamodb, "suppressions"), account_list)

    def __call__(self, change: str, address: str = SPELLED, scope: str = "*", **fields: str) -> str:
        event = {"panel": "recipient", "change": change, "address": address, "scope": scope, "show": "arn:show"}
        context = SimpleNamespace(invoked_function_arn="arn:change")
        given = {"widgetContext": {"forms": {"all": fields}}}
        return change_suppressions.handler(event | given, context, make_tables=self.tables)


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widget_recipient, "PACE_SECONDS", 0)


@pytest.fixture
def change(shop: SuppressionShop, monkeypatch: pytest.MonkeyPatch) -> Changes:
    monkeypatch.setenv(Variable.ENVIRONMENT, "shop")
    return Changes(shop)


def acts(text: str) -> int:
    return text.count("by an operator</span>")


def test_address_is_looked_up_in_any_spelling(shop: SuppressionShop):
    shop.record(bounce(), an_event(Kind.DELIVERY, sent_at=SENT, message="0101"))
    shop.put_on_account_list(SPELLED)
    for value in (READER, SPELLED, f"Ada <{READER}>", f"  {READER} "):
        text = look_up(entered=value, find="1")
        assert "Suppressed everywhere: hard-bounce" in text
        assert f"SES's account list has {SPELLED}: BOUNCE" in text
        assert text.count("<article>") == 2


def test_forgotten_recipient_is_recognized(shop: SuppressionShop):
    shop.forget(READER)
    assert "the recipient was forgotten" in look_up(query=READER)


def test_missing_permissions_do_not_end_the_look_up(shop: SuppressionShop, monkeypatch: pytest.MonkeyPatch):
    def denied(*_: Any, **__: Any) -> None:
        raise client_error("AccessDeniedException", "not allowed", "GetSuppressedDestination")

    shop.record(bounce())
    monkeypatch.setattr(shop.sesv2, "get_suppressed_destination", denied)
    monkeypatch.setattr("aftersend.aws.recipient_explanation.deployed_hash_key", denied)
    text = look_up(query=READER)
    assert "Suppressed everywhere: hard-bounce" in text
    assert "SES's account list cannot be read: The role has no permission" in text
    assert "It is not known whether the recipient was forgotten." in text


def test_events_of_each_group_are_bounded(shop: SuppressionShop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(widget_recipient, "MAX_EVENTS", 2)
    deliveries = [an_event(Kind.DELIVERY, sent_at=SENT, message=f"010{number}") for number in range(4)]
    shop.record(bounce(), *deliveries)
    text = look_up(query=READER)
    assert (text.count("Delivered</span>"), text.count("Hard bounce</span>")) == (2, 1)
    assert "There may be older events" in text


@pytest.mark.parametrize("parameters", [{"entered": MESSAGE_ID}, {"message": MESSAGE_ID}, {"query": MESSAGE_ID}])
def test_feedback_of_a_message_is_looked_up(shop: SuppressionShop, parameters: dict[str, str]):
    shop.stacks["Aftersend-shop-State"]["LedgerTableName"] = "ledger"
    shop.record(bounce(), bounce(recipient="other@mail.example"))
    text = look_up(**parameters)
    assert text.count("Hard bounce") == 2
    assert ">other@mail.example</a>" in text


def test_beginning_finds_suppressed_recipients(shop: SuppressionShop):
    for recipient in (READER, "readers@mail.example", "other@mail.example", "forgotten@mail.example"):
        shop.record(bounce(recipient=recipient))
    shop.forget("gone@mail.example")
    text = look_up(query="Read")
    assert (text.count("Suppressed everywhere"), "only its first part" in text) == (2, False)
    assert look_up(query="forgotten").count("Suppressed everywhere") == 1
    assert "begins with &#x27;read" not in look_up(query=READER)
    assert look_up(query=READER, as_beginning="1").count("Suppressed everywhere") == 1


def test_search_for_a_beginning_is_bounded(shop: SuppressionShop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(widget_recipient, "MAX_FOUND", 2)
    shop.record(*(bounce(recipient=f"reader-{number}@mail.example") for number in range(3)))
    text = look_up(query="reader-")
    assert text.count("Suppressed everywhere") == 2
    assert "only its first part was searched" in text


@pytest.mark.parametrize("value", ["a b", "ab", "a@b@mail.example", "reader@mail.example, other@mail.example"])
def test_invalid_input_is_explained(shop: SuppressionShop, value: str):
    assert "is no e-mail address, no beginning of one and no message id." in look_up(query=value)


def test_nothing_entered_shows_what_the_panel_is_for(shop: SuppressionShop):
    text = look_up()
    assert "Shows whether mail to an address is suppressed and why" in text
    assert "banner" not in text.partition("</style>")[2]


def test_removal_is_recorded_as_stated_and_deletes_from_the_account_list(shop: SuppressionShop, change: Changes):
    shop.record(bounce())
    shop.put_on_account_list(SPELLED)
    text = change("remove", **STATED)
    assert "<strong>Removed: no longer suppressed everywhere. SES's account list no longer has it.</strong>" in text
    assert "<strong>Not suppressed.</strong>" in text
    assert "Removed by an operator</span> Kim asked by telephone" in text
    assert not shop.account_list.addresses
    entry = shop.entry(READER)
    assert entry
    assert (entry.lifted_by, entry.who, entry.note) == ("removed-by-operator", "Kim", "asked by telephone")


def test_addition_is_recorded_as_stated(shop: SuppressionShop, change: Changes):
    text = change("add", **STATED)
    assert "Added: suppressed everywhere until an operator removes it." in text
    assert "By Kim: asked by telephone" in text
    assert shop.entry(READER)


@pytest.mark.parametrize("kind", ["add", "remove"])
def test_second_click_changes_nothing(shop: SuppressionShop, change: Changes, kind: str):
    shop.record(*([bounce()] if kind == "remove" else []))
    assert acts(change(kind, **STATED)) == 1
    text = change(kind, **STATED)
    assert acts(text) == 1
    assert "nothing was changed" in text or "It was not suppressed everywhere." in text


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({}, "Enter your name and the reason, then choose the button again."),
        ({"operator": "Kim", "reason": "  "}, "Enter the reason, then"),
        ({"reason": "asked"}, "Enter your name, then"),
    ],
)
def test_nothing_is_changed_without_name_and_reason(
    shop: SuppressionShop, change: Changes, fields: dict[str, str], advice: str
):
    shop.record(bounce())
    text = change("remove", **fields)
    assert f"Nothing was changed. {advice}" in text
    assert "Suppressed everywhere" in text
    assert acts(text) == 0
    assert all(f'value="{value.strip()}"' in text for value in fields.values())


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"change": "forget"}, "change"),
        ({"change": "add", "address": "nobody"}, "address"),
        ({"change": "add", "scope": "everything"}, "scope"),
    ],
)
def test_event_that_no_button_makes_changes_nothing(change: Changes, event: dict[str, str], name: str):
    text = change(**event, **STATED)
    assert f"Nothing was changed. `{name}` must be" in text


def test_refusal_of_the_recorder_is_shown(shop: SuppressionShop, change: Changes):
    shop.forget(READER)
    text = change("remove", **STATED)
    assert "It was not recorded: The data of this recipient was erased" not in text
    assert "It was not suppressed everywhere." in text
    assert "It was not recorded: The data of this recipient was erased" in change("add", **STATED)


def test_account_list_that_cannot_be_changed_is_named(
    shop: SuppressionShop, change: Changes, monkeypatch: pytest.MonkeyPatch
):
    def denied(**_: Any) -> None:
        raise client_error("AccessDeniedException", "not allowed", "DeleteSuppressedDestination")

    shop.record(bounce())
    shop.put_on_account_list(SPELLED)
    monkeypatch.setattr(shop.sesv2, "delete_suppressed_destination", denied)
    text = change("remove", **STATED)
    assert "no longer suppressed everywhere. SES's account list may still have it: The role has no permission" in text
    assert "Remove everywhere" in text


def test_scope_is_the_one_that_was_chosen(shop: SuppressionShop, change: Changes):
    shop.set_policy(Policy(complaint_scope="stream"))
    shop.record(bounce())
    change("add", scope="stream#news", **STATED)
    text = change("remove", scope="stream#news", **STATED)
    assert "no longer suppressed for stream news." in text
    assert "Suppressed everywhere: hard-bounce" in text


def test_buttons_of_the_answer_call_the_same_functions(change: Changes):
    text = change("add", **STATED)
    assert text.count('endpoint="arn:change"') == 1
    assert json.dumps({"panel": "recipient", "find": "1"}).replace('"', "&quot;") in text.replace('"', "&quot;")
    assert 'endpoint="arn:show"' in text


def test_error_of_aws_is_one_sentence(change: Changes, monkeypatch: pytest.MonkeyPatch):
    def unreachable() -> Tables:
        raise client_error("AccessDeniedException", "not allowed", "Query")

    monkeypatch.setattr(change, "tables", unreachable)
    text = change("add", **STATED)
    assert "The change may not have been made." in text
    assert "Query is denied to these credentials" in text


@pytest.mark.parametrize("error", [client_error("Throttled", "slow down", "Query"), RuntimeError(READER)])
def test_change_is_shown_as_made_although_its_answer_fails(
    shop: SuppressionShop, change: Changes, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    monkeypatch.setattr(change_suppressions, "explain_recipient", mock.Mock(side_effect=error))
    text = change("add", **STATED)
    assert shop.entry(READER)
    assert "<strong>Added: suppressed everywhere until an operator removes it.</strong>" in text
    assert "The recipient cannot be shown." in text


def test_recorded_act_whose_decision_fails_is_not_called_unrecorded(
    shop: SuppressionShop, change: Changes, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patched:
        patched.setattr(SuppressionsTable, "replace", mock.Mock(side_effect=client_error("Throttled", "no", "PutItem")))
        text = change("add", **STATED)
    assert "It may be recorded, and the suppression list was not changed: " in text
    assert acts(text) == 1
    assert shop.entry(READER) is None
    assert "Added: suppressed everywhere" in change("add", **STATED)
    assert shop.entry(READER)


def test_unexpected_error_is_one_sentence_without_its_message(change: Changes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(change, "tables", mock.Mock(side_effect=RuntimeError(READER)))
    text = change("add", **STATED)
    assert "The change may not have been made." in text
    assert "The function failed with RuntimeError." in text
    assert READER not in text


def test_no_address_and_no_name_is_logged(shop: SuppressionShop, change: Changes, monkeypatch: pytest.MonkeyPatch):
    logged: list[Any] = []
    for name in ("info", "error"):
        monkeypatch.setattr(logger, name, lambda message, **details: logged.append((message, details)))
    change("add", **STATED)
    assert logged == [("Changed the suppression list.", {"extra": {"change": "add", "scope": "*"}})]


def test_function_describes_itself():
    assert "suppression list" in change_suppressions.handler({"describe": True})["markdown"]
