"""Break the deployed pipeline in one place each, and repair it: what `aftersend doctor` must name."""

from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from aftersend.cli import deployment
from aftersend.config.environment import ConfigurationSet
from aftersend.config.loader import load
from aftersend.contract import FEEDBACK_BY_DAY
from local.pipeline import LocalPipeline


def physical_id(pipeline: LocalPipeline, kind: str, name: str) -> str:
    pages = pipeline.ses.emulator_client("cloudformation").list_stack_resources(StackName="Aftersend-local-Pipeline")
    [physical] = [
        each["PhysicalResourceId"]
        for each in pages["StackResourceSummaries"]
        if each["ResourceType"] == kind and name in each["LogicalResourceId"]
    ]
    return physical


Break = Callable[[LocalPipeline], Generator[None]]


def dashboard_removed(pipeline: LocalPipeline) -> Generator[None]:
    pipeline.ses.emulator_client("cloudformation").delete_stack(StackName="Aftersend-local-Dashboard")
    yield


def index_deleted(pipeline: LocalPipeline) -> Generator[None]:
    deletion = {"Delete": {"IndexName": FEEDBACK_BY_DAY}}
    pipeline.ses.emulator_client("dynamodb").update_table(
        TableName=pipeline.outputs["LedgerTableName"], GlobalSecondaryIndexUpdates=[deletion]
    )
    yield


def set_not_deployed(_: LocalPipeline) -> Generator[None]:
    environment = load("local")
    sets = environment.configuration_sets | {"alerts": ConfigurationSet()}
    with pytest.MonkeyPatch.context() as patch:
        changed = msgspec.structs.replace(environment, configuration_sets=sets)
        patch.setattr(deployment, "load", lambda _: changed)
        yield


def sending_paused(pipeline: LocalPipeline) -> Generator[None]:
    sesv2 = pipeline.ses.emulator_client("sesv2")
    sesv2.put_configuration_set_sending_options(ConfigurationSetName="receipts", SendingEnabled=False)
    yield
    sesv2.put_configuration_set_sending_options(ConfigurationSetName="receipts", SendingEnabled=True)


