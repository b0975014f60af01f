from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from botocore.awsrequest import AWSResponse

from aftersend.aws import clients
from aftersend.aws.deployed_settings import Conflict, DeployedNotifications, DeployedSettings
from aftersend.aws.identity_settings import IdentitySettings, differences
from aftersend.contract import NotificationSettings
from tests.adapters.identities import IDENTITY, TOPIC, UNTOUCHED, WANTED, FakeSes


def test_differences_are_described_in_words():
    assert differences(UNTOUCHED, WANTED) == [
        f"Bounce notifications go to no topic instead of {TOPIC}",
        f"Complaint notifications go to no topic instead of {TOPIC}",
        "Bounce notifications do not have the original headers",
        "feedback forwarding is on",
    ]


def test_deployed_settings_are_stored_in_the_bucket(s3: Any):
    deployed_settings = DeployedSettings(s3, "archive")
    assert list(deployed_settings.all()) == []
    assert deployed_settings.get(IDENTITY) is None
    domain = deployed_settings.put(DeployedNotifications(IDENTITY, WANTED, is_set=True))
    address = deployed_settings.put(DeployedNotifications("news@bookshop.example", UNTOUCHED))
    assert sorted(deployed_settings.all(), key=lambda deployed: deployed.identity) == [domain, address]
    assert deployed_settings.get(IDENTITY) == domain
    deleted = deployed_settings.put(msgspec.structs.replace(domain, is_deleted=True))
    assert list(deployed_settings.all()) == [address]
    assert deployed_settings.get(IDENTITY) == deleted


def test_deployed_settings_replace_only_what_was_read(s3: Any):
    deployed_settings = DeployedSettings(s3, "archive")
    first = deployed_settings.put(DeployedNotifications(IDENTITY, WANTED))
    second = deployed_settings.put(msgspec.structs.replace(first, is_set=True))
    for stale in (DeployedNotifications(IDENTITY, UNTOUCHED), msgspec.structs.replace(first, was_verified=True)):
        with pytest.raises(Conflict):
            deployed_settings.put(stale)
    assert deployed_settings.get(IDENTITY) == second


def test_put_whose_response_was_lost_is_no_conflict(s3: Any):
    """The client repeats the request, and S3 refuses it: the object is the new one already."""
    deployed_settings = DeployedSettings(s3, "archive")
    new = DeployedNotifications(IDENTITY, WANTED)
    assert deployed_settings.put(new) == deployed_settings.put(new)


def test_identities_are_read_a_hundred_at_a_time():
    ses = FakeSes()
    identity_settings = IdentitySettings(ses, pause=lambda seconds: None)
    assert len(identity_settings.current(f"shop-{number}.example" for number in range(250))) == 250
    assert ses.calls == 3


class Body:
    """The body of a raw HTTP response, as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


def test_throttled_call_is_retried(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    client = clients.client.__wrapped__("ses")  # not the cached one: this test replaces its responses
    throttled = b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>"
    successful = b"<Response><SetIdentityNotificationTopicResult/></Response>"
    planned = iter([(400, throttled)] * 3)
    statuses = []

    def respond(request: Any, **_: Any) -> AWSResponse:
        status, content = next(planned, (200, successful))
        statuses.append(status)
        return AWSResponse(request.url, status, {}, Body(content))

    client.meta.events.register("before-send", respond)
    identity_settings = IdentitySettings(client, pause=lambda seconds: None)
    identity_settings.change(IDENTITY, UNTOUCHED, NotificationSettings({"Bounce": TOPIC}))
    assert statuses == [400, 400, 400, 200]
