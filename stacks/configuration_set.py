"""A configuration set with its event destinations: Aftersend's two, and what else the environment asks for."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses
from constructs import Construct

from aftersend.config import environment
from aftersend.config.environment import EventDestination
from stacks.tags import tag

Destination = ses.CfnConfigurationSetEventDestination
Set = ses.CfnConfigurationSet


class ConfigurationSet(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        settings: environment.ConfigurationSet,
        topic_arn: str,
        stream_arn: str,
    ) -> None:
        super().__init__(scope, id)
        self.resource = Set(self, "Resource", name=name, **_options(settings))
        tag(self.resource, settings.resource_tags)
        self._name = name
        self._add("feedback", EventDestination(events=settings.feedback, sns_topic_arn=topic_arn))
        self._add("archive", EventDestination(events=settings.archive, firehose_stream_arn=stream_arn))
        for other, destination in settings.event_destinations.items():
            self._add(other, destination)

    def _add(self, name: str, settings: EventDestination) -> None:
        """A destination for no event at all is none."""
        if not settings.events:
            return
        Destination(
            self,
            name,
            configuration_set_name=self.resource.ref,
            event_destination=Destination.EventDestinationProperty(
                name=name,
                enabled=settings.enabled,
                matching_event_types=[_in_cloudformation(kind) for kind in settings.events],
                **self._target(name, settings),
            ),
        )

    def _target(self, name: str, settings: EventDestination) -> dict[str, Any]:
        if settings.sns_topic_arn:
            return {"sns_destination": Destination.SnsDestinationProperty(topic_arn=settings.sns_topic_arn)}
        if settings.firehose_stream_arn:
            stream = Destination.KinesisFirehoseDestinationProperty(
                delivery_stream_arn=settings.firehose_stream_arn,
                iam_role_arn=self._role(f"{name}-role", settings.firehose_stream_arn).role_arn,
            )
            return {"kinesis_firehose_destination": stream}
        if settings.event_bridge:
            bus = cdk.Stack.of(self).format_arn(service="events", resource="event-bus/default")
            return {"event_bridge_destination": Destination.EventBridgeDestinationProperty(event_bus_arn=bus)}
        dimensions = [
            Destination.DimensionConfigurationProperty(
                dimension_name=dimension.name,
                dimension_value_source=dimension.source,
                default_dimension_value=dimension.default,
            )
            for dimension in settings.cloudwatch_dimensions
        ]
        metrics = Destination.CloudWatchDestinationProperty(dimension_configurations=dimensions)
        return {"cloud_watch_destination": metrics}

    def _role(self, id: str, stream_arn: str) -> iam.Role:
        """What SES writes to a stream with, for this configuration set alone."""
        stack = cdk.Stack.of(self)
        source = stack.format_arn(service="ses", resource=f"configuration-set/{self._name}")
        conditions = {"StringEquals": {"AWS:SourceAccount": stack.account, "AWS:SourceArn": source}}
        may_write = iam.PolicyStatement(actions=["firehose:PutRecordBatch"], resources=[stream_arn])
        return iam.Role(
            self,
            id,
            description=f"What Amazon SES writes events of the configuration set {self._name} to a stream with",
            assumed_by=iam.ServicePrincipal("ses.amazonaws.com", conditions=conditions),  # ty: ignore[invalid-argument-type] (jsii)
            inline_policies={"WriteToStream": iam.PolicyDocument(statements=[may_write])},
        )


def _options(settings: environment.ConfigurationSet) -> dict[str, Any]:
    """The options that were set; all others stay as SES has them."""
    options: dict[str, Any] = {"reputation_options": {"reputationMetricsEnabled": settings.reputation_metrics}}
    if delivery := _given(
        tlsPolicy=settings.tls_policy,
        sendingPoolName=settings.dedicated_pool,
        maxDeliverySeconds=settings.max_delivery_seconds,
    ):
        options["delivery_options"] = delivery
    if tracking := _given(customRedirectDomain=settings.redirect_domain, httpsPolicy=settings.https_policy):
        options["tracking_options"] = tracking
    if not settings.sending_enabled:
        options["sending_options"] = {"sendingEnabled": False}
    if settings.suppressed_reasons is not None:
        options["suppression_options"] = {"suppressedReasons": list(settings.suppressed_reasons)}
    if deliverability := _given(
        dashboardOptions=_switch("engagementMetrics", settings.engagement_metrics),
        guardianOptions=_switch("optimizedSharedDelivery", settings.optimized_shared_delivery),
    ):
        options["vdm_options"] = deliverability
    if settings.mail_archive_arn:
        options["archiving_options"] = {"archiveArn": settings.mail_archive_arn}
    return options


def _given(**options: object) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}


def _switch(name: str, wanted: bool | None) -> dict[str, str] | None:
    return None if wanted is None else {name: "ENABLED" if wanted else "DISABLED"}


def _in_cloudformation(kind: str) -> str:
    """CloudFormation's name of an event type, as in renderingFailure."""
    name = kind.replace(" ", "")
    return name[0].lower() + name[1:]
