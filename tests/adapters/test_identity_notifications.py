import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from aftersend.aws import clients, custom_resource
from aftersend.aws.deployed_settings import Deployed, DeployedSettings
from aftersend.aws.identity_settings import IdentitySettings, differences
from aftersend.contract import NotificationSettings
from lambdas import check_identities, set_identity_notifications
from tests.world.calls import Killed

TOPIC, BY_HAND = "arn:aws:sns:eu-west-1:222222222222:feedback", "arn:aws:sns:eu-west-1:222222222222:by-hand"
IDENTITY = "bookshop.example"
UNTOUCHED = NotificationSettings()
WANTED = NotificationSettings(topics={"Bounce": TOPIC, "Complaint": TOPIC}, headers=("Bounce",), forwarding=False)
SET_BY_HAND = NotificationSettings(topics={"Bounce": BY_HAND, "Delivery": BY_HAND}, headers=("Delivery",))


class FakeSes:
    """SES's settings of identities, with what SES refuses. May be the end of whoever makes a certain call."""

    def __init__(self, *verified: str, **settings: NotificationSettings) -> None:
        self.is_verified = set(verified or [IDENTITY])
        self.settings = {IDENTITY: settings.get("before", UNTOUCHED)}
        self.calls = 0
        self.kill: tuple[int, bool] | None = None

    def get_identity_verification_attributes(self, Identities: list[str]) -> dict[str, Any]:  # noqa: N803 (SES's name)
        self.die(after=False)
        statuses = {name: "Success" if name in self.is_verified else "Pending" for name in Identities}
        self.die(after=True)
        return {"VerificationAttributes": {name: {"VerificationStatus": status} for name, status in statuses.items()}}

    def get_identity_notification_attributes(self, Identities: list[str]) -> dict[str, Any]:  # noqa: N803 (SES's name)
        self.die(after=False)
        found = {name: self._attributes(self.settings.get(name, UNTOUCHED)) for name in Identities}
        self.die(after=True)
        return {"NotificationAttributes": found}

    def set_identity_notification_topic(self, **call: str) -> None:
        topics = {**self.settings[call["Identity"]].topics, call["NotificationType"]: call.get("SnsTopic", "")}
        self._set(call, topics={kind: topic for kind, topic in topics.items() if topic})

    def set_identity_headers_in_notifications_enabled(self, **call: Any) -> None:
        settings, kind = self.settings[call["Identity"]], call["NotificationType"]
        if kind not in settings.topics:
            raise ValueError("There is no topic for these notifications.")
        headers = {*settings.headers, kind} if call["Enabled"] else {*settings.headers} - {kind}
        self._set(call, headers=tuple(sorted(headers)))

    def set_identity_feedback_forwarding_enabled(self, **call: Any) -> None:
        if (
            not call["ForwardingEnabled"]
            and not {"Bounce", "Complaint"} <= self.settings[call["Identity"]].topics.keys()
        ):
            raise ValueError("Feedback must go somewhere.")
        self._set(call, forwarding=call["ForwardingEnabled"])

    def _set(self, call: dict[str, Any], **parts: Any) -> None:
        if call.get("SnsTopic") == "refused":
            raise ClientError({"Error": {"Code": "InvalidParameterValue"}}, "SetIdentityNotificationTopic")
        if call["Identity"] not in self.is_verified:
            raise ValueError("The identity is not verified.")
        self.die(after=False)
        changed = msgspec.structs.replace(self.settings[call["Identity"]], **parts)
        self.settings[call["Identity"]] = changed
        self.die(after=True)

    def die(self, *, after: bool) -> None:
        if self.kill == (self.calls, after):
            self.kill = None
            raise Killed
        self.calls += after

    def _attributes(self, settings: NotificationSettings) -> dict[str, Any]:
        topics = {f"{kind}Topic": topic for kind, topic in settings.topics.items()}
        headers = {f"HeadersIn{kind}NotificationsEnabled": True for kind in settings.headers}
        return topics | headers | {"ForwardingEnabled": settings.forwarding}


