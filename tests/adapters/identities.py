"""Fake the settings that SES and the deployment hold of an identity, and run the custom resources over them."""

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from aftersend.aws.deployed_settings import Conflict, DeployedNotifications, DeployedSettings
from aftersend.aws.identity_settings import IdentitySettings
from aftersend.contract import CustomResource, NotificationSettings, Property
from lambdas import set_identity_notifications
from tests.world.calls import Killed

TOPIC, BY_HAND = "arn:aws:sns:eu-west-1:222222222222:feedback", "arn:aws:sns:eu-west-1:222222222222:by-hand"
IDENTITY = "bookshop.example"
REFUSED = "arn:aws:sns:eu-west-1:222222222222:deleted"
REQUEST_NUMBERS = itertools.count(1)
UNTOUCHED = NotificationSettings()
WANTED = NotificationSettings(topics={"Bounce": TOPIC, "Complaint": TOPIC}, headers=("Bounce",), forwarding=False)
SET_BY_HAND = NotificationSettings(topics={"Bounce": BY_HAND, "Delivery": BY_HAND}, headers=("Delivery",))


class FakeSes:
    """Hold identities' settings and reject what SES rejects. Can kill the function at a certain call."""

    def __init__(self, *verified: str, **settings: NotificationSettings) -> None:
        self.verified = set(verified or [IDENTITY])
        self.settings = {IDENTITY: settings.get("before", UNTOUCHED)}
        self.refusals = {REFUSED: ("InvalidParameterValue", 400)}
        """Topics that cannot be set, and the error's code and HTTP status."""
        self.failed_dkim: set[str] = set()
        self.failed_mail_from: set[str] = set()
        self.calls = 0
        self.kill: tuple[int, bool] | None = None

    def get_identity_verification_attributes(self, Identities: list[str]) -> dict[str, Any]:  # noqa: N803 (SES's name)
        self.kill_if_due(after=False)
        statuses = {name: "Success" if name in self.verified else "Pending" for name in Identities}
        self.kill_if_due(after=True)
        return {"VerificationAttributes": {name: {"VerificationStatus": status} for name, status in statuses.items()}}

    def get_identity_notification_attributes(self, Identities: list[str]) -> dict[str, Any]:  # noqa: N803 (SES's name)
        self.kill_if_due(after=False)
        attributes = {name: self._attributes(self.settings.get(name, UNTOUCHED)) for name in Identities}
        self.kill_if_due(after=True)
        return {"NotificationAttributes": attributes}

    def get_identity_dkim_attributes(self, Identities: list[str]) -> dict[str, Any]:  # noqa: N803 (SES's name)
        """SES returns nothing for addresses, whose domains sign."""
        names = [name for name in Identities if "@" not in name]
        statuses = {name: "TemporaryFailure" if name in self.failed_dkim else "Success" for name in names}
        return {"DkimAttributes": {name: {"DkimVerificationStatus": status} for name, status in statuses.items()}}

    def get_identity_mail_from_domain_attributes(self, Identities: list[str]) -> dict[str, Any]:  # noqa: N803
        """SES names no status where no MAIL FROM domain is set."""
        failed = {name: {"MailFromDomainStatus": "Failed"} for name in Identities if name in self.failed_mail_from}
        return {"MailFromDomainAttributes": {name: {} for name in Identities} | failed}

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

    def _set(self, call: dict[str, Any], **changes: Any) -> None:
        if call.get("SnsTopic") in self.refusals:
            code, status = self.refusals[call["SnsTopic"]]
            metadata = {"HTTPStatusCode": status}
            raise ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "SetIdentityNotificationTopic")
        if call["Identity"] not in self.verified:
            raise ValueError("The identity is not verified.")
        self.kill_if_due(after=False)
        self.settings[call["Identity"]] = msgspec.structs.replace(self.settings[call["Identity"]], **changes)
        self.kill_if_due(after=True)

    def kill_if_due(self, *, after: bool) -> None:
        if self.kill == (self.calls, after):
            self.kill = None
            raise Killed
        self.calls += after

    def _attributes(self, settings: NotificationSettings) -> dict[str, Any]:
        topics = {f"{kind}Topic": topic for kind, topic in settings.topics.items()}
        headers = {f"HeadersIn{kind}NotificationsEnabled": True for kind in settings.headers}
        return topics | headers | {"ForwardingEnabled": settings.forwarding}


class FakeDeployedSettings(DeployedSettings):
    """Hold deployed settings in a dictionary. Its calls are counted together with those of SES."""

    def __init__(self, ses: FakeSes) -> None:
        self.stored: dict[str, DeployedNotifications] = {}
        self._ses = ses
        self._versions = itertools.count()

    def all(self) -> Iterator[DeployedNotifications]:
        yield from [deployed for deployed in self.stored.values() if not deployed.is_deleted]

    def get(self, identity: str) -> DeployedNotifications | None:
        self._ses.kill_if_due(after=False)
        deployed = self.stored.get(identity)
        self._ses.kill_if_due(after=True)
        return deployed

    def put(self, deployed: DeployedNotifications) -> DeployedNotifications:
        self._ses.kill_if_due(after=False)
        current = self.stored.get(deployed.identity)
        if deployed.etag != (current.etag if current else None):
            raise Conflict(deployed.identity)
        self.stored[deployed.identity] = msgspec.structs.replace(deployed, etag=f"etag-{next(self._versions)}")
        self._ses.kill_if_due(after=True)
        return self.stored[deployed.identity]


def new_request(
    request_type: str,
    *,
    wanted: NotificationSettings = WANTED,
    previous: NotificationSettings = UNTOUCHED,
    request_id: str = "",
    resource: str = "Notifications",
) -> dict[str, Any]:
    """Return a request of CloudFormation for IDENTITY_NOTIFICATIONS, with an ID of its own unless one is given."""
    return {
        "RequestType": request_type,
        "ResourceType": CustomResource.IDENTITY_NOTIFICATIONS,
        "StackId": "arn:aws:cloudformation:eu-west-1:222222222222:stack/Publishing/1",
        "RequestId": request_id or f"request-{next(REQUEST_NUMBERS)}",
        "LogicalResourceId": resource,
        "ResponseURL": "https://cloudformation.example/response",
        "ResourceProperties": {
            Property.IDENTITY: IDENTITY,
            Property.WANTED: as_json(wanted),
            Property.PREVIOUS: as_json(previous),
        },
    }


def run(
    ses: FakeSes, request_type: str, *, deployed_settings: FakeDeployedSettings | None = None, **values: Any
) -> list[float]:
    """Handle a new request for IDENTITY_NOTIFICATIONS; return the pauses between calls of SES."""
    return handle(ses, new_request(request_type, **values), deployed_settings)


def run_previous(
    ses: FakeSes, request_type: str, *, deployed_settings: FakeDeployedSettings | None = None
) -> list[float]:
    """Handle CloudFormation's request for PREVIOUS_IDENTITY_NOTIFICATIONS."""
    request = new_request(request_type) | {"ResourceType": CustomResource.PREVIOUS_IDENTITY_NOTIFICATIONS}
    return handle(ses, request, deployed_settings)


def handle(ses: FakeSes, request: dict[str, Any], deployed_settings: FakeDeployedSettings | None = None) -> list[float]:
    pauses: list[float] = []
    set_identity_notifications.handler(
        request,
        identity_settings=IdentitySettings(ses, pause=pauses.append),
        deployed_settings=deployed_settings or FakeDeployedSettings(ses),
    )
    return pauses


def as_json(settings: NotificationSettings) -> str:
    return msgspec.json.encode(settings).decode()
