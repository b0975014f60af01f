"""The answers of a healthy deployment "shop", as AWS gives them; a test changes some."""

import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from aftersend.aws.deployment import Deployment
from aftersend.cli import doctor
from aftersend.cli.deployment import Target
from aftersend.config.environment import ConfigurationSet, ContactList, ContactTopic, Environment, Identity
from aftersend.contract import FEEDBACK_INDEXES
from aftersend.operations.findings import Finding, SkippedCheck
from aftersend.suppression import Policy

NOW = datetime.now(UTC)
TOPIC, ALARM_TOPIC = "arn:aws:sns:eu-west-1:111111111111:Feedback", "arn:aws:sns:eu-west-1:111111111111:Alarms"
STREAM = "arn:aws:firehose:eu-west-1:111111111111:deliverystream/Stream"
LEDGER_STREAM = "arn:aws:dynamodb:eu-west-1:111111111111:table/Ledger/stream/2026"
QUEUES = ("Feedback", "FeedbackDeadLetter", "FeedbackSubscriptionDeadLetter", "Archive", "ArchiveDeadLetter")

ENVIRONMENT = Environment(
    name="shop",
    account="111111111111",
    region="eu-west-1",
    configuration_sets={"news": ConfigurationSet()},
    identities={"shop.example": Identity(mail_from_domain="bounce.shop.example")},
    contact_lists={"readers": ContactList(topics={"news": ContactTopic("News", "OPT_IN")})},
    suppression=Policy(account_list="sync"),
)

OUTPUTS = {
    **{f"{name}TableName": name for name in ("Ledger", "Counters", "Suppressions")},
    **{f"{name}QueueUrl": f"https://sqs/{name}Queue" for name in QUEUES},
    "ArchiveBucketName": "archive",
    "FeedbackTopicArn": TOPIC,
    "AlarmTopicArn": ALARM_TOPIC,
    "ConfigurationSets": "news",
    "CountTagsFunctionName": "CountTags",
}

RESOURCES = {
    "AWS::SES::ConfigurationSet": "news",
    "AWS::SES::EmailIdentity": "shop.example",
    "AWS::SES::ContactList": "readers",
    "AWS::CloudWatch::Alarm": "CountingLate",
    "AWS::Lambda::EventSourceMapping": "mapping-1",
    "AWS::Lambda::Function": "CountTags",
    "AWS::KinesisFirehose::DeliveryStream": "Stream",
}


def resources(*left_out: str) -> Callable[..., Any]:
    """List the resources; all are those of one stack."""
    summaries = [
        {"ResourceType": kind, "PhysicalResourceId": name} for kind, name in RESOURCES.items() if kind not in left_out
    ]
    return lambda StackName: {"StackResourceSummaries": summaries if StackName.endswith("Pipeline") else []}  # noqa: N803


def destination(name: str, *kinds: str, enabled: bool = True, topic: str = TOPIC) -> dict[str, Any]:
    target = (
        {"SnsDestination": {"TopicArn": topic}}
        if name == "feedback"
        else {"KinesisFirehoseDestination": {"DeliveryStreamArn": STREAM}}
    )
    return {"Name": name, "Enabled": enabled, "MatchingEventTypes": list(kinds), **target}


FEEDBACK = [kind.name for kind in ConfigurationSet().feedback]
ARCHIVE = [kind.name for kind in ConfigurationSet().archive]
SENDS = {"Name": "sends", "Enabled": True, "MatchingEventTypes": ["SEND"]}


def subscriptions(**arns: str) -> Callable[..., Any]:
    """Answer with the queue's subscription of the feedback topic and a person's of the alarm topic."""
    feedback = {"SubscriptionArn": arns.get("feedback", f"{TOPIC}:1"), "Endpoint": "arn:aws:sqs:x:1:FeedbackQueue"}
    alarms = {"SubscriptionArn": arns.get("alarms", f"{ALARM_TOPIC}:1"), "Endpoint": "ops@shop.example"}

    def answer(TopicArn: str) -> Any:  # noqa: N803
        subscription = feedback if TopicArn == TOPIC else alarms
        return {"Subscriptions": [subscription] if subscription["SubscriptionArn"] else []}

    return answer


