"""What SES is told to publish: configuration sets with event destinations, identities with notifications."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from constructs import Construct

from aftersend.environment import Environment
from stacks.identity_notifications import IdentityNotifications
from stacks.pipeline import Pipeline


class Publishing(cdk.Stack):
    def __init__(
        self, scope: Construct, id: str, *, environment: Environment, pipeline: Pipeline, **stack: Any
    ) -> None:
        super().__init__(scope, id, description="Aftersend: what SES publishes", **stack)
        # By reference to its ARN: its policy is complete already and lives with it (stacks/feedback.py).
        topic = sns.Topic.from_topic_arn(self, "Topic", pipeline.feedback.topic.topic_arn)
        destinations = {
            "feedback": ses.EventDestination.sns_topic(topic),
            "archive": ses.EventDestination.firehose_delivery_stream(delivery_stream=pipeline.archive.stream),
        }
        sets = {}
        for name, configuration_set in environment.configuration_sets.items():
            sets[name] = ses.ConfigurationSet(self, f"Set-{name}", configuration_set_name=name)
            for destination, kinds in (
                ("feedback", configuration_set.feedback),
                ("archive", configuration_set.archive),
            ):
                sets[name].add_event_destination(
                    destination,
                    destination=destinations[destination],
                    configuration_set_event_destination_name=destination,
                    events=[ses.EmailSendingEvent[kind.name] for kind in kinds],
                )
        notifications = IdentityNotifications(self, "Notifications", environment=environment, topic=topic)
        for name, identity in environment.identities.items():
            created = ses.EmailIdentity(
                self,
                f"Identity-{name}",
                identity=ses.Identity.email(name) if "@" in name else ses.Identity.domain(name),
                configuration_set=sets[identity.configuration_set],
            )
            notifications.publish(name, identity, of=created)
            if "@" not in name and not environment.is_emulated:  # the emulator's CloudFormation knows no DKIM tokens
                self._output_dns_records(name, created)

    def _output_dns_records(self, domain: str, identity: ses.EmailIdentity) -> None:
        """The records that prove the domain is ours: SES verifies it once they are published."""
        for number, record in enumerate(identity.dkim_records, 1):
            cdk.CfnOutput(
                self,
                f"DnsRecord-{domain}-{number}",
                value=f"{record.name} CNAME {record.value}",
                description=f"Publish this in the DNS of {domain}; SES verifies the domain by it",
            )