class FakeDeployed(DeployedSettings):
    """What was deployed, in a dictionary; its calls are counted with those of SES."""

    def __init__(self, ses: FakeSes) -> None:
        self.kept: dict[str, Deployed] = {}
        self._ses = ses

    def all(self) -> Iterator[Deployed]:
        yield from self.kept.values()

    def get(self, identity: str) -> Deployed | None:
        return self.kept.get(identity)

    def put(self, deployed: Deployed) -> None:
        self._ses.die(after=False)
        self.kept[deployed.identity] = deployed
        self._ses.die(after=True)

    def delete(self, identity: str) -> None:
        self._ses.die(after=False)
        self.kept.pop(identity, None)
        self._ses.die(after=True)


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What CloudFormation was answered."""
    found: list[dict[str, Any]] = []

    class Closed:
        def close(self) -> None:
            pass

    def urlopen(request: Any, timeout: float) -> Closed:
        assert (request.method, request.full_url) == ("PUT", "https://cloudformation.example/answer")
        found.append(json.loads(request.data))
        return Closed()

    monkeypatch.setattr(custom_resource, "urlopen", urlopen)
    return found


def run(
    ses: FakeSes, request_type: str, *, looks: bool = False, kept: FakeDeployed | None = None, **properties: str
) -> list[float]:
    """CloudFormation's request for one of the two resources; the pauses that were made."""
    pauses: list[float] = []
    request = {
        "RequestType": request_type,
        "ResourceType": "Custom::PreviousIdentityNotifications" if looks else "Custom::IdentityNotifications",
        "StackId": "arn:aws:cloudformation:eu-west-1:222222222222:stack/Publishing/1",
        "RequestId": "request-1",
        "LogicalResourceId": "Notifications",
        "ResponseURL": "https://cloudformation.example/answer",
        "ResourceProperties": {"Identity": IDENTITY, **properties},
    }
    set_identity_notifications.handler(
        request,
        identity_settings=IdentitySettings(ses, pause=pauses.append),
        deployed_settings=kept or FakeDeployed(ses),
    )
    return pauses


def as_json(settings: NotificationSettings) -> str:
    return msgspec.json.encode(settings).decode()


