"""Create the topics that alarms notify, and the alarms."""

from collections.abc import Iterable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from aftersend.config import ALARMS, Email, Environment, Severity
from aftersend.contract import ENVIRONMENT_DIMENSION, METRICS_NAMESPACE
from stacks.topic import ServiceTopic

Comparison, Missing = cloudwatch.ComparisonOperator, cloudwatch.TreatMissingData


class Alarms(Construct):
    """A topic for each severity, with its addresses subscribed. SNS asks each of them once to confirm."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, key: kms.Key | None) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._thresholds = {
            "MassSuppression": environment.mass_suppression_percent,
            "CountsIncomplete": environment.counts_missing_percent,
            "MailUnseen": environment.unseen_percent,
        }
        self.topics = {
            Severity.PAGE: self._topic("PageTopic", environment.alarm_addresses, key),
            Severity.TICKET: self._topic("TicketTopic", environment.ticket_recipients, key),
        }

    def watch(self, scope: Construct, **metrics: cloudwatch.Metric) -> None:
        """Create the alarms on these metrics; the keys are ids in aftersend/config/alarms.py."""
        for alarm_id, metric in metrics.items():
            self._create(scope, alarm_id, metric)

    def _create(self, scope: Construct, id: str, metric: cloudwatch.Metric) -> None:
        """Create an alarm that notifies the topic of its severity when the metric breaches, and when it no longer does.

        The id is also the logical id, so that the alarm's name contains the name in the documentation.
        """
        described = ALARMS[id]
        alarm = cloudwatch.Alarm(
            scope,
            id,
            metric=metric.with_(period=cdk.Duration.minutes(described.period_minutes)),
            threshold=self._thresholds.get(id, described.threshold),
            comparison_operator=Comparison.LESS_THAN_THRESHOLD
            if described.is_heartbeat
            else Comparison.GREATER_THAN_THRESHOLD,
            evaluation_periods=described.periods,
            alarm_description=described.description(id, self._environment.runbook),
            treat_missing_data=Missing.BREACHING if described.is_heartbeat else Missing.NOT_BREACHING,
        )
        resource = alarm.node.default_child
        assert isinstance(resource, cdk.CfnElement)
        resource.override_logical_id(id)
        # By its ARN, so that the topic's policy stays with the topic.
        action = actions.SnsAction(sns.Topic.from_topic_arn(alarm, "Topic", self.topics[described.severity].topic_arn))
        alarm.add_alarm_action(action)  # ty: ignore[invalid-argument-type] (jsii)
        alarm.add_ok_action(action)  # ty: ignore[invalid-argument-type] (jsii)

    def watch_own(self, scope: Construct, ids: Iterable[str]) -> None:
        """Create alarms on metrics that a scheduled function publishes."""
        self.watch(scope, **{each: self.own_metric(ALARMS[each].metric, ALARMS[each].statistic) for each in ids})

    def own_metric(self, name: str, statistic: str) -> cloudwatch.Metric:
        """Return a metric that a function prints for the whole environment."""
        dimensions: Any = {ENVIRONMENT_DIMENSION: self._environment.name}
        return cloudwatch.Metric(
            namespace=METRICS_NAMESPACE, metric_name=name, dimensions_map=dimensions, statistic=statistic
        )

    def _topic(self, id: str, addresses: tuple[Email, ...], key: kms.Key | None) -> ServiceTopic:
        topic = ServiceTopic(self, id, key=key)
        topic.allow_publish_from("cloudwatch.amazonaws.com", sid="OnlyAlarmsOfThisAccount")
        for address in addresses:
            topic.add_subscription(subscriptions.EmailSubscription(address))  # ty: ignore[invalid-argument-type] (jsii)
        return topic
