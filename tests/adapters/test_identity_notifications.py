import json
from typing import Any

import pytest

from aftersend.aws import custom_resource
from aftersend.aws.identity_settings import IdentitySettings
from lambdas.set_identity_notifications import handler

TOPIC = "arn:aws:sns:eu-west-1:222222222222:feedback"
REQUEST: dict[str, Any] = {
    "StackId": "arn:aws:cloudformation:eu-west-1:222222222222:stack/Publishing/1",
    "RequestId": "request-1",
    "LogicalResourceId": "Notifications",
    "ResponseURL": "https://cloudformation.example/answer",
    "ResourceProperties": {"Identity": "bookshop.example", "Topics": {"Bounce": TOPIC, "Complaint": TOPIC}},
}


class FakeSes:
    """SES's settings of identities, and how long was paused between calls."""

    def __init__(self) -> None:
        self.topics: dict[tuple[str, str], str | None] = {}

    def set_identity_notification_topic(self, **call: str) -> None:
        if call["Identity"] == "gone.example":
            raise LookupError("Identity gone.example does not exist.")
        self.topics[call["Identity"], call["NotificationType"]] = call.get("SnsTopic")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What CloudFormation was answered."""
    found: list[dict[str, Any]] = []

    class Closed:
        def close(self) -> None:
            pass

    def urlopen(request: Any, timeout: float) -> Closed:
        assert (request.method, request.full_url) == ("PUT", REQUEST["ResponseURL"])
        found.append(json.loads(request.data))
        return Closed()

    monkeypatch.setattr(custom_resource, "urlopen", urlopen)
    return found


def run(ses: FakeSes, request_type: str, **properties: Any) -> list[float]:
    pauses: list[float] = []
    request = REQUEST | {"RequestType": request_type, "ResourceProperties": REQUEST["ResourceProperties"] | properties}
    handler(request, of=IdentitySettings(ses, pause=pauses.append))
    return pauses


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_topics_are_set_and_those_not_asked_for_are_cleared(answers: list[dict[str, Any]], request_type: str):
    ses = FakeSes()
    run(ses, request_type)
    assert ses.topics == {
        ("bookshop.example", "Bounce"): TOPIC,
        ("bookshop.example", "Complaint"): TOPIC,
        ("bookshop.example", "Delivery"): None,
    }
    assert answers == [
        {
            "Status": "SUCCESS",
            "PhysicalResourceId": "bookshop.example",
            "StackId": REQUEST["StackId"],
            "RequestId": "request-1",
            "LogicalResourceId": "Notifications",
        }
    ]


def test_deleting_clears_every_topic(answers: list[dict[str, Any]]):
    ses = FakeSes()
    run(ses, "Delete")
    assert set(ses.topics.values()) == {None}
    assert answers[0]["Status"] == "SUCCESS"


def test_ses_is_called_once_a_second(answers: list[dict[str, Any]]):
    assert run(FakeSes(), "Create") == [1.0, 1.0, 1.0]


def test_a_failure_is_told_with_its_reason(answers: list[dict[str, Any]]):
    run(FakeSes(), "Create", Identity="gone.example")
    assert (answers[0]["Status"], answers[0]["Reason"]) == (
        "FAILED",
        "LookupError: Identity gone.example does not exist.",
    )
