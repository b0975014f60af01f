"""What SES is told to publish: configuration sets with event destinations, identities with notifications."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from constructs import Construct

from aftersend.config.environment import ContactList, Environment, Identity
from stacks.configuration_set import ConfigurationSet
from stacks.identity_check import IdentityCheck
from stacks.identity_notifications import IdentityNotifications
from stacks.pipeline import Pipeline
from stacks.state import State, removal
from stacks.tags import tag


class Publishing(cdk.Stack):
    def __init__(
        self, scope: Construct, id: str, *, environment: Environment, state: State, pipeline: Pipeline, **stack: Any
    ) -> None:
        super().__init__(scope, id, description="Aftersend: what SES publishes", **stack)
        # By reference to its ARN: its policy is complete already and lives with it (stacks/feedback.py).
        topic = sns.Topic.from_topic_arn(self, "Topic", pipeline.feedback.topic.topic_arn)
        sets = {
            name: ConfigurationSet(
                self,
                f"Set-{name}",
                name=name,
                settings=settings,
                topic_arn=topic.topic_arn,
                stream_arn=pipeline.archive.stream.delivery_stream_arn,
            )
            for name, settings in environment.configuration_sets.items()
        }
        IdentityCheck(self, "Check", environment=environment, state=state, alarms=pipeline.alarms)
        notifications = IdentityNotifications(self, "Notifications", environment=environment, topic=topic, state=state)
        for name, identity in environment.identities.items():
            created = None if identity.existing else self._identity(name, identity, sets)
            if created and not environment.is_emulated:  # the emulator's CloudFormation knows no DKIM tokens
                self._output_dns_records(name, identity, created)
            notifications.publish(name, identity, of=created)
        if not environment.is_emulated:  # nor contact lists
            for name, contact_list in environment.contact_lists.items():
                self._contact_list(name, contact_list, environment)
        cdk.CfnOutput(self, "ConfigurationSets", value=", ".join(environment.configuration_sets))

    def _identity(self, name: str, identity: Identity, sets: dict[str, ConfigurationSet]) -> ses.EmailIdentity:
        is_domain = "@" not in name
        key_length = ses.EasyDkimSigningKeyLength[identity.dkim_key_length]
        created = ses.EmailIdentity(
            self,
            f"Identity-{name}",
            identity=ses.Identity.domain(name) if is_domain else ses.Identity.email(name),
            configuration_set=sets[identity.configuration_set].resource if identity.configuration_set else None,
            dkim_signing=identity.dkim_signing,
            dkim_identity=ses.DkimIdentity.easy_dkim(key_length) if is_domain else None,
            mail_from_domain=identity.mail_from_domain,
            mail_from_behavior_on_mx_failure=ses.MailFromBehaviorOnMxFailure[identity.mail_from_on_mx_failure],
        )
        tag(created, identity.resource_tags)
        return created

    def _output_dns_records(self, name: str, identity: Identity, created: ses.EmailIdentity) -> None:
        """The records that prove the domain is ours, and those of its MAIL FROM domain: SES takes each once it is
        published."""
        records = [] if "@" in name else [f"{record.name} CNAME {record.value}" for record in created.dkim_records]
        if identity.mail_from_domain:
            records.append(f"{identity.mail_from_domain} MX 10 feedback-smtp.{self.region}.amazonses.com")
            records.append(f'{identity.mail_from_domain} TXT "v=spf1 include:amazonses.com ~all"')
        if records:  # together: a stack has 200 outputs, and a domain up to five records
            description = f"Publish these in the DNS; SES verifies {name} by them"
            cdk.CfnOutput(self, f"DnsRecords-{name}", value="\n".join(records), description=description)

    def _contact_list(self, name: str, contact_list: ContactList, environment: Environment) -> None:
        created = ses.CfnContactList(
            self,
            f"ContactList-{name}",
            contact_list_name=name,
            description=contact_list.description,
            topics=[
                ses.CfnContactList.TopicProperty(
                    topic_name=topic_name,
                    display_name=topic.display_name,
                    description=topic.description,
                    default_subscription_status=topic.default_subscription,
                )
                for topic_name, topic in contact_list.topics.items()
            ],
        )
        created.apply_removal_policy(removal(environment))  # it holds what people have subscribed to
        tag(created, contact_list.resource_tags)
