"""From what SES publishes to suppressions and counts: topic, stream, queues and functions."""

from typing import Any

import aws_cdk as cdk
import msgspec
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from aftersend.environment import Environment
from aftersend.layout import EVENTS_PREFIX, QUARANTINE_PREFIX
from stacks.archive_route import ArchiveRoute
from stacks.feedback import Feedback
from stacks.function import Function
from stacks.state import State

FEEDBACK_TIMEOUT = cdk.Duration.seconds(60)
ARCHIVE_TIMEOUT = cdk.Duration.minutes(5)
COUNT_TIMEOUT = cdk.Duration.minutes(2)

COUNT_BATCH = 1_000
"""Changes of the ledger counted together: the larger, the fewer counters are written for them."""

COUNT_WINDOW = cdk.Duration.seconds(10)
"""How long changes are collected. Only where a tumbling window is set does Lambda name the shard it reads."""


class Pipeline(cdk.Stack):
    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, **stack: Any) -> None:
        super().__init__(scope, id, description="Aftersend: from events to suppressions and counts", **stack)
        self.feedback = Feedback(self, "Feedback", environment=environment, consumer_timeout=FEEDBACK_TIMEOUT)
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
            does="Records what SES published over SNS and decides about its recipients",
            environment=environment,
            timeout=FEEDBACK_TIMEOUT,
            settings=recording,
        )
        self.record_archive = Function(
            self,
            "RecordArchive",
            file="record_archive",
            does="Records what SES published over Firehose and decides about its recipients",
            environment=environment,
            timeout=ARCHIVE_TIMEOUT,
            memory_mebibytes=1024,
            settings=recording,
        )
        self.count_tags = Function(
            self,
            "CountTags",
            file="count_tags",
            does="Moves the per-tag counters by what is new in the ledger",
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
        self.feedback.queue.trigger(self.record_feedback, most_at_once=environment.functions.most_feedback_at_once)
        self.archive.queue.trigger(self.record_archive, most_at_once=environment.functions.most_archive_at_once)
        self._count_changes(state)
        for name, queue in (("Feedback", self.feedback.queue), ("Archive", self.archive.queue)):
            cdk.CfnOutput(self, f"{name}QueueUrl", value=queue.queue_url)
            cdk.CfnOutput(self, f"{name}DeadLetterQueueUrl", value=queue.kept.queue_url)
        for recorder in (self.record_feedback, self.record_archive):
            state.ledger.grant(recorder, "dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:Query")
            state.suppressions.grant(recorder, "dynamodb:GetItem", "dynamodb:PutItem")
        state.archive.grant_read(self.record_archive, f"{EVENTS_PREFIX}*")
        state.archive.grant_put(self.record_archive, f"{QUARANTINE_PREFIX}*")
        state.counters.grant(self.count_tags, "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem")

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


def _json(section: msgspec.Struct) -> str:
    return msgspec.json.encode(section).decode()
