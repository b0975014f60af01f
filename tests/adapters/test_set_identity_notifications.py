from typing import Any

import msgspec
import pytest

from aftersend.aws.deployed_settings import MAX_SUPERSEDED_REQUESTS, Conflict
from aftersend.aws.identity_settings import differences
from aftersend.contract import SETTINGS_ATTRIBUTE, NotificationSettings
from tests.adapters.identities import (
    IDENTITY,
    REFUSED,
    SET_BY_HAND,
    UNTOUCHED,
    WANTED,
    FakeDeployedSettings,
    FakeSes,
    handle,
    new_request,
    run,
    run_previous,
)
from tests.world.calls import Killed

pytestmark = pytest.mark.usefixtures("responses")


def settings_in(response: dict[str, Any]) -> NotificationSettings:
    return msgspec.json.decode(response["Data"][SETTINGS_ATTRIBUTE], type=NotificationSettings)


def states(responses: list[dict[str, Any]]) -> list[str]:
    """Return what the function answered; every answer must be a success."""
    assert {response["Status"] for response in responses} == {"SUCCESS"}
    return [response["Data"]["State"] for response in responses]


@pytest.mark.parametrize("request_type", ["Create", "Update"])
@pytest.mark.parametrize("before", [UNTOUCHED, SET_BY_HAND, WANTED], ids=["untouched", "set by hand", "as wanted"])
def test_wanted_settings_are_set_whatever_was_set_before(
    responses: list[dict[str, Any]], request_type: str, before: NotificationSettings
):
    ses = FakeSes(before=before)
    run(ses, request_type, previous=before, request_id="request-a")
    assert ses.settings[IDENTITY] == WANTED
    assert responses == [
        {
            "Status": "SUCCESS",
            "Data": {"State": "set"},
            "PhysicalResourceId": IDENTITY,
            "StackId": "arn:aws:cloudformation:eu-west-1:222222222222:stack/Publishing/1",
            "RequestId": "request-a",
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


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_previous_settings_stay_what_they_were_before_ours_however_often_they_are_asked_for(
    responses: list[dict[str, Any]], request_type: str
):
    """CloudFormation updates both resources if only their timeout changes, and creates them again under other ids."""
    ses = FakeSes(before=SET_BY_HAND)
    deployed_settings = FakeDeployedSettings(ses)
    run(ses, "Create", previous=SET_BY_HAND, deployed_settings=deployed_settings)
    run_previous(ses, request_type, deployed_settings=deployed_settings)
    assert settings_in(responses[-1]) == SET_BY_HAND
    run(ses, "Delete", previous=SET_BY_HAND, deployed_settings=deployed_settings)
    ses.settings[IDENTITY] = UNTOUCHED
    run_previous(ses, "Create", deployed_settings=deployed_settings)
    assert settings_in(responses[-1]) == UNTOUCHED


def test_deletion_clears_the_topics_that_cannot_be_restored(
    responses: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
):
    previous = NotificationSettings(
        topics={"Bounce": REFUSED, "Complaint": SET_BY_HAND.topics["Bounce"]},
        headers=("Bounce", "Complaint"),
        forwarding=False,
    )
    ses = FakeSes()
    run(ses, "Create", previous=previous)
    pauses = run(ses, "Delete", previous=previous)
    assert states(responses) == ["set", "set"]
    assert ses.settings[IDENTITY] == NotificationSettings(
        topics={"Complaint": SET_BY_HAND.topics["Bounce"]}, headers=("Complaint",), forwarding=True
    )
    assert [vars(record)["topics"] for record in caplog.records] == [[REFUSED]]
    assert set(pauses) == {1.0}


@pytest.mark.parametrize(("code", "status"), [("Throttling", 400), ("AccessDenied", 403), ("ServiceUnavailable", 503)])
def test_deletion_fails_if_it_can_be_repeated(responses: list[dict[str, Any]], code: str, status: int):
    ses = FakeSes()
    previous = NotificationSettings(topics={"Bounce": REFUSED})
    deployed_settings = FakeDeployedSettings(ses)
    run(ses, "Create", previous=previous, deployed_settings=deployed_settings)
    ses.refusals[REFUSED] = code, status
    run(ses, "Delete", previous=previous, deployed_settings=deployed_settings)
    assert code in responses[-1]["Reason"]
    ses.refusals.clear()
    run(ses, "Delete", previous=previous, deployed_settings=deployed_settings)
    assert ses.settings[IDENTITY] == previous


def test_identity_that_is_not_verified_does_not_fail_the_deployment(responses: list[dict[str, Any]]):
    ses = FakeSes("another.example")
    for request_type in ("Create", "Update", "Delete"):
        run(ses, request_type)
    assert states(responses) == 3 * ["waits for verification"]
    assert ses.settings[IDENTITY] == UNTOUCHED


def test_ses_is_called_once_a_second():
    ses = FakeSes()
    pauses = run(ses, "Create")
    assert pauses == [1.0] * (ses.calls - CALLS_OF_S3) == [1.0] * (CALLS - CALLS_OF_S3)


def test_failure_is_reported_with_its_reason(responses: list[dict[str, Any]]):
    run(FakeSes(), "Create", wanted=NotificationSettings(forwarding=False))
    assert (responses[0]["Status"], responses[0]["Reason"]) == ("FAILED", "ValueError: Feedback must go somewhere.")


CALLS, CALLS_OF_S3 = 9, 3
"""Calls of SES: get the verification and the settings, set two topics, headers and forwarding. Calls of S3: get and put
the deployed settings, and put them again once they are set. Two more calls remove headers and a topic that were set by
hand."""
CALLS_OF_DELETION = 12
"""Before the settings are changed two topics are tried, and the settings are read again."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(CALLS + 2))
def test_function_can_be_killed_before_and_after_each_of_its_calls(call: int, after: bool):
    ses = FakeSes(before=SET_BY_HAND)
    deployed_settings = FakeDeployedSettings(ses)
    creation = new_request("Create", previous=SET_BY_HAND)
    kill(ses, creation, deployed_settings, call, after=after)
    handle(ses, creation, deployed_settings)  # Lambda retries
    assert ses.settings[IDENTITY] == WANTED
    stored = deployed_settings.stored[IDENTITY]
    assert (stored.wanted, stored.is_set, stored.was_verified) == (WANTED, True, True)
    run(ses, "Delete", previous=SET_BY_HAND, deployed_settings=deployed_settings)
    assert ses.settings[IDENTITY] == SET_BY_HAND
    assert list(deployed_settings.all()) == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(CALLS_OF_DELETION))
def test_deletion_can_be_killed_before_and_after_each_of_its_calls(call: int, after: bool):
    ses = FakeSes(before=SET_BY_HAND)
    deployed_settings = FakeDeployedSettings(ses)
    run(ses, "Create", previous=SET_BY_HAND, deployed_settings=deployed_settings)
    deletion = new_request("Delete", previous=SET_BY_HAND)
    kill(ses, deletion, deployed_settings, call, after=after)
    handle(ses, deletion, deployed_settings)
    assert ses.settings[IDENTITY] == SET_BY_HAND
    assert list(deployed_settings.all()) == []


def kill(
    ses: FakeSes, request: dict[str, Any], deployed_settings: FakeDeployedSettings, call: int, *, after: bool
) -> None:
    """Handle a request until the function is killed at one of its calls."""
    ses.calls, ses.kill = 0, (call, after)
    with pytest.raises(Killed):
        handle(ses, request, deployed_settings)
    assert ses.kill is None


HISTORY = [
    new_request("Create", wanted=SET_BY_HAND),
    new_request("Update"),
    new_request("Update", wanted=SET_BY_HAND),
    new_request("Delete"),
    new_request("Create"),
]
"""Requests for one identity, in the order of CloudFormation."""


@pytest.mark.parametrize("number", range(1, len(HISTORY) + 1))
def test_old_request_that_is_delivered_late_changes_nothing(responses: list[dict[str, Any]], number: int):
    ses = FakeSes()
    deployed_settings = FakeDeployedSettings(ses)
    for request in HISTORY[:number]:
        handle(ses, request, deployed_settings)
    changed_since = NotificationSettings({"Delivery": SET_BY_HAND.topics["Bounce"]})
    ses.settings[IDENTITY] = changed_since
    stored = dict(deployed_settings.stored)
    for request in HISTORY[:number]:
        handle(ses, request, deployed_settings)
    assert ses.settings[IDENTITY] == changed_since
    assert deployed_settings.stored == stored
    assert states(responses)[number:] == [*["superseded by a later request"] * (number - 1), "set"]


@pytest.mark.parametrize("call", range(8))
@pytest.mark.parametrize(
    "late", [new_request("Create", wanted=SET_BY_HAND), new_request("Delete")], ids=lambda r: r["RequestType"]
)
def test_request_that_another_overtakes_settles_on_the_settings_of_the_later_one(late: dict[str, Any], call: int):
    """Lambda runs the function twice at once; the slow run continues when the later request has been performed."""
    ses = FakeSes()
    deployed_settings = FakeDeployedSettings(ses)
    if late["RequestType"] == "Delete":
        run(ses, "Create", deployed_settings=deployed_settings)
    later = new_request("Update", wanted=WANTED)
    calls, kill_if_due = iter(range(1_000)), ses.kill_if_due

    def overtake(*, after: bool) -> None:
        if not after and next(calls) == call:
            ses.kill_if_due = kill_if_due
            handle(ses, late, deployed_settings)
            handle(ses, later, deployed_settings)

    ses.kill_if_due = overtake
    handle(ses, late, deployed_settings)
    assert ses.kill_if_due == kill_if_due, "the later request came in between"
    assert differences(ses.settings[IDENTITY], WANTED) == []
    assert deployed_settings.stored[IDENTITY].wanted == WANTED
    assert deployed_settings.stored[IDENTITY].is_set


def test_resource_that_another_has_replaced_restores_nothing():
    """CloudFormation creates a resource under its new logical ID before it deletes the old one."""
    ses = FakeSes()
    deployed_settings = FakeDeployedSettings(ses)
    run(ses, "Create", resource="Old", deployed_settings=deployed_settings)
    run(ses, "Create", resource="New", deployed_settings=deployed_settings)
    run(ses, "Delete", resource="Old", deployed_settings=deployed_settings)
    assert ses.settings[IDENTITY] == WANTED
    assert [deployed.wanted for deployed in deployed_settings.all()] == [WANTED]


def test_number_of_superseded_requests_is_bounded():
    ses = FakeSes()
    deployed_settings = FakeDeployedSettings(ses)
    for _ in range(MAX_SUPERSEDED_REQUESTS + 5):
        run(ses, "Update", deployed_settings=deployed_settings)
    assert len(deployed_settings.stored[IDENTITY].superseded) == MAX_SUPERSEDED_REQUESTS


def test_function_gives_up_if_the_settings_never_stay_as_they_were_read(responses: list[dict[str, Any]]):
    ses = FakeSes()
    deployed_settings = FakeDeployedSettings(ses)

    def put(deployed: Any) -> Any:
        raise Conflict(IDENTITY)

    deployed_settings.put = put
    run(ses, "Create", deployed_settings=deployed_settings)
    assert (responses[0]["Status"], responses[0]["Reason"]) == ("FAILED", f"Conflict: {IDENTITY}")