def _destination(sesv2: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what names the archive destination of a configuration set, and what it is."""
    answer = sesv2.get_configuration_set_event_destinations(ConfigurationSetName="receipts")
    [archive] = [each for each in answer["EventDestinations"] if each["Name"] == "archive"]
    return {"ConfigurationSetName": "receipts", "EventDestinationName": archive.pop("Name")}, archive


def destination_disabled(pipeline: LocalPipeline) -> Generator[None]:
    sesv2 = pipeline.ses.emulator_client("sesv2")
    names, archive = _destination(sesv2)
    disabled = {**archive, "Enabled": False}
    sesv2.update_configuration_set_event_destination(**names, EventDestination=disabled)
    yield
    sesv2.update_configuration_set_event_destination(**names, EventDestination=archive)


def destination_removed(pipeline: LocalPipeline) -> Generator[None]:
    sesv2 = pipeline.ses.emulator_client("sesv2")
    names, archive = _destination(sesv2)
    sesv2.delete_configuration_set_event_destination(**names)
    yield
    sesv2.create_configuration_set_event_destination(**names, EventDestination=archive)


def tracking_added(pipeline: LocalPipeline) -> Generator[None]:
    sesv2 = pipeline.ses.emulator_client("sesv2")
    names, archive = _destination(sesv2)
    names["EventDestinationName"] = "somebody"
    added = {**archive, "MatchingEventTypes": ["OPEN"]}
    sesv2.create_configuration_set_event_destination(**names, EventDestination=added)
    yield
    sesv2.delete_configuration_set_event_destination(**names)


def identity_removed(pipeline: LocalPipeline) -> Generator[None]:
    sesv2 = pipeline.ses.emulator_client("sesv2")
    sesv2.delete_email_identity(EmailIdentity="bookshop.example")
    yield
    sesv2.create_email_identity(EmailIdentity="bookshop.example", ConfigurationSetName="newsletter")


def notification_dropped(pipeline: LocalPipeline) -> Generator[None]:
    topics = pipeline.ses.notification_settings["bookshop.example"].topics
    topic = topics.pop("Complaint")
    yield
    topics["Complaint"] = topic


def subscription_removed(pipeline: LocalPipeline) -> Generator[None]:
    sns, topic = pipeline.ses.emulator_client("sns"), pipeline.outputs["FeedbackTopicArn"]
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    yield
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=subscription["Endpoint"], Attributes=raw)


def subscription_wrapped(pipeline: LocalPipeline) -> Generator[None]:
    sns, topic = pipeline.ses.emulator_client("sns"), pipeline.outputs["FeedbackTopicArn"]
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    attribute = {"SubscriptionArn": subscription["SubscriptionArn"], "AttributeName": "RawMessageDelivery"}
    sns.set_subscription_attributes(**attribute, AttributeValue="false")
    yield
    sns.set_subscription_attributes(**attribute, AttributeValue="true")


def notifications_removed(pipeline: LocalPipeline) -> Generator[None]:
    s3, bucket = pipeline.ses.emulator_client("s3"), pipeline.outputs["ArchiveBucketName"]
    configuration = s3.get_bucket_notification_configuration(Bucket=bucket)
    configuration.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    yield
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)


def mapping_disabled(pipeline: LocalPipeline) -> Generator[None]:
    functions, uuid = pipeline.ses.emulator_client("lambda"), _mapping(pipeline)
    functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    yield
    functions.update_event_source_mapping(UUID=uuid, Enabled=True)


def _mapping(pipeline: LocalPipeline) -> str:
    return physical_id(pipeline, "AWS::Lambda::EventSourceMapping", "Counting")


def message_in(output: str) -> Break:
    def break_(pipeline: LocalPipeline) -> Generator[None]:
        sqs, queue = pipeline.ses.emulator_client("sqs"), pipeline.outputs[output]
        sqs.send_message(QueueUrl=queue, MessageBody="unreadable")
        yield
        sqs.purge_queue(QueueUrl=queue)

    return break_


def object_at(key: str) -> Break:
    def break_(pipeline: LocalPipeline) -> Generator[None]:
        s3, bucket = pipeline.ses.emulator_client("s3"), pipeline.outputs["ArchiveBucketName"]
        s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
        yield
        s3.delete_object(Bucket=bucket, Key=key)

    return break_


def alarm_on(pipeline: LocalPipeline) -> Generator[None]:
    cloudwatch = pipeline.ses.emulator_client("cloudwatch")
    name = physical_id(pipeline, "AWS::CloudWatch::Alarm", "CountingFailed")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    yield
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")


def alarm_silenced(pipeline: LocalPipeline) -> Generator[None]:
    cloudwatch = pipeline.ses.emulator_client("cloudwatch")
    name = physical_id(pipeline, "AWS::CloudWatch::Alarm", "CountingFailed")
    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    yield
    cloudwatch.enable_alarm_actions(AlarmNames=[name])


def metric(namespace: str, name: str, value: float, dimension: Callable[[LocalPipeline], dict[str, str]]) -> Break:
    """Publish a metric as of some minutes ago. It cannot be removed; where the latest counts, a later one follows."""

    def break_(pipeline: LocalPipeline) -> Generator[None]:
        dimensions = [{"Name": key, "Value": text} for key, text in dimension(pipeline).items()]
        at = datetime.now(UTC) - timedelta(minutes=18)
        for moment, number in ((at, value), (at + timedelta(minutes=11), 0)):
            data = {"MetricName": name, "Dimensions": dimensions, "Timestamp": moment, "Value": number}
            pipeline.ses.emulator_client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[data])
            if not number:
                return
            yield

    return break_


def feedback_queue(pipeline: LocalPipeline) -> dict[str, str]:
    return {"QueueName": pipeline.outputs["FeedbackQueueUrl"].rpartition("/")[2]}


def counter(pipeline: LocalPipeline) -> dict[str, str]:
    return {"FunctionName": physical_id(pipeline, "AWS::Lambda::Function", "CountTags")}


def archive_silent(pipeline: LocalPipeline) -> Generator[None]:
    """Something is sent, and the archive has no object of these hours."""
    s3, bucket = pipeline.ses.emulator_client("s3"), pipeline.outputs["ArchiveBucketName"]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="events/"):
        for stored in page.get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=stored["Key"])
    yield from metric("AWS/SES", "Send", 40, lambda _: {})(pipeline)


def stream_removed(pipeline: LocalPipeline) -> Generator[None]:
    name = physical_id(pipeline, "AWS::KinesisFirehose::DeliveryStream", "Stream")
    pipeline.ses.emulator_client("firehose").delete_delivery_stream(DeliveryStreamName=name)
    yield


def bounces_not_suppressed(pipeline: LocalPipeline) -> Generator[None]:
    pipeline.ses.account_list.suppressed_reasons = {"COMPLAINT"}
    yield
    pipeline.ses.account_list.suppressed_reasons = {"BOUNCE", "COMPLAINT"}


REPAIRED: list[tuple[str, str, Break]] = [
    ("configuration", "configuration_sets.alerts is in the environment file, but not deployed", set_not_deployed),
    ("account-list", "list has as BOUNCE", bounces_not_suppressed),
    ("configuration-sets", "receipts is paused", sending_paused),
    ("event-destinations", "receipts: the event destination archive is disabled", destination_disabled),
    ("event-destinations", "receipts: the event destination archive is missing", destination_removed),
    ("tracking", "receipts: the event destination somebody publishes Open", tracking_added),
    ("identities", "SES has no identity bookshop.example", identity_removed),
    ("notification-settings", "Complaint notifications go to no topic", notification_dropped),
    ("feedback-subscription", "is not subscribed", subscription_removed),
    ("feedback-subscription", "Raw delivery to the feedback queue is off", subscription_wrapped),
    ("archive-notifications", "does not notify", notifications_removed),
    ("mappings", "is disabled", mapping_disabled),
    ("dead-letters", "1 message in a dead-letter queue (feedback", message_in("FeedbackDeadLetterQueueUrl")),
    ("dead-letters", "1 message in a dead-letter queue (archive", message_in("ArchiveDeadLetterQueueUrl")),
    ("quarantine", "1 object of the kind quarantined-line", object_at("quarantine/events/1.jsonl")),
    ("firehose-errors", "1 object of the kind firehose-error", object_at("firehose-failed/1")),
    ("failed-batches", "1 object of the kind failed-batch", object_at("aws/lambda/1")),
    ("alarms", "CountingFailed", alarm_on),
    ("alarms", "it notifies nobody", alarm_silenced),
]
"""The check, what it says, and what is broken."""

LASTING: list[tuple[str, str, Break]] = [
    (
        "late-records",
        "has waited for 83 minutes",
        metric("AWS/SQS", "ApproximateAgeOfOldestMessage", 5_000, feedback_queue),
    ),
    ("function-errors", "failed 3 times", metric("AWS/Lambda", "Errors", 3, counter)),
    ("last-event", "the archive received nothing", archive_silent),
    ("firehose-stream", "is gone", stream_removed),
    ("feedback-indexes", "The index feedback-by-day of the ledger is missing", index_deleted),
    ("stacks", "There is no stack Aftersend-local-Dashboard", dashboard_removed),
]
"""As above; but it cannot be repaired, or puts an alarm on for a while."""
