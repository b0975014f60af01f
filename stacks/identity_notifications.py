"""The notification settings of identities, which CloudFormation cannot set: custom resources over SES's API."""

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from constructs import Construct, IDependable

from aftersend.config.environment import Environment, Identity
from aftersend.contract import IDENTITIES_PREFIX
from stacks.function import Function
from stacks.identity_check import grant_identity_notifications, identity_function_settings
from stacks.state import State

TIMEOUT = cdk.Duration.minutes(5)


class IdentityNotifications(Construct):
    """The function, and two resources for each identity: what was set before, and what is wanted.

    The identities form a chain, one after another: SES takes one call a second, of all of them together.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment, topic: sns.ITopic, state: State) -> None:
        super().__init__(scope, id)
        self._topic = topic
        self._before: IDependable | None = None
        self._set = Function(
            self,
            "SetIdentityNotifications",
            file="set_identity_notifications",
            description="Sets the notification settings of an identity while a stack is deployed",
            environment=environment,
            timeout=TIMEOUT,
            memory_mebibytes=256,
            settings=identity_function_settings(environment, state),
        )
        grant_identity_notifications(self._set)
        state.archive.grant_objects(self._set, "s3:PutObject", "s3:DeleteObject", below=IDENTITIES_PREFIX)

    def publish(self, name: str, identity: Identity, *, of: Construct | None) -> None:
        """Have SES publish what is wanted of an identity, once the construct that creates it, if one does, is there."""
        previous = self._resource(f"{name}-previous", "Custom::PreviousIdentityNotifications", Identity=name)
        previous.node.add_dependency(*(before for before in (of, self._before) if before))
        self._before = self._resource(
            name,
            "Custom::IdentityNotifications",
            Identity=name,
            Wanted=cdk.Stack.of(self).to_json_string(self._wanted(identity)),
            Previous=previous.get_att_string("Settings"),
        )

    def _resource(self, id: str, resource_type: str, **properties: str) -> cdk.CustomResource:
        return cdk.CustomResource(
            self,
            id,
            resource_type=resource_type,
            service_token=self._set.function_arn,
            service_timeout=TIMEOUT,
            properties=properties,
        )

    def _wanted(self, identity: Identity) -> dict[str, object]:
        """The settings as aftersend.aws.identity_settings.NotificationSettings reads them."""
        return {
            "topics": dict.fromkeys(identity.notifications, self._topic.topic_arn),
            "headers": list(identity.headers_in_notifications),
            "forwarding": identity.feedback_forwarding,
        }
