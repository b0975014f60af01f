"""An environment is deployed, changed in every key there is, changed back, and removed; each time SES has what it says.

What the emulator cannot tell (DKIM key lengths, contact lists) is held by the stack tests, and listed in
docs/environments.md.
"""

import json
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from aftersend.config.environment import ConfigurationSet, Environment, EventDestination, Identity
from aftersend.config.loader import load
from local.emulator import REGION, bootstrap, cdk, deploy
from local.pipeline import local_aws
from local.ses.simulator import LocalSes

ENVIRONMENTS = Path(__file__).parent.parent / "environments"
BY_HAND = "arn:aws:sns:us-east-1:000000000000:by-hand"
ALREADY_THERE = ("there.example", "moves.example")
FEEDBACK, ARCHIVE = "feedback", "archive"


class Account:
    """The account of the emulator, as an operator sees it through SES's API."""

    def __init__(self, ses: LocalSes, ses_url: str, emulator_url: str, folder: Path) -> None:
        session = boto3.Session("test", "test", region_name=REGION)
        self.sesv2: Any = session.client("sesv2", endpoint_url=ses_url)
        self.ses: Any = session.client("ses", endpoint_url=ses_url)
        self.emulated = ses.emulated
        self._url, self._folder = emulator_url, folder
        self.outputs: dict[str, str] = {}

    def prepare(self) -> None:
        """What is there before us: identities with settings made by hand, and others' topics and streams."""
        bootstrap(self._url)
        sns = self.emulated("sns")
        for name in ("by-hand", "listener-a", "listener-b"):
            sns.create_topic(Name=name)
        for identity in ALREADY_THERE:
            self.sesv2.create_email_identity(EmailIdentity=identity)
            self.emulated("ses").verify_domain_identity(Domain=identity)
            self.ses.set_identity_notification_topic(Identity=identity, NotificationType="Bounce", SnsTopic=BY_HAND)
            self.ses.set_identity_headers_in_notifications_enabled(
                Identity=identity, NotificationType="Bounce", Enabled=True
            )

    def deploy(self, step: str) -> Environment:
        folder = ENVIRONMENTS / step
        self.outputs = deploy(self._url, self._folder, "env=change", f"environments={folder}")
        return load("change", folder)

    def check_identities(self) -> dict[str, int]:
        """What the scheduled function reports."""
        [name] = [value for key, value in self.outputs.items() if key.startswith("CheckFunctionName")]
        answer = self.emulated("lambda").invoke(FunctionName=name)
        return json.loads(answer["Payload"].read())

    def destroy(self, step: str) -> None:
        context = ["--context", "env=change", "--context", f"environments={ENVIRONMENTS / step}"]
        cdk("destroy", "--all", "--force", *context, "--output", str(self._folder / "cdk.out"), endpoint=self._url)

    def sets(self) -> dict[str, Any]:
        """Every configuration set, as SES has it."""
        found = {}
        for name in self.sesv2.list_configuration_sets()["ConfigurationSets"]:
            answer = self.sesv2.get_configuration_set(ConfigurationSetName=name)
            destinations = self.sesv2.get_configuration_set_event_destinations(ConfigurationSetName=name)
            found[name] = {key: value for key, value in answer.items() if key in OPTIONS and value}
            found[name]["ReputationOptions"].pop("LastFreshStart", None)  # when sending was resumed
            found[name]["destinations"] = {
                each["Name"]: _target(each) | {"types": sorted(each["MatchingEventTypes"]), "enabled": each["Enabled"]}
                for each in destinations["EventDestinations"]
            }
            found[name]["tags"] = _tags(answer["Tags"])
        return found

    def identity(self, name: str) -> dict[str, Any] | None:
        with suppress(self.sesv2.exceptions.NotFoundException):
            found = self.sesv2.get_email_identity(EmailIdentity=name)
            return {
                "set": found.get("ConfigurationSetName"),
                "mail from": found["MailFromAttributes"]["MailFromDomain"],
                "on mx failure": found["MailFromAttributes"]["BehaviorOnMxFailure"],
                "dkim": found["DkimAttributes"]["SigningEnabled"],
                "tags": _tags(found["Tags"]),
            }
        return None

    def notifications(self, name: str) -> dict[str, Any]:
        answer = self.ses.get_identity_notification_attributes(Identities=[name])
        return {key: value for key, value in answer["NotificationAttributes"][name].items() if value}


OPTIONS = (
    "TrackingOptions",
    "DeliveryOptions",
    "ReputationOptions",
    "SendingOptions",
    "SuppressionOptions",
    "VdmOptions",
    "ArchivingOptions",
)


def _tags(found: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found if not tag["Key"].startswith("aws:")}


def _target(found: dict[str, Any]) -> dict[str, Any]:
    if "KinesisFirehoseDestination" in found:
        return {"stream": found["KinesisFirehoseDestination"]["DeliveryStreamArn"].rpartition("/")[2]}
    names = ("SnsDestination", "CloudWatchDestination", "EventBridgeDestination")
    return {name: found[name] for name in names if name in found}


