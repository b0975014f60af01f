"""Test `aftersend resume`: what the guard has paused sends again, and whoever resumed it and why is stored."""

from typing import Any

import boto3
import msgspec
import pytest
from typer.testing import CliRunner, Result

from aftersend.cli import deployment as cli_deployment
from aftersend.cli import resume as command
from aftersend.cli.main import app
from aftersend.config.loader import load
from aftersend.metrics.guard import NOTHING, GuardState, resumed
from tests.adapters.reputation import NOW, FakeSes, ReputationShop, reputation_shop
from tests.adapters.test_deployment import Session

__all__ = ["reputation_shop"]

PAUSED = GuardState(
    paused_at=NOW, reason="newsletter: bounce rate 12.4 % (248 of 2,000 sent in 24 hours) is 10 % or more"
)
STACKS = {"Aftersend-shop-State": {"CountersTableName": "counters"}, "Aftersend-shop-Pipeline": {"A": "1"}}


class SesSession(Session):
    """A session with the SES of the tests."""

    def __init__(self, ses: FakeSes) -> None:
        super().__init__(STACKS)
        self._ses = ses

    def client(self, service: str, **options: Any) -> Any:
        return self._ses if service == "sesv2" else super().client(service, **options)


@pytest.fixture
def shop(reputation_shop: ReputationShop, monkeypatch: pytest.MonkeyPatch) -> ReputationShop:
    monkeypatch.setattr(boto3, "Session", lambda *_, **__: SesSession(reputation_shop.ses))
    monkeypatch.setattr(cli_deployment, "PACE_SECONDS", 0)
    return reputation_shop


def pause(shop: ReputationShop) -> None:
    shop.states.replace("newsletter", NOTHING, PAUSED)
    shop.ses.enabled["newsletter"] = False


def resume(*arguments: str, name: str = "newsletter", given: str = "", exits: int = 0) -> Result:
    words = ["resume", name, "--env", "shop", "--reason", "the bought list is deleted", *arguments]
    result = CliRunner().invoke(app, words, input=given)
    assert result.exit_code == exits, f"{result.output}{result.exception!r}"
    return result


def test_resumed_set_sends_again_and_stores_who_did_it_and_why(shop: ReputationShop):
    pause(shop)
    result = resume("--operator", "ops", given="y\n")
    assert "The guard paused newsletter at 2026-03-14 09:26 UTC: newsletter: bounce rate 12.4 %" in result.output
    assert "Resumed. Mail sent from" in result.output
    state = shop.states.get("newsletter")
    assert (state.resumed_by, state.resume_reason, state.paused_at) == ("ops", "the bought list is deleted", NOW)
    assert not state.is_paused
    assert shop.ses.enabled["newsletter"]


def test_without_a_confirmation_nothing_changes(shop: ReputationShop):
    pause(shop)
    resume(given="n\n", exits=1)
    assert shop.states.get("newsletter") == PAUSED
    assert not shop.ses.enabled["newsletter"]


def test_operator_is_that_of_the_credentials_unless_named(shop: ReputationShop):
    pause(shop)
    resume("--yes")
    assert shop.states.get("newsletter").resumed_by.startswith("arn:aws:")


def test_set_that_is_not_paused_says_so(shop: ReputationShop):
    assert "The guard has not paused newsletter, and SES sends with it." in resume("--yes").output
    shop.ses.enabled["newsletter"] = False
    assert "its sending was stopped by sending_enabled = false or at SES" in resume("--yes").output
    assert not shop.ses.enabled["newsletter"]
    assert shop.states.get("newsletter") == NOTHING


def test_command_that_was_killed_before_it_enabled_sending_is_completed_by_the_next_one(shop: ReputationShop):
    pause(shop)
    shop.states.replace("newsletter", PAUSED, resumed(PAUSED, NOW, "ops", "first"))
    resume("--yes")
    assert shop.ses.enabled["newsletter"]
    assert "SES sends with it" in resume("--yes").output


def test_state_that_changes_meanwhile_is_left_alone(shop: ReputationShop, monkeypatch: pytest.MonkeyPatch):
    pause(shop)
    other = resumed(PAUSED, NOW, "another", "first")

    def confirm(_question: str) -> bool:
        return shop.states.replace("newsletter", PAUSED, other)

    monkeypatch.setattr(command, "confirm", confirm)
    assert "Somebody else has just changed the state of newsletter" in resume(exits=1).output
    assert shop.states.get("newsletter") == other


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the environment a file, which is prod's, and a way to change it."""
    prod = msgspec.structs.replace(load("prod"), account="123456789012", region="us-east-1")
    sets = prod.configuration_sets

    def use(**changed: Any) -> None:
        newsletter = msgspec.structs.replace(sets["newsletter"], **changed)
        environment = msgspec.structs.replace(prod, configuration_sets=sets | {"newsletter": newsletter})
        monkeypatch.setattr(cli_deployment, "environment_names", lambda: ["shop"])
        monkeypatch.setattr(cli_deployment, "load", lambda _name: environment)

    use()
    return use


def test_set_that_the_environment_does_not_have_is_refused(shop: ReputationShop, file: Any):
    result = resume("--yes", name="newsletters", exits=2)
    assert "shop has no configuration set newsletters. Valid ones: newsletter, receipts." in result.output


def test_file_that_stops_sending_is_mentioned(shop: ReputationShop, file: Any):
    pause(shop)
    assert "sending_enabled" not in resume("--yes").output
    file(sending_enabled=False)
    shop.states.replace("newsletter", shop.states.get("newsletter"), PAUSED)
    assert "The file of shop has sending_enabled = false for it: the next deployment" in resume("--yes").output


def test_set_that_the_file_stops_is_not_taken_for_an_interrupted_resumption(shop: ReputationShop, file: Any):
    file(sending_enabled=False)
    shop.states.replace("newsletter", NOTHING, resumed(PAUSED, NOW, "ops", "first"))
    shop.ses.enabled["newsletter"] = False
    resume("--yes")
    assert not shop.ses.enabled["newsletter"]
