"""Query the resources of a deployed environment, without changing any. A resource that no longer exists is None."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from aftersend.aws import activity
from aftersend.aws.clients import PACE_SECONDS, error_code
from aftersend.aws.deployed_counters import deployed_counters
from aftersend.aws.deployed_settings import DeployedNotifications, DeployedSettings
from aftersend.aws.deployment import STACKS, Deployment, Unavailable
from aftersend.aws.identity_settings import IdentitySettings, differences
from aftersend.aws.metric_values import Metric, metric_values
from aftersend.aws.recount import is_unfinished
from aftersend.aws.stored_objects import StoredFailures
from aftersend.config import Environment
from aftersend.counting import CONFIGURATION_SET
from aftersend.operations.failures import FailureKind, StoredObject
from aftersend.operations.pipeline_findings import GRACE, MAX_COUNTED, WINDOW, Activity

ALARMS_PER_CALL = 100
ERRORS_WINDOW = timedelta(hours=1)


def is_gone(error: Exception) -> bool:
    """Return whether an error means that the resource does not exist."""
    return isinstance(error, ClientError) and ("NotFound" in error_code(error) or "does not exist" in str(error))


def answer_or_none(operation: Callable[..., Any], **parameters: Any) -> Any:
    """Return the response, or None if the resource does not exist."""
    try:
        return operation(**parameters)
    except ClientError as error:
        if is_gone(error):
            return None
        raise


def answers(operation: Callable[..., Any], parameter: str, names: Iterable[str]) -> dict[str, Any]:
    """Return the response for each name."""
    return {name: answer_or_none(operation, **{parameter: name}) for name in names}


class NoFile(Unavailable):
    """The check compares with the environment file, and there is none here."""


class Observer:
    """Query the services of a deployment. Responses that several checks need are cached."""

    def __init__(self, deployment: Deployment, environment: Environment | None, now: datetime) -> None:
        self.deployment, self.environment, self.now = deployment, environment, now
        self.is_local = environment is not None and environment.is_emulated
        self.output, self._client = deployment.output, deployment.client
        self._stack_names = [f"Aftersend-{deployment.name}-{stack}" for stack in STACKS]
        self._pace_seconds = 0 if self.is_local else PACE_SECONDS

    @property
    def file(self) -> Environment:
        """Return the settings of the environment file, for checks that need it.

        Raises:
            NoFile: if there is none.
        """
        if self.environment is None:
            raise NoFile(f"there is no environments/{self.deployment.name}.toml here")
        return self.environment

    def stacks(self) -> dict[str, Any]:
        described = answers(self._client("cloudformation").describe_stacks, "StackName", self._stack_names)
        return {name: answer and answer["Stacks"][0] for name, answer in described.items()}

    @cached_property
    def resources(self) -> dict[str, list[str]]:
        """Return the physical ids of the stacks' resources, by type."""
        ids: dict[str, list[str]] = {}
        pages = self._client("cloudformation").get_paginator("list_stack_resources")
        for stack in self._stack_names:
            for page in answer_or_none(lambda stack=stack: [*pages.paginate(StackName=stack)]) or ():
                for each in page["StackResourceSummaries"]:
                    ids.setdefault(each["ResourceType"], []).append(each.get("PhysicalResourceId", ""))
        return ids

    def clocks(self) -> tuple[datetime, datetime]:
        """Return the times of this machine and of AWS at one moment."""
        answer = self._client("sts").get_caller_identity()
        return datetime.now(UTC), parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])

    def feedback_subscription(self) -> tuple[Any, Any]:
        """Return the subscription of the feedback queue and its attributes."""
        ours = f":{activity.queue_name(self.output('FeedbackQueueUrl'))}"
        for each in self._subscriptions(self.output("FeedbackTopicArn")):
            if each["Endpoint"].endswith(ours):
                operation = self._client("sns").get_subscription_attributes
                if not each["SubscriptionArn"].startswith("arn:"):
                    return each, {}
                return each, (answer_or_none(operation, SubscriptionArn=each["SubscriptionArn"]) or {}).get(
                    "Attributes"
                )
        return None, None

    def alarm_subscriptions(self) -> dict[str, list[Any]]:
        """Return the subscriptions of each topic that an alarm notifies."""
        actions = {action for alarm in self.alarms.values() if alarm for action in alarm["AlarmActions"]}
        return {topic: [*self._subscriptions(topic)] for topic in sorted(actions) if ":sns:" in topic}

    def _subscriptions(self, topic: str) -> Iterator[Any]:
        pages = self._client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        yield from (each for page in pages for each in page["Subscriptions"])

    @cached_property
    def alarms(self) -> dict[str, Any]:
        names = self.resources.get("AWS::CloudWatch::Alarm", [])
        present: dict[str, Any] = {}
        for start in range(0, len(names), ALARMS_PER_CALL):
            part = names[start : start + ALARMS_PER_CALL]
            answer = self._client("cloudwatch").describe_alarms(AlarmNames=part, MaxRecords=ALARMS_PER_CALL)
            present |= {each["AlarmName"]: each for each in answer["MetricAlarms"]}
        return {name: present.get(name) for name in names}

    @cached_property
    def mappings(self) -> dict[str, Any]:
        uuids = self.resources.get("AWS::Lambda::EventSourceMapping", [])
        return answers(self._client("lambda").get_event_source_mapping, "UUID", uuids)

    @cached_property
    def functions(self) -> dict[str, Any]:
        names = self.resources.get("AWS::Lambda::Function", [])
        return answers(self._client("lambda").get_function_configuration, "FunctionName", names)

    def streams(self) -> dict[str, Any]:
        names = self.resources.get("AWS::KinesisFirehose::DeliveryStream", [])
        return answers(self._client("firehose").describe_delivery_stream, "DeliveryStreamName", names)

    @cached_property
    def described_tables(self) -> dict[str, Any]:
        return self.tables("describe_table")

    def table(self, name: str) -> Any:
        """Return the description of a table of the State stack."""
        return self.described_tables[self.output(f"{name}TableName")]

    def tables(self, operation: str) -> dict[str, Any]:
        """Return the response of an operation of DynamoDB for each table."""
        names = [self.output(f"{table}TableName") for table in ("Ledger", "Counters", "Suppressions")]
        return answers(getattr(self._client("dynamodb"), operation), "TableName", names)

    def archive_notifications(self) -> Any:
        return self._client("s3").get_bucket_notification_configuration(Bucket=self.output("ArchiveBucketName"))

    def stored_failures(self, kind: FailureKind) -> list[StoredObject]:
        source = StoredFailures(self._client("s3"), self.output("ArchiveBucketName"), kind)
        return [*islice(source.objects(), MAX_COUNTED)]

    def ages(self) -> dict[str, float | None]:
        """Return how many seconds the oldest record of each queue, and of each stream, has waited."""
        by_route = activity.ages(self.deployment, self.now)
        return {activity.queue_name(self.output(route.output)): age for route, age in by_route.items()}

    def function_errors(self) -> dict[str, float]:
        metrics = {name: Metric("AWS/Lambda", "Errors", ("FunctionName", name)) for name in self.functions}
        counts = self._values(metrics, "Sum", self.now - ERRORS_WINDOW, self.now)
        return {name: sum(values) for name, values in counts.items()}

    def _values(self, metrics: dict[str, Metric], *query: Any) -> dict[str, list[float]]:
        return metric_values(self._client("cloudwatch"), metrics, *query)

    def activity(self) -> Activity:
        """Return how much was sent within the window, and the newest results of its events."""
        metric = {"": Metric("AWS/SES", "Send")}
        sent = sum(self._values(metric, "Sum", self.now - WINDOW, self.now - GRACE)[""])
        if not sent:
            return Activity(0, None, None)
        newest_object = activity.newest_object(self.deployment, self._hours())
        return Activity(int(sent), newest_object, self.newest_counters())

    def _hours(self) -> list[datetime]:
        return [self.now - timedelta(hours=number) for number in range(WINDOW // timedelta(hours=1) + 1)]

    def newest_counters(self) -> datetime | None:
        """Return the newest hour of the window in which counted messages were sent."""
        table = deployed_counters(self.deployment)
        names, days = self.set_names(), {hour.date() for hour in self._hours()}
        latest = (table.latest_hour(CONFIGURATION_SET, names, day) for day in days)
        return max((hour for hour in latest if hour), default=None)

    def has_unfinished_recount(self) -> bool:
        return is_unfinished(deployed_counters(self.deployment))

    def set_names(self) -> list[str]:
        """Return the configuration sets of the environment."""
        if self.environment:
            return list(self.environment.configuration_sets)
        return activity.set_names(self.deployment)

    @cached_property
    def account(self) -> Any:
        return self._query_ses("get_account")

    @cached_property
    def configuration_sets(self) -> dict[str, Any]:
        return {name: self._query_ses("get_configuration_set", ConfigurationSetName=name) for name in self.set_names()}

    @cached_property
    def event_destinations(self) -> dict[str, Any]:
        operation = "get_configuration_set_event_destinations"
        answers = {name: self._query_ses(operation, ConfigurationSetName=name) for name in self.set_names()}
        return {name: answer and answer.get("EventDestinations", []) for name, answer in answers.items()}

    @cached_property
    def identities(self) -> dict[str, Any]:
        """Return the identities of the environment file; without one, those with deployed notification settings."""
        names = self.environment.identities if self.environment else self._deployed
        return {name: self._query_ses("get_email_identity", EmailIdentity=name) for name in names}

    def notification_drift(self) -> dict[str, list[str]]:
        """Return how the notification settings of each identity differ from those that were deployed."""
        settings = IdentitySettings(self._client("ses"), pace_seconds=self._pace_seconds, pause=time.sleep)
        current = settings.current(self._deployed)
        return {name: differences(current[name], each.wanted) for name, each in self._deployed.items()}

    @cached_property
    def _deployed(self) -> dict[str, DeployedNotifications]:
        settings = DeployedSettings(self._client("s3"), self.output("ArchiveBucketName"))
        return {each.identity: each for each in settings.all()}

    def contact_lists(self) -> list[str]:
        answer = self._query_ses("list_contact_lists") or {}
        return [each["ContactListName"] for each in answer.get("ContactLists", ())]

    def _query_ses(self, operation: str, **parameters: str) -> Any:
        """Query SES, and pause so that the next call does not exceed its rate."""
        answer = answer_or_none(getattr(self._client("sesv2"), operation), **parameters)
        time.sleep(self._pace_seconds)
        return answer