def metrics(**values: Sequence[float]) -> Callable[..., Any]:
    """Answer with these values of metrics, by name."""

    def answer(MetricDataQueries: list[Any], **_: Any) -> Any:  # noqa: N803
        named = [(each["Id"], each["MetricStat"]["Metric"]["MetricName"]) for each in MetricDataQueries]
        return {"MetricDataResults": [{"Id": query, "Values": values.get(name, [])} for query, name in named]}

    return answer


def objects(*keys: str) -> Callable[..., Any]:
    """List objects; below `identities/`, the one of the identity."""
    listed: list[dict[str, Any]] = [
        {"Key": key, "LastModified": NOW, "Size": 1} for key in ("identities/shop.example.json", *keys)
    ]
    return lambda Prefix, **_: {"Contents": [each for each in listed if each["Key"].startswith(Prefix)]}  # noqa: N803


def queue_attributes(*full: str) -> Callable[..., Any]:
    return lambda QueueUrl, **_: {  # noqa: N803
        "Attributes": {
            "ApproximateNumberOfMessages": str(int(QueueUrl.endswith(full))),
            "ApproximateNumberOfMessagesNotVisible": "0",
        }
    }


def counted(hour: datetime) -> Any:
    partition = {"S": f"ses:configuration-set#{hour:%Y-%m-%d}#0"}
    return {"Items": [{"partition_key": partition, "sort_key": {"S": "news"}, f"s{hour:%H}": {"N": "1"}}]}


def recounted(state: str) -> Any:
    """Answer with the checkpoint of a recount in a state, and with no counters."""
    item = {"partition_key": {"S": "checkpoint#recount-state"}, "checkpoint": {"S": state}}
    return {"get_item": {"Item": item}, "query": {"Items": []}}


ALARM = {
    "AlarmName": "CountingLate",
    "AlarmActions": [ALARM_TOPIC],
    "ActionsEnabled": True,
    "StateValue": "OK",
    "StateReason": "because",
    "StateUpdatedTimestamp": NOW - timedelta(days=1),
    "AlarmDescription": "Look at count_tags.",
}
MAPPING = {
    "FunctionArn": "arn:aws:lambda:eu-west-1:111111111111:function:CountTags",
    "EventSourceArn": LEDGER_STREAM,
    "State": "Enabled",
    "LastProcessingResult": "OK",
    "MaximumBatchingWindowInSeconds": 110,
}
TABLE = {
    "TableStatus": "ACTIVE",
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    "LatestStreamArn": LEDGER_STREAM,
    "GlobalSecondaryIndexes": [{"IndexName": name, "IndexStatus": "ACTIVE"} for name in FEEDBACK_INDEXES],
}
IDENTITY = {
    "VerifiedForSendingStatus": True,
    "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS"},
    "MailFromAttributes": {"MailFromDomain": "bounce.shop.example", "MailFromDomainStatus": "SUCCESS"},
}
ACCOUNT = {
    "SendingEnabled": True,
    "ProductionAccessEnabled": True,
    "EnforcementStatus": "HEALTHY",
    "SendQuota": {"Max24HourSend": 50_000.0, "SentLast24Hours": 40_000.0},
}
NOTIFICATIONS = {
    "BounceTopic": TOPIC,
    "ComplaintTopic": TOPIC,
    "ForwardingEnabled": True,
}
DEPLOYED = {"identity": "shop.example", "wanted": {"topics": {"Bounce": TOPIC, "Complaint": TOPIC}}, "is_set": True}
NOTIFIED_QUEUE = {
    "QueueArn": "arn:aws:sqs:eu-west-1:111111111111:ArchiveQueue",
    "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "events/"}]}},
}