@pytest.mark.parametrize("request_type", ["Create", "Update"])
@pytest.mark.parametrize("before", [UNTOUCHED, SET_BY_HAND, WANTED], ids=["untouched", "set by hand", "as wanted"])
def test_what_is_wanted_is_set_whatever_was_set_before(
    answers: list[dict[str, Any]], request_type: str, before: NotificationSettings
):
    ses = FakeSes(before=before)
    run(ses, request_type, Wanted=as_json(WANTED), Previous=as_json(before))
    assert ses.settings[IDENTITY] == WANTED
    assert answers == [
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
def test_deleting_restores_what_was_found(answers: list[dict[str, Any]], before: NotificationSettings):
    ses = FakeSes(before=before)
    run(ses, "Create", looks=True)
    found = answers[0]["Data"]["Settings"]
    run(ses, "Create", Wanted=as_json(WANTED), Previous=found)
    run(ses, "Delete", Wanted=as_json(WANTED), Previous=found)
    run(ses, "Delete", looks=True)
    assert ses.settings[IDENTITY] == before
    assert {answer["Status"] for answer in answers} == {"SUCCESS"}


def test_an_identity_that_is_not_verified_does_not_fail_a_deployment(answers: list[dict[str, Any]]):
    ses = FakeSes("another.example")
    for request_type in ("Create", "Update", "Delete"):
        run(ses, request_type, Wanted=as_json(WANTED), Previous=as_json(UNTOUCHED))
    assert [(answer["Status"], answer["Data"]["State"]) for answer in answers] == 3 * [
        ("SUCCESS", "waits for verification")
    ]
    assert ses.settings[IDENTITY] == UNTOUCHED


def test_ses_is_called_once_a_second():
    ses = FakeSes()
    pauses = run(ses, "Create", Wanted=as_json(WANTED), Previous=as_json(UNTOUCHED))
    assert pauses == [1.0] * (ses.calls - 2) == [1.0] * (CALLS - 2)


def test_a_failure_is_told_with_its_reason(answers: list[dict[str, Any]]):
    impossible = NotificationSettings(forwarding=False)
    run(FakeSes(), "Create", Wanted=as_json(impossible), Previous=as_json(UNTOUCHED))
    assert (answers[0]["Status"], answers[0]["Reason"]) == ("FAILED", "ValueError: Feedback must go somewhere.")


CALLS = 8
"""Of SES: is it verified, what is set, two topics, headers, forwarding. Of S3: what is deployed, before and after.
Where somebody set other things before, headers and a topic are taken away too."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(CALLS + 2))
def test_it_may_be_killed_before_and_after_each_of_its_calls(answers: list[dict[str, Any]], call: int, after: bool):
    ses = FakeSes(before=SET_BY_HAND)
    kept = FakeDeployed(ses)
    run(ses, "Create", looks=True)
    found = answers[0]["Data"]["Settings"]
    ses.calls, ses.kill = 0, (call, after)
    with pytest.raises(Killed):
        run(ses, "Create", kept=kept, Wanted=as_json(WANTED), Previous=found)
    assert ses.kill is None
    run(ses, "Create", kept=kept, Wanted=as_json(WANTED), Previous=found)  # Lambda tries again
    assert ses.settings[IDENTITY] == WANTED
    assert kept.kept == {IDENTITY: Deployed(IDENTITY, WANTED, is_set=True)}
    run(ses, "Delete", kept=kept, Wanted=as_json(WANTED), Previous=found)
    assert ses.settings[IDENTITY] == SET_BY_HAND
    assert kept.kept == {}


def checked(kept: FakeDeployed, ses: FakeSes, *, restore: bool = False) -> tuple[int, int, int, int]:
    """How many identities wait, were set, have drifted, and failed."""
    report = check_identities.check(kept, IdentitySettings(ses, pause=lambda seconds: None), restore=restore)
    return msgspec.structs.astuple(report)


def deployed(ses: FakeSes, wanted: NotificationSettings = WANTED) -> FakeDeployed:
    kept = FakeDeployed(ses)
    run(ses, "Create", kept=kept, Wanted=as_json(wanted), Previous=as_json(UNTOUCHED))
    return kept


@pytest.mark.parametrize("restore", [False, True])
def test_an_identity_is_set_once_it_is_verified(restore: bool):
    ses = FakeSes("another.example")
    kept = deployed(ses)
    assert checked(kept, ses, restore=restore) == (1, 0, 0, 0)
    ses.is_verified.add(IDENTITY)
    assert checked(kept, ses, restore=restore) == (0, 1, 0, 0)
    assert checked(kept, ses, restore=restore) == (0, 0, 0, 0)
    assert ses.settings[IDENTITY] == WANTED


@pytest.mark.parametrize("now", [UNTOUCHED, SET_BY_HAND], ids=["dropped", "set by hand"])
@pytest.mark.parametrize("waited", [False, True], ids=["verified before", "verified later"])
def test_settings_that_have_drifted_are_told_until_they_are_back(now: NotificationSettings, waited: bool):
    ses = FakeSes("another.example") if waited else FakeSes()
    kept = deployed(ses)
    if waited:
        ses.is_verified.add(IDENTITY)
        checked(kept, ses)
    ses.settings[IDENTITY] = now
    assert [checked(kept, ses), checked(kept, ses)] == [(0, 0, 1, 0)] * 2
    assert ses.settings[IDENTITY] == now, "nobody asked to put them back"
    ses.settings[IDENTITY] = WANTED
    assert checked(kept, ses) == (0, 0, 0, 0)


def test_settings_that_have_drifted_are_put_back_where_that_is_wanted():
    ses = FakeSes()
    kept = deployed(ses)
    ses.settings[IDENTITY] = UNTOUCHED
    assert checked(kept, ses, restore=True) == (0, 0, 1, 0)
    assert ses.settings[IDENTITY] == WANTED
    assert checked(kept, ses, restore=True) == (0, 0, 0, 0)


def test_the_order_of_headers_is_no_drift():
    wanted = msgspec.structs.replace(WANTED, headers=("Complaint", "Bounce"))
    ses = FakeSes()
    assert checked(deployed(ses, wanted), ses) == (0, 0, 0, 0)


def test_an_identity_that_ses_refuses_costs_only_itself(answers: list[dict[str, Any]]):
    ses = FakeSes()
    kept = deployed(ses)
    ses.is_verified.add("other.example")
    ses.settings |= {IDENTITY: UNTOUCHED, "other.example": UNTOUCHED}
    kept.kept[IDENTITY] = Deployed(IDENTITY, NotificationSettings({"Bounce": "refused"}))
    kept.kept["other.example"] = Deployed("other.example", WANTED)
    assert checked(kept, ses) == (0, 2, 0, 1)
    assert ses.settings["other.example"] == WANTED


def test_what_is_deployed_anew_meanwhile_is_left_to_that_deployment():
    ses = FakeSes()
    kept = deployed(ses)
    ses.settings[IDENTITY] = UNTOUCHED
    new = Deployed(IDENTITY, SET_BY_HAND)
    kept.get = lambda identity: new  # as if it came while SES was asked
    assert checked(kept, ses, restore=True) == (0, 0, 1, 0)
    assert ses.settings[IDENTITY] == UNTOUCHED


def test_differences_are_told_in_words():
    assert differences(UNTOUCHED, WANTED) == [
        f"Bounce goes to no topic, wanted: {TOPIC}",
        f"Complaint goes to no topic, wanted: {TOPIC}",
        "headers in Bounce notifications",
        "feedback forwarding is on",
    ]


def test_what_is_deployed_is_kept_in_the_bucket(s3: Any):
    kept = DeployedSettings(s3, "archive")
    assert list(kept.all()) == []
    one, two = Deployed(IDENTITY, WANTED, is_set=True), Deployed("news@bookshop.example", UNTOUCHED)
    kept.put(one)
    kept.put(two)
    assert sorted(kept.all(), key=lambda found: found.identity) == [one, two]
    assert kept.get(IDENTITY) == one
    kept.delete(IDENTITY)
    kept.delete(IDENTITY)
    assert kept.get(IDENTITY) is None


def test_many_identities_are_asked_about_a_hundred_at_a_time():
    ses = FakeSes()
    settings = IdentitySettings(ses, pause=lambda seconds: None)
    assert len(settings.current(f"shop-{number}.example" for number in range(250))) == 250
    assert ses.calls == 3


def test_throttling_is_tried_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    client = clients.client.__wrapped__("ses")  # one of its own: this test answers for it
    answers = iter([(400, b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>")] * 3)
    done = b"<Response><SetIdentityNotificationTopicResult/></Response>"
    codes = []

    class Body:
        def __init__(self, content: bytes) -> None:
            self.content = content

        def stream(self, **_: Any) -> Any:
            yield self.content

    def answer(request: Any, **_: Any) -> AWSResponse:
        status, body = next(answers, (200, done))
        codes.append(status)
        return AWSResponse(request.url, status, {}, Body(body))

    client.meta.events.register("before-send", answer)
    IdentitySettings(client, pause=lambda seconds: None).change(
        IDENTITY, UNTOUCHED, NotificationSettings({"Bounce": TOPIC})
    )
    assert codes == [400, 400, 400, 200]
