"""Give access to the emulator's AWS account: what exists in it before, during and after deployments."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3

from aftersend.config.environment import Environment
from aftersend.config.loader import load
from local.deployment import bootstrap, cdk, deploy
from local.emulator import REGION
from local.ses import LocalSes
from tests.integration.synthesis import synthesize

ENVIRONMENTS = Path(__file__).parent.parent / "environments"
BY_HAND = "arn:aws:sns:us-east-1:000000000000:by-hand"
DELETED_LATER = "arn:aws:sns:us-east-1:000000000000:deleted-later"
EXISTING_IDENTITIES = ("there.example", "moves.example")

OPTIONS = (
    "TrackingOptions",
    "DeliveryOptions",
    "ReputationOptions",
    "SendingOptions",
    "SuppressionOptions",
    "VdmOptions",
    "ArchivingOptions",
)
"""What `configuration_sets` returns of each set; other fields of SES's answer are names and times."""


class Account:
    """The emulator's AWS account, read and changed through SES's API as an operator would."""

    def __init__(self, ses: LocalSes, emulator_url: str, folder: Path) -> None:
        session = boto3.Session("test", "test", region_name=REGION)
        self.sesv2: Any = session.client("sesv2", endpoint_url=ses.url)
        self.ses: Any = session.client("ses", endpoint_url=ses.url)
        self.emulator_client = ses.emulator_client
        self._url, self._folder = emulator_url, folder
        self.outputs: dict[str, str] = {}

    def prepare(self) -> None:
        """Create what exists before the deployment: identities with settings made by hand, and topics of others."""
        bootstrap(self._url)
        sns = self.emulator_client("sns")
        for name in ("by-hand", "deleted-later", "listener-a", "listener-b"):
            sns.create_topic(Name=name)
        for identity in EXISTING_IDENTITIES:
            self.sesv2.create_email_identity(EmailIdentity=identity)
            self.emulator_client("ses").verify_domain_identity(Domain=identity)
            self.ses.set_identity_notification_topic(Identity=identity, NotificationType="Bounce", SnsTopic=BY_HAND)
            self.ses.set_identity_notification_topic(
                Identity=identity, NotificationType="Delivery", SnsTopic=DELETED_LATER
            )
            self.ses.set_identity_headers_in_notifications_enabled(
                Identity=identity, NotificationType="Bounce", Enabled=True
            )

    def deploy(self, step: str) -> Environment:
        """Deploy the environment of a step and return it."""
        environment = load("change", ENVIRONMENTS / step)
        if not self._assembly(step).exists():
            synthesize(environment, self._assembly(step))
        self.outputs = deploy(self._url, self._folder, self._assembly(step))
        return environment

    def exports(self) -> set[str]:
        """Return the names of all exports."""
        pages = self.emulator_client("cloudformation").get_paginator("list_exports").paginate()
        return {export["Name"] for page in pages for export in page["Exports"]}

    def imported(self) -> set[str]:
        """Return the names of the exports that the stack Publishing imports."""
        template = self.emulator_client("cloudformation").get_template(StackName="Aftersend-change-Publishing")
        return set(re.findall(r'"Fn::ImportValue": "([^"]+)"', json.dumps(template["TemplateBody"])))

    def check_identities(self) -> dict[str, int]:
        """Invoke the scheduled function and return what it reports."""
        [name] = [value for key, value in self.outputs.items() if key.startswith("CheckFunctionName")]
        answer = self.emulator_client("lambda").invoke(FunctionName=name)
        return json.loads(answer["Payload"].read())

    def destroy(self, step: str) -> None:
        cdk("destroy", "--all", "--force", "--app", str(self._assembly(step)), emulator_url=self._url)

    def _assembly(self, step: str) -> Path:
        return self._folder / f"cdk.out.{step}"

    def configuration_sets(self) -> dict[str, Any]:
        """Return the options, event destinations and tags of every configuration set, as SES has them."""
        settings = {}
        for name in self.sesv2.list_configuration_sets()["ConfigurationSets"]:
            answer = self.sesv2.get_configuration_set(ConfigurationSetName=name)
            destinations = self.sesv2.get_configuration_set_event_destinations(ConfigurationSetName=name)
            settings[name] = {key: value for key, value in answer.items() if key in OPTIONS and value}
            settings[name]["ReputationOptions"].pop("LastFreshStart", None)  # when sending was resumed
            settings[name]["destinations"] = {
                destination["Name"]: _destination(destination)
                for destination in destinations.get("EventDestinations", ())
            }
            settings[name]["tags"] = _tags(answer["Tags"])
        return settings

    def identity(self, name: str) -> dict[str, Any] | None:
        """Return the settings and tags of an identity, as SES has them, or None if there is no such identity."""
        with suppress(self.sesv2.exceptions.NotFoundException):
            answer = self.sesv2.get_email_identity(EmailIdentity=name)
            return {
                "configuration set": answer.get("ConfigurationSetName"),
                "mail from": answer["MailFromAttributes"]["MailFromDomain"],
                "on mx failure": answer["MailFromAttributes"]["BehaviorOnMxFailure"],
                "dkim": answer["DkimAttributes"]["SigningEnabled"],
                "tags": _tags(answer["Tags"]),
            }
        return None

    def notifications(self, name: str) -> dict[str, Any]:
        """Return the notification settings of an identity, as SES has them, without those that are off."""
        answer = self.ses.get_identity_notification_attributes(Identities=[name])
        return {key: value for key, value in answer["NotificationAttributes"][name].items() if value}


def _tags(tags: list[dict[str, str]]) -> dict[str, str]:
    """Return the tags that are not CloudFormation's."""
    return {tag["Key"]: tag["Value"] for tag in tags if not tag["Key"].startswith("aws:")}


def _destination(destination: dict[str, Any]) -> dict[str, Any]:
    """Return the target, the event types and the state of an event destination."""
    common = {"types": sorted(destination["MatchingEventTypes"]), "enabled": destination["Enabled"]}
    if "KinesisFirehoseDestination" in destination:
        stream = destination["KinesisFirehoseDestination"]["DeliveryStreamArn"].rpartition("/")[2]
        return common | {"stream": stream}
    names = ("SnsDestination", "CloudWatchDestination", "EventBridgeDestination")
    return common | {name: destination[name] for name in names if name in destination}
