"""Create a configuration set with its event destinations: those of Aftersend and those of the environment."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses
from constructs import Construct

from aftersend.config import SEND_METRIC, ConfigurationSet, Dimension, EventDestination
from stacks.names import construct_id
from stacks.sequence import Sequence
from stacks.tags import tag

CfnDestination = ses.CfnConfigurationSetEventDestination


class PublishingConfigurationSet(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        settings: ConfigurationSet,
        topic_arn: str,
        stream_arn: str,
        counts_sends: bool,
        sequence: Sequence,
    ) -> None:
        super().__init__(scope, id)
        self._sequence = sequence
        self.resource = ses.CfnConfigurationSet(self, "Resource", name=name, **_options(settings))
        sequence.add(self.resource)
        tag(self.resource, settings.resource_tags)
        self._name = name
        self._publish("feedback", EventDestination(events=settings.feedback, sns_topic_arn=topic_arn))
        self._publish("archive", EventDestination(events=settings.archive, firehose_stream_arn=stream_arn))
        self._publish("sends", SEND_METRIC if counts_sends else EventDestination(events=()))
        for destination_name, destination in settings.event_destinations.items():
            self._publish(destination_name, destination)

    def _publish(self, name: str, destination: EventDestination) -> None:
        """Add an event destination, unless no event is to be published to it."""
        if not destination.events:
            return
        resource = CfnDestination(
            self,
            construct_id("Destination", name),
            configuration_set_name=self.resource.ref,
            event_destination=CfnDestination.EventDestinationProperty(
                name=name,
                enabled=destination.enabled,
                matching_event_types=[_event_type(kind) for kind in destination.events],
                **self._target(name, destination),
            ),
        )
        self._sequence.add(resource)

    def _target(self, name: str, destination: EventDestination) -> dict[str, Any]:
        if destination.sns_topic_arn:
            return {"sns_destination": CfnDestination.SnsDestinationProperty(topic_arn=destination.sns_topic_arn)}
        if destination.firehose_stream_arn:
            stream = CfnDestination.KinesisFirehoseDestinationProperty(
                delivery_stream_arn=destination.firehose_stream_arn,
                iam_role_arn=self._role(construct_id("Role", name), destination.firehose_stream_arn).role_arn,
            )
            return {"kinesis_firehose_destination": stream}
        if destination.event_bridge:
            bus = cdk.Stack.of(self).format_arn(service="events", resource="event-bus/default")
            return {"event_bridge_destination": CfnDestination.EventBridgeDestinationProperty(event_bus_arn=bus)}
        dimensions = [_dimension(dimension) for dimension in destination.cloudwatch_dimensions]
        metrics = CfnDestination.CloudWatchDestinationProperty(dimension_configurations=dimensions)
        return {"cloud_watch_destination": metrics}

    def _role(self, id: str, stream_arn: str) -> iam.Role:
        """Create the role that SES writes to a stream with, for this configuration set alone."""
        stack = cdk.Stack.of(self)
        source = stack.format_arn(service="ses", resource=f"configuration-set/{self._name}")
        conditions = {"StringEquals": {"AWS:SourceAccount": stack.account, "AWS:SourceArn": source}}
        statement = iam.PolicyStatement(actions=["firehose:PutRecordBatch"], resources=[stream_arn])
        role = iam.Role(
            self,
            id,
            description=f"Amazon SES writes events of the configuration set {self._name} to a stream",
            assumed_by=iam.ServicePrincipal("ses.amazonaws.com", conditions=conditions),  # ty: ignore[invalid-argument-type] (jsii)
            inline_policies={"WriteToStream": iam.PolicyDocument(statements=[statement])},
        )
        # IAM is eventually consistent, and SES tries the role at once: the set is created in between.
        self.resource.node.add_dependency(role)
        return role


def _options(settings: ConfigurationSet) -> dict[str, Any]:
    """Return the options that the environment sets. SES keeps its own for all others."""
    options = {
        "reputation_options": {"reputationMetricsEnabled": settings.reputation_metrics},
        "delivery_options": _given(
            tlsPolicy=settings.tls_policy,
            sendingPoolName=settings.dedicated_pool,
            maxDeliverySeconds=settings.max_delivery_seconds,
        ),
        "tracking_options": _given(customRedirectDomain=settings.redirect_domain, httpsPolicy=settings.https_policy),
        # Never true: a deployment must not resume sending that was paused.
        "sending_options": _given(sendingEnabled=None if settings.sending_enabled else False),
        "suppression_options": _given(
            suppressedReasons=None if settings.suppressed_reasons is None else [*settings.suppressed_reasons],
            validationOptions=_validation(settings.auto_validation_threshold),
        ),
        "vdm_options": _given(
            dashboardOptions=_switch("engagementMetrics", settings.engagement_metrics),
            guardianOptions=_switch("optimizedSharedDelivery", settings.optimized_shared_delivery),
        ),
        "archiving_options": _given(archiveArn=settings.mail_archive_arn),
    }
    return {name: option for name, option in options.items() if option}


def _given(**options: object) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}


def _switch(name: str, enabled: bool | None) -> dict[str, str] | None:
    return None if enabled is None else {name: "ENABLED" if enabled else "DISABLED"}


def _validation(threshold: str | None) -> dict[str, object] | None:
    if threshold is None:
        return None
    if threshold == "DISABLED":
        return {"conditionThreshold": {"conditionThresholdEnabled": "DISABLED"}}
    confidence = {"confidenceVerdictThreshold": threshold}
    return {"conditionThreshold": {"conditionThresholdEnabled": "ENABLED", "overallConfidenceThreshold": confidence}}


def _dimension(dimension: Dimension) -> CfnDestination.DimensionConfigurationProperty:
    return CfnDestination.DimensionConfigurationProperty(
        dimension_name=dimension.name,
        dimension_value_source=dimension.source,
        default_dimension_value=dimension.default,
    )


def _event_type(kind: str) -> str:
    """Return CloudFormation's name of an event type: "Rendering Failure" is "renderingFailure"."""
    name = kind.replace(" ", "")
    return name[0].lower() + name[1:]
