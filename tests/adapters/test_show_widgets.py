"""Show a panel, or a sentence that says why there is none."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from aftersend.aws.deployment import Unavailable
from aftersend.aws.ledger_table import Throttled
from aftersend.contract import Variable
from aftersend.dashboard.elements import Content
from aftersend.dashboard.layout import PANELS
from aftersend.dashboard.request import Request
from lambdas import show_widgets
from lambdas.dependencies import logger

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
CONTEXT = SimpleNamespace(invoked_function_arn="arn:show")


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Variable.ENVIRONMENT, "shop")
    monkeypatch.setenv(Variable.CHANGE_FUNCTION, "arn:change")
    monkeypatch.setattr(show_widgets, "deployment", cache(lambda: "the deployment"))


def shown(monkeypatch: pytest.MonkeyPatch, panel: Any, **event: Any) -> str:
    monkeypatch.setattr(show_widgets, "PANELS", {"one": panel})
    return show_widgets.handler({"panel": "one", **event}, CONTEXT, now=NOW)


def test_panel_gets_the_request_and_the_deployment(monkeypatch: pytest.MonkeyPatch):
    def panel(request: Request, deployment: Any) -> Iterable[Content]:
        yield f"{request.get('tag')} of {deployment} by {request.functions.show} and {request.functions.change}"

    assert "campaign of the deployment by arn:show and arn:change" in shown(monkeypatch, panel, tag="campaign")


def test_panel_in_place_of_another_has_a_link_back(monkeypatch: pytest.MonkeyPatch):
    assert "← Status" in shown(monkeypatch, lambda *_: ["content"], back="status")
    assert "←" not in shown(monkeypatch, lambda *_: ["content"], back="elsewhere")


def test_description_names_every_panel():
    described = show_widgets.handler({"describe": True})["markdown"]
    assert [panel.name for panel in PANELS if panel.name not in described] == []


def test_every_panel_of_the_layout_is_rendered_and_no_other():
    assert {panel.name for panel in PANELS} == show_widgets.PANELS.keys()


def test_unknown_panel_is_named():
    assert "There is no panel &#x27;two&#x27;" in show_widgets.handler({"panel": "two"}, CONTEXT).replace("'", "&#x27;")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no."}}, "Query"), "Query is denied"),
        (Unavailable("Deploy it again."), "Deploy it again."),
        (Throttled("DynamoDB left 3 keys unprocessed."), "DynamoDB left 3 keys unprocessed."),
        (KeyError("reader@mail.example"), "The function failed with KeyError."),
    ],
)
def test_error_is_shown_as_a_sentence_and_logged_by_its_place(
    monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
):
    log = mock.Mock()
    monkeypatch.setattr(logger, "error", log)

    def panel(*_: object) -> Iterable[Content]:
        raise error

    answer = shown(monkeypatch, panel)
    assert "This cannot be shown." in answer
    assert sentence in answer
    assert "in panel\n" in "".join(log.call_args.kwargs["extra"]["place"])
    assert "reader@mail.example" not in f"{answer} {log.call_args}"


def test_outputs_are_read_again_after_a_failure_alone(monkeypatch: pytest.MonkeyPatch):
    names = iter(["earlier", "present"])
    monkeypatch.setattr(show_widgets, "deployment", cache(lambda: next(names)))

    def panel(_: Request, deployment: Any) -> Iterable[Content]:
        if deployment == "earlier":
            raise Unavailable("Deploy it again.")
        yield f"of the {deployment}"

    assert "Deploy it again." in shown(monkeypatch, panel)
    assert all("of the present" in shown(monkeypatch, panel) for _ in range(2))
