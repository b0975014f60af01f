"""Notify when notification settings of identities are not as they were deployed."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from aftersend.config.environment import Environment
from aftersend.contract import METRICS_DIMENSIONS, METRICS_NAMESPACE
from stacks.alarms import Alarms
from stacks.identity_function import IdentityFunction
from stacks.threshold_alarm import ThresholdAlarm

ENVIRONMENT_DIMENSION = METRICS_DIMENSIONS[0]

REPORTED = {
    "IdentitiesDrifted": (
        "identities_drifted",
        "SES has other notification settings of an identity than were deployed: it drops them when it cannot publish "
        "to a topic.",
    ),
    "IdentitiesFailed": ("identities_failed", "SES refused the notification settings of an identity."),
}
"""Alarms about what check_identities reports: the metric, and what is wrong where it is not zero."""


class IdentityAlarms(Construct):
    """Notify when identities have drifted, when SES refuses their settings, and when the check itself fails."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        checker: IdentityFunction,
        interval: cdk.Duration,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, id)
        name = checker.function.function_name
        for alarm_id, (metric_name, problem) in REPORTED.items():
            metric = _metric(metric_name, environment, interval)
            description = f"{problem} Read first in the logs of {name} which identity it is and why."
            ThresholdAlarm(self, alarm_id, alarms=alarms, metric=metric, threshold=0, description=description)
        ThresholdAlarm(
            self,
            "IdentityCheckFailed",
            alarms=alarms,
            metric=checker.function.metric_errors(period=interval),
            threshold=0,
            description=f"{name} fails, so that nobody learns when SES drops the notification settings of an identity. "
            "Read its logs first.",
        )


def _metric(name: str, environment: Environment, period: cdk.Duration) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map={ENVIRONMENT_DIMENSION: environment.name},
        statistic="Maximum",
        period=period,
    )
