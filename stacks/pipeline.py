"""From what SES publishes to suppressions and counts: topic, stream, queues and functions."""

from typing import Any

import aws_cdk as cdk
import msgspec
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from aftersend.config.environment import Environment
from aftersend.contract import EVENTS_PREFIX, FAILED_BATCHES_PREFIX, QUARANTINE_PREFIX
from stacks.acknowledged import acknowledge
from stacks.alarms import Alarm, Alarms
from stacks.archive_route import ArchiveRoute
from stacks.feedback_route import FeedbackRoute
from stacks.function import Function
from stacks.state import State
from stacks.topic import TopicKey

FEEDBACK_TIMEOUT = cdk.Duration.seconds(60)
ARCHIVE_TIMEOUT = cdk.Duration.minutes(5)
COUNT_TIMEOUT = cdk.Duration.minutes(2)

FIVE_MINUTES = cdk.Duration.minutes(5)
LATE = cdk.Duration.minutes(15)

COUNT_BATCH = 1_000
"""Changes of the ledger counted together: the larger, the fewer counters are written for them."""

COUNT_WINDOW = cdk.Duration.seconds(10)
"""Changes are not waited for; but only where a tumbling window is set does Lambda name the shard it reads."""


class Pipeline(cdk.Stack):
    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, **stack: Any) -> None:
        super().__init__(scope, id, description="Aftersend: from events to suppressions and counts", **stack)
        key = TopicKey(self, "TopicKey") if environment.encrypted_topics else None
        self.alarms = Alarms(self, "Alarms", environment=environment, key=key)
        self.feedback = FeedbackRoute(
            self, "Feedback", environment=environment, key=key, consumer_timeout=FEEDBACK_TIMEOUT
        )
        self.archive = ArchiveRoute(
            self, "Archive", environment=environment, archive=state.archive, consumer_timeout=ARCHIVE_TIMEOUT
        )
        recording = {
            "LEDGER_TABLE": state.ledger.table_name,
            "SUPPRESSIONS_TABLE": state.suppressions.table_name,
            "RETENTION": _json(environment.retention),
            "POLICY": _json(environment.suppression),
        }
        self.record_feedback = Function(
            self,
            "RecordFeedback",
            file="record_feedback",
            description="Records what SES published over SNS and decides about its recipients",
            environment=environment,
            timeout=FEEDBACK_TIMEOUT,
            settings=recording,
        )
        self.record_archive = Function(
            self,
            "RecordArchive",
            file="record_archive",
            description="Records what SES published over Firehose and decides about its recipients",
            environment=environment,
            timeout=ARCHIVE_TIMEOUT,
            memory_mebibytes=1024,
            settings=recording,
        )
        self.count_tags = Function(
            self,
            "CountTags",
            file="count_tags",
            description="Moves the per-tag counters by what is new in the ledger",
            environment=environment,
            timeout=COUNT_TIMEOUT,
            settings={
                "COUNTERS_TABLE": state.counters.table_name,
                "COUNTER_SHARDS": str(environment.counter_shards),
                "COUNTED": _json(environment.counted),
                "RETENTION": _json(environment.retention),
                "ENVIRONMENT": environment.name,
            },
        )
        self.feedback.queue.trigger(
            self.record_feedback, max_concurrency=environment.functions.feedback_max_concurrency
        )
        self.archive.queue.trigger(self.record_archive, max_concurrency=environment.functions.archive_max_concurrency)
        self._count_changes(state)
        self._let_functions_use(state)
        self._alarm()
        cdk.CfnOutput(self, "FeedbackTopicArn", value=self.feedback.topic.topic_arn)
        cdk.CfnOutput(self, "AlarmTopicArn", value=self.alarms.topic.topic_arn)
        for name, queue in (("Feedback", self.feedback.queue), ("Archive", self.archive.queue)):
            cdk.CfnOutput(self, f"{name}QueueUrl", value=queue.queue_url)
            cdk.CfnOutput(self, f"{name}DeadLetterQueueUrl", value=queue.dead_letters.queue_url)

    def _let_functions_use(self, state: State) -> None:
        for recorder in (self.record_feedback, self.record_archive):
            state.ledger.grant(recorder, "dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:Query")
            state.suppressions.grant(recorder, "dynamodb:GetItem", "dynamodb:PutItem")
        state.archive.grant_objects(self.record_archive, "s3:GetObject", below=EVENTS_PREFIX)
        state.archive.grant_objects(self.record_archive, "s3:PutObject", below=QUARANTINE_PREFIX)
        state.counters.grant(self.count_tags, "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem")

    def _alarm(self) -> None:
        for name, queue, function in (
            ("Feedback", self.feedback.queue, self.record_feedback),
            ("Archive", self.archive.queue, self.record_archive),
        ):
            kept = queue.dead_letters.metric_approximate_number_of_messages_visible(
                period=FIVE_MINUTES, statistic="Maximum"
            )
            Alarm(
                self,
                f"{name}DeadLetters",
                topic=self.alarms.topic,
                metric=kept,
                threshold=0,
                description=f"Messages are in the dead-letter queue of {queue.queue_name}: read the logs of "
                f"{function.function_name}, and redrive them when the cause is gone. They are kept for 14 days.",
            )
            Alarm(
                self,
                f"{name}Late",
                topic=self.alarms.topic,
                metric=queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES, statistic="Maximum"),
                threshold=LATE.to_seconds(),
                periods=3,
                description=f"Messages have waited in {queue.queue_name} over {LATE.to_minutes():.0f} minutes: look "
                f"whether {function.function_name} fails, or cannot keep up.",
            )
        Alarm(
            self,
            "CountingLate",
            topic=self.alarms.topic,
            metric=self.count_tags.metric("IteratorAge", period=FIVE_MINUTES, statistic="Maximum"),
            threshold=LATE.to_milliseconds(),
            periods=3,
            description=f"Counts are more than {LATE.to_minutes():.0f} minutes behind the ledger: look whether "
            f"{self.count_tags.function_name} fails. After 24 hours the stream forgets.",
        )
        Alarm(
            self,
            "CountingFailed",
            topic=self.alarms.topic,
            metric=self.count_tags.metric_errors(period=FIVE_MINUTES),
            threshold=0,
            periods=3,
            description=f"{self.count_tags.function_name} has failed for 15 minutes: a batch that fails ten times "
            f"is kept in the archive bucket under {FAILED_BATCHES_PREFIX}.",
        )

    def _count_changes(self, state: State) -> None:
        self.count_tags.add_event_source(
            sources.DynamoEventSource(
                state.ledger,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=COUNT_BATCH,
                tumbling_window=COUNT_WINDOW,
                parallelization_factor=1,
                bisect_batch_on_error=True,
                retry_attempts=10,
                on_failure=sources.S3OnFailureDestination(state.archive),  # ty: ignore[invalid-argument-type] (jsii)
                filters=[lambda_.FilterCriteria.filter({"eventName": lambda_.FilterRule.or_("INSERT", "MODIFY")})],
            )
        )
        acknowledge(self.count_tags, "ListStreams knows no resource.", "IAM5[Resource::*]")
        state.archive.acknowledge_writer(self.count_tags)


def _json(section: msgspec.Struct) -> str:
    return msgspec.json.encode(section).decode()
