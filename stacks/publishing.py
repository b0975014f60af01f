"""Make SES publish: configuration sets, and identities with notifications."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from constructs import Construct

from aftersend.config import Environment, Identity
from stacks.canary import CanarySender
from stacks.configuration_set import PublishingConfigurationSet
from stacks.identity_check import IdentityCheck
from stacks.identity_notifications import IdentityNotifications
from stacks.names import construct_id
from stacks.outputs import add_outputs
from stacks.pipeline import Pipeline
from stacks.sending_identity import SendingIdentity
from stacks.sequence import Sequence
from stacks.state import State


class Publishing(cdk.Stack):
    def __init__(
        self, scope: Construct, id: str, *, environment: Environment, state: State, pipeline: Pipeline, **stack: Any
    ) -> None:
        super().__init__(scope, id, description="Aftersend: what SES publishes", **stack)
        # Imported by ARN: the topic's policy is complete and belongs to the pipeline (stacks/feedback_route.py).
        topic = sns.Topic.from_topic_arn(self, "Topic", pipeline.feedback.topic.topic_arn)
        self._sequence = Sequence()
        self._sets = {
            name: PublishingConfigurationSet(
                self,
                construct_id("Set", name),
                name=name,
                settings=settings,
                topic_arn=topic.topic_arn,
                stream_arn=pipeline.archive.stream.delivery_stream_arn,
                counts_sends=name in environment.compared_sets,
                sequence=self._sequence,
            )
            for name, settings in environment.configuration_sets.items()
        }
        IdentityCheck(self, "Check", environment=environment, state=state, alarms=pipeline.alarms)
        notifications = IdentityNotifications(
            self, "Notifications", environment=environment, topic=topic, state=state, sequence=self._sequence
        )
        # Domains first: SES takes their addresses as verified, and signs their mail with the domain's keys.
        for name, identity in sorted(environment.identities.items(), key=lambda item: "@" in item[0]):
            if not identity.existing:
                self._create_identity(name, identity, environment)
            notifications.publish(name, identity)
        CanarySender(self, "Canary", environment=environment, state=state, alarms=pipeline.alarms)
        add_outputs(self, ConfigurationSets=", ".join(environment.configuration_sets))

    def _create_identity(self, name: str, settings: Identity, environment: Environment) -> None:
        """Create an identity and output its DNS records: together, because a stack has at most 200 outputs."""
        configuration_set = self._sets[settings.configuration_set].resource if settings.configuration_set else None
        identity = SendingIdentity(
            self,
            construct_id("Identity", name),
            name=name,
            settings=settings,
            configuration_set=configuration_set,
            sequence=self._sequence,
        )
        if identity.dns_records and not environment.is_emulated:  # its CloudFormation has no DKIM tokens
            records = "\n".join(identity.dns_records)
            description = f"Publish these records in the DNS: SES verifies {name} by them"
            cdk.CfnOutput(self, construct_id("DnsRecords", name), value=records, description=description)
