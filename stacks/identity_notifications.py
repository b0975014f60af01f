"""Set the notification settings of identities by custom resources: CloudFormation itself cannot."""

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from constructs import Construct

from aftersend.config import Environment, Identity
from aftersend.contract import CustomResource, NotificationSettings
from stacks.function import to_json
from stacks.identity_function import IdentityFunction
from stacks.names import construct_id
from stacks.sequence import Sequence
from stacks.state import State

MAX_EVENT_AGE = cdk.Duration.minutes(10)
"""How long Lambda may take to start or to retry a request of CloudFormation, with its usual two retries."""


class IdentityNotifications(Construct):
    """The function, and two custom resources per identity: one reads what is set, the other sets what is wanted."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        topic: sns.ITopic,
        state: State,
        sequence: Sequence,
    ) -> None:
        super().__init__(scope, id)
        self._topic = topic
        self._sequence = sequence
        self._setter = IdentityFunction(
            self,
            "SetIdentityNotifications",
            file="set_identity_notifications",
            description="Sets the notification settings of identities during a deployment",
            environment=environment,
            state=state,
        )
        # CloudFormation waits until the last retry has ended: nothing may still change when it goes on.
        self._service_timeout = MAX_EVENT_AGE.plus(self._setter.timeout).plus(cdk.Duration.minutes(5))
        self._setter.function.configure_async_invoke(max_event_age=MAX_EVENT_AGE)

    def publish(self, name: str, identity: Identity) -> None:
        """Make SES publish notifications about an identity. If this stack creates the identity, it does so first."""
        previous_type = CustomResource.PREVIOUS_IDENTITY_NOTIFICATIONS
        previous = self._resource(construct_id("Previous", name), previous_type, Identity=name)
        self._resource(
            construct_id("Identity", name),
            CustomResource.IDENTITY_NOTIFICATIONS,
            Identity=name,
            Wanted=to_json(self._settings(identity)),
            Previous=previous.get_att_string("Settings"),
        )

    def _resource(self, id: str, resource_type: CustomResource, **properties: str) -> cdk.CustomResource:
        resource = cdk.CustomResource(
            self,
            id,
            resource_type=resource_type.value,
            service_token=self._setter.function.function_arn,
            service_timeout=self._service_timeout,
            properties=properties,
        )
        resource.node.add_dependency(self._setter)
        self._sequence.add(resource)
        return resource

    def _settings(self, identity: Identity) -> NotificationSettings:
        return NotificationSettings(
            topics=dict.fromkeys(identity.notifications, self._topic.topic_arn),
            headers=identity.headers_in_notifications,
            forwarding=identity.feedback_forwarding,
        )
