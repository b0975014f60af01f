from typing import Any

import msgspec
import pytest

from aftersend.aws.deployed_settings import DeployedNotifications
from aftersend.contract import SETTINGS_ATTRIBUTE, NotificationSettings
from tests.adapters.identities import (
    IDENTITY,
    SET_BY_HAND,
    UNTOUCHED,
    WANTED,
    FakeDeployedSettings,
    FakeSes,
    run,
    run_previous,
)
from tests.world.calls import Killed

pytestmark = pytest.mark.usefixtures("responses")


def settings_in(response: dict[str, Any]) -> NotificationSettings:
    return msgspec.json.decode(response["Data"][SETTINGS_ATTRIBUTE], type=NotificationSettings)


@pytest.mark.parametrize("request_type", ["Create", "Update"])
@pytest.mark.parametrize("before", [UNTOUCHED, SET_BY_HAND, WANTED], ids=["untouched", "set by hand", "as wanted"])
def test_wanted_settings_are_set_whatever_was_set_before(
    responses: list[dict[str, Any]], request_type: str, before: NotificationSettings
):
    ses = FakeSes(before=before)
    run(ses, request_type, previous=before)
    assert ses.settings[IDENTITY] == WANTED
    assert responses == [
        {
            "Status": "SUCCESS",
            "Data": {"State": "set"},
            "PhysicalResourceId": IDENTITY,
            "StackId": "arn:aws:cloudformation:eu-west-1:222222222222:stack/Publishing/1",
            "RequestId": "request-1",
            "LogicalResourceId": "Notifications",
        }
    ]


@pytest.mark.parametrize("before", [UNTOUCHED, SET_BY_HAND], ids=["untouched", "set by hand"])
def test_deletion_sets_the_previous_settings(responses: list[dict[str, Any]], before: NotificationSettings):
    ses = FakeSes(before=before)
    run_previous(ses, "Create")
    previous = settings_in(responses[0])
    run(ses, "Create", previous=previous)
    run(ses, "Delete", previous=previous)
    run_previous(ses, "Delete")
    assert ses.settings[IDENTITY] == before
    assert {response["Status"] for response in responses} == {"SUCCESS"}


def test_identity_that_is_not_verified_does_not_fail_the_deployment(responses: list[dict[str, Any]]):
    ses = FakeSes("another.example")
    for request_type in ("Create", "Update", "Delete"):
        run(ses, request_type)
    assert [(response["Status"], response["Data"]["State"]) for response in responses] == 3 * [
        ("SUCCESS", "waits for verification")
    ]
    assert ses.settings[IDENTITY] == UNTOUCHED


def test_ses_is_called_once_a_second():
    ses = FakeSes()
    pauses = run(ses, "Create")
    assert pauses == [1.0] * (ses.calls - 2) == [1.0] * (CALLS - 2)


def test_failure_is_reported_with_its_reason(responses: list[dict[str, Any]]):
    run(FakeSes(), "Create", wanted=NotificationSettings(forwarding=False))
    assert (responses[0]["Status"], responses[0]["Reason"]) == ("FAILED", "ValueError: Feedback must go somewhere.")


CALLS = 8
"""Calls of SES: get the verification and the settings, set two topics, headers and forwarding. Calls of S3: put the
deployed settings, before and after. Two more calls remove headers and a topic that were set by hand."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(CALLS + 2))
def test_function_can_be_killed_before_and_after_each_of_its_calls(
    responses: list[dict[str, Any]], call: int, after: bool
):
    ses = FakeSes(before=SET_BY_HAND)
    deployed_settings = FakeDeployedSettings(ses)
    run_previous(ses, "Create")
    previous = settings_in(responses[0])
    ses.calls, ses.kill = 0, (call, after)
    with pytest.raises(Killed):
        run(ses, "Create", previous=previous, deployed_settings=deployed_settings)
    assert ses.kill is None
    run(ses, "Create", previous=previous, deployed_settings=deployed_settings)  # Lambda retries
    assert ses.settings[IDENTITY] == WANTED
    assert deployed_settings.stored == {IDENTITY: DeployedNotifications(IDENTITY, WANTED, is_set=True)}
    run(ses, "Delete", previous=previous, deployed_settings=deployed_settings)
    assert ses.settings[IDENTITY] == SET_BY_HAND
    assert deployed_settings.stored == {}