def refusal(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


def healthy_answers() -> dict[str, Any]:
    """Return an answer, or a function that gives it, for every operation that doctor calls."""
    ages = {"ApproximateAgeOfOldestMessage": [9_000, 5], "IteratorAge": [1_000_000, 9]}
    return {
        "describe_stacks": {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]},
        "list_stack_resources": resources(),
        "get_caller_identity": clock(timedelta()),
        "list_subscriptions_by_topic": subscriptions(),
        "get_subscription_attributes": {"Attributes": {"RawMessageDelivery": "true", "PendingConfirmation": "false"}},
        "describe_alarms": {"MetricAlarms": [ALARM]},
        "get_event_source_mapping": MAPPING,
        "get_function_configuration": {"State": "Active", "LastUpdateStatus": "Successful"},
        "describe_delivery_stream": {"DeliveryStreamDescription": {"DeliveryStreamStatus": "ACTIVE"}},
        "describe_table": {"Table": TABLE},
        "describe_time_to_live": {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}},
        "describe_continuous_backups": recovery("ENABLED"),
        "get_bucket_notification_configuration": {"QueueConfigurations": [NOTIFIED_QUEUE]},
        "list_objects_v2": objects(f"events/{NOW:%Y/%m/%d/%H}/1.gz"),
        "get_object": lambda **_: {"Body": io.BytesIO(json.dumps(DEPLOYED).encode()), "ETag": "1"},
        "get_metric_data": metrics(Send=[100, 20], **ages),
        "query": counted(NOW),
        "get_item": {},  # there was no recount
        "get_queue_attributes": queue_attributes("nothing"),
        "get_account": ACCOUNT,
        "get_configuration_set": {"SendingOptions": {"SendingEnabled": True}},
        "get_configuration_set_event_destinations": {
            "EventDestinations": [destination("feedback", *FEEDBACK), destination("archive", *ARCHIVE), SENDS]
        },
        "get_email_identity": IDENTITY,
        "get_identity_notification_attributes": {"NotificationAttributes": {"shop.example": NOTIFICATIONS}},
        "list_contact_lists": {"ContactLists": [{"ContactListName": "readers"}]},
    }


def clock(behind: timedelta) -> Callable[[], Any]:
    """Answer with a header that says that AWS's clock is behind by some time."""
    return lambda: {"ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(datetime.now(UTC) - behind)}}}


def recovery(status: str) -> dict[str, Any]:
    return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": status}}}


def stack(status: str) -> dict[str, Any]:
    return {"describe_stacks": {"Stacks": [{"StackStatus": status, "StackStatusReason": "It failed."}]}}


def published(*destinations: Any) -> dict[str, Any]:
    return {"get_configuration_set_event_destinations": {"EventDestinations": [*destinations]}}


def an_account(**changes: Any) -> dict[str, Any]:
    return {"get_account": ACCOUNT | changes}


def an_identity(**changes: Any) -> dict[str, Any]:
    return {"get_email_identity": IDENTITY | changes}


def an_alarm(**changes: Any) -> dict[str, Any]:
    return {"describe_alarms": {"MetricAlarms": [ALARM | changes]}}


def a_mapping(**changes: Any) -> dict[str, Any]:
    return {"get_event_source_mapping": MAPPING | changes}


def notified(**changes: Any) -> dict[str, Any]:
    attributes = {"NotificationAttributes": {"shop.example": NOTIFICATIONS | changes}}
    return {"get_identity_notification_attributes": attributes}


class Services:
    """Stands for boto3's session and for the clients of all services: no two have an operation of one name."""

    region_name = "eu-west-1"

    def __init__(self, changes: dict[str, Any]) -> None:
        answers = healthy_answers()
        assert changes.keys() <= answers.keys()
        self._answers = answers | changes

    def client(self, _service: str, **_: Any) -> Any:
        return self

    def __getattr__(self, operation: str) -> Any:
        def call(**parameters: Any) -> Any:
            answer = self._answers[operation]
            if isinstance(answer, Exception):
                raise answer
            return answer(**parameters) if callable(answer) else answer

        return call

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **parameters: iter([getattr(self, operation)(**parameters)]))


def shop(changes: dict[str, Any]) -> Deployment:
    """Return the deployment, some of whose answers are changed."""
    deployment = Deployment("shop", Services(changes))
    deployment.outputs = dict(OUTPUTS)
    return deployment


def examine(
    changes: dict[str, Any], environment: Environment | None = ENVIRONMENT
) -> tuple[list[Finding], list[SkippedCheck]]:
    return doctor.examine(Target(shop(changes), environment))