def wanted_of_set(found: ConfigurationSet, environment: Environment, account: Account) -> dict[str, Any]:
    """What SES must say of a configuration set."""

    def options(**given: Any) -> dict[str, Any]:
        return {name: value for name, value in given.items() if value is not None}

    def switch(name: str, on: bool | None) -> dict[str, str] | None:
        return None if on is None else {name: "ENABLED" if on else "DISABLED"}

    wanted = {
        "TrackingOptions": options(CustomRedirectDomain=found.redirect_domain, HttpsPolicy=found.https_policy),
        "DeliveryOptions": options(
            TlsPolicy=found.tls_policy,
            SendingPoolName=found.dedicated_pool,
            MaxDeliverySeconds=found.max_delivery_seconds,
        ),
        "ReputationOptions": {"ReputationMetricsEnabled": found.reputation_metrics},
        "SendingOptions": {"SendingEnabled": found.sending_enabled},
        "SuppressionOptions": options(
            SuppressedReasons=None if found.suppressed_reasons is None else [*found.suppressed_reasons]
        ),
        "VdmOptions": options(
            DashboardOptions=switch("EngagementMetrics", found.engagement_metrics),
            GuardianOptions=switch("OptimizedSharedDelivery", found.optimized_shared_delivery),
        ),
        "ArchivingOptions": options(ArchiveArn=found.mail_archive_arn),
    }
    destinations = {
        FEEDBACK: {"SnsDestination": {"TopicArn": account.outputs["FeedbackTopicArn"]}, **_events(found.feedback)},
        ARCHIVE: {"stream": None, **_events(found.archive)},
    }
    for name, other in found.event_destinations.items():
        destinations[name] = _wanted_target(other) | _events(other.events, enabled=other.enabled)
    return {name: value for name, value in wanted.items() if value} | {
        "destinations": destinations,
        "tags": {"aftersend:environment": "change", **environment.resource_tags, **found.resource_tags},
    }


def _events(kinds: tuple[str, ...], *, enabled: bool = True) -> dict[str, Any]:
    names = {"Rendering Failure": "RENDERING_FAILURE", "DeliveryDelay": "DELIVERY_DELAY"}
    return {"types": sorted(names.get(kind, kind.upper()) for kind in kinds), "enabled": enabled}


def _wanted_target(found: EventDestination) -> dict[str, Any]:
    sources = {"messageTag": "MESSAGE_TAG", "emailHeader": "EMAIL_HEADER", "linkTag": "LINK_TAG"}
    if found.sns_topic_arn:
        return {"SnsDestination": {"TopicArn": found.sns_topic_arn}}
    if found.firehose_stream_arn:
        return {"stream": found.firehose_stream_arn.rpartition("/")[2]}
    if found.event_bridge:
        return {"EventBridgeDestination": {"EventBusArn": "arn:aws:events:us-east-1:000000000000:event-bus/default"}}
    dimensions = [
        {
            "DimensionName": each.name,
            "DimensionValueSource": sources[each.source],
            "DefaultDimensionValue": each.default,
        }
        for each in found.cloudwatch_dimensions
    ]
    return {"CloudWatchDestination": {"DimensionConfigurations": dimensions}}


def wanted_of_identity(found: Identity, environment: Environment) -> dict[str, Any]:
    return {
        "set": found.configuration_set,
        "mail from": found.mail_from_domain or "",
        "on mx failure": found.mail_from_on_mx_failure,
        "dkim": found.dkim_signing,
        "tags": {"aftersend:environment": "change", **environment.resource_tags, **found.resource_tags},
    }


def wanted_notifications(found: Identity, topic: str) -> dict[str, Any]:
    wanted: dict[str, Any] = {f"{kind}Topic": topic for kind in found.notifications}
    wanted |= {f"HeadersIn{kind}NotificationsEnabled": True for kind in found.headers_in_notifications}
    return wanted | ({"ForwardingEnabled": True} if found.feedback_forwarding else {})


SET_BY_HAND = {"BounceTopic": BY_HAND, "HeadersInBounceNotificationsEnabled": True, "ForwardingEnabled": True}


@pytest.fixture
def account(tmp_path: Path) -> Generator[Account]:
    with local_aws(tmp_path) as (ses, ses_url, emulator_url):
        found = Account(ses, ses_url, emulator_url, tmp_path)
        found.prepare()
        yield found


def is_as_it_says(environment: Environment, account: Account) -> None:
    sets = account.sets()
    for found in sets.values():
        found["destinations"][ARCHIVE]["stream"] = None  # its name is CloudFormation's
    assert sets.keys() == environment.configuration_sets.keys()
    for name, settings in environment.configuration_sets.items():
        assert sets[name] == wanted_of_set(settings, environment, account), name
    for name, identity in environment.identities.items():
        if not identity.existing:
            assert account.identity(name) == wanted_of_identity(identity, environment), name
        assert account.notifications(name) == wanted_notifications(identity, account.outputs["FeedbackTopicArn"]), name


def drift_is_put_back(environment: Environment, account: Account) -> None:
    """SES drops a topic as it does when it cannot publish; the scheduled function finds out."""
    account.ses.set_identity_notification_topic(Identity="kept.example", NotificationType="Bounce")
    assert account.check_identities() == {
        "identities_waiting": 0,
        "identities_set": 0,
        "identities_drifted": 1,
        "identities_failed": 0,
    }
    is_as_it_says(environment, account)


def test_an_environment_is_deployed_changed_in_everything_changed_back_and_removed(account: Account):
    for step, gone in (("a", ()), ("b", ("only-a.example",)), ("a", ("only-b.example",))):
        environment = account.deploy(step)
        is_as_it_says(environment, account)
        for name in gone:
            assert account.identity(name) is None
        if environment.on_identity_drift == "restore":
            drift_is_put_back(environment, account)
    account.destroy("a")
    assert account.sets() == {}
    assert account.identity("kept.example") is None
    assert account.notifications("there.example") == SET_BY_HAND
    with pytest.raises(ClientError):
        account.emulated("cloudformation").describe_stacks(StackName="Aftersend-change-State")
