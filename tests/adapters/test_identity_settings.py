from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from aftersend.aws import clients
from aftersend.aws.deployed_settings import DeployedNotifications, DeployedSettings
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
    domain = DeployedNotifications(IDENTITY, WANTED, is_set=True)
    address = DeployedNotifications("news@bookshop.example", UNTOUCHED)
    deployed_settings.put(domain)
    deployed_settings.put(address)
    assert sorted(deployed_settings.all(), key=lambda deployed: deployed.identity) == [domain, address]
    assert deployed_settings.get(IDENTITY) == domain
    deployed_settings.delete(IDENTITY)
    deployed_settings.delete(IDENTITY)
    assert deployed_settings.get(IDENTITY) is None


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
