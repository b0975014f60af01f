"""Create the managed policies that people need for the commands of docs/operations.md, and no more."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from aftersend.config.environment import Environment
from aftersend.contract import (
    EVENTS_PREFIX,
    FAILED_BATCHES_PREFIX,
    FIREHOSE_ERRORS_PREFIX,
    QUARANTINE_PREFIX,
    REDRIVEN_SUFFIX,
)
from stacks.acknowledgments import acknowledge
from stacks.alarms import Alarms
from stacks.archive_route import ArchiveRoute
from stacks.feedback_route import FeedbackRoute
from stacks.state import State

READ_EVERYWHERE = (
    "sts:GetCallerIdentity",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "lambda:ListEventSourceMappings",
    "lambda:GetEventSourceMapping",
    "ses:GetAccount",
    "ses:GetConfigurationSet",
    "ses:GetConfigurationSetEventDestinations",
    "ses:GetContactList",
    "ses:GetEmailIdentity",
    "ses:GetIdentityNotificationAttributes",
    "ses:GetIdentityVerificationAttributes",
    "ses:ListConfigurationSets",
    "ses:ListContactLists",
    "ses:ListEmailIdentities",
)
"""Actions without a resource type, or on resources whose names are only known while asking. They change nothing."""

STACKS = ("State", "Pipeline", "Publishing")
"""The stacks whose outputs the commands read."""

STORED_FAILURES = tuple(f"{prefix}*" for prefix in (QUARANTINE_PREFIX, FIREHOSE_ERRORS_PREFIX, FAILED_BATCHES_PREFIX))
REDRIVABLE = (f"{QUARANTINE_PREFIX}*", f"{FIREHOSE_ERRORS_PREFIX}*")
REDRIVEN = f"{EVENTS_PREFIX}*{REDRIVEN_SUFFIX}"


class OperatorPolicies(Construct):
    """`reader` lets people ask, `operator` lets them, besides, hand back and replay."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        state: State,
        alarms: Alarms,
        feedback: FeedbackRoute,
        archive: ArchiveRoute,
    ) -> None:
        super().__init__(scope, id)
        stacks = [
            cdk.Stack.of(self).format_arn(
                service="cloudformation", resource="stack", resource_name=f"Aftersend-{environment.name}-{name}/*"
            )
            for name in STACKS
        ]
        tables = [table.table_arn for table in (state.ledger, state.counters, state.suppressions)]
        topics = [topic.topic_arn for topic in (feedback.topic, *alarms.topics.values())]
        source_queues = [route.queues.queue.queue_arn for route in (feedback, archive)]
        dead_letter_queues = [route.queues.dead_letter_queue.queue_arn for route in (feedback, archive)]
        dead_letter_queues.append(feedback.undelivered.queue_arn)
        bucket = state.archive
        self.reader = self._policy(
            "Reader",
            "see what waits, what failed and what is wrong",
            _allow(["*"], *READ_EVERYWHERE),
            _allow(stacks, "cloudformation:DescribeStacks"),
            _allow([*source_queues, *dead_letter_queues], "sqs:GetQueueAttributes"),
            _allow(dead_letter_queues, "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"),
            bucket.statement("s3:ListBucket"),
            *(bucket.statement("s3:GetObject", objects=pattern) for pattern in STORED_FAILURES),
            _allow(topics, "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"),
            _allow(tables, "dynamodb:GetItem", "dynamodb:Query"),
        )
        self.operator = self._policy(
            "Operator",
            "redrive what failed and replay the archive; attach the reader's policy as well",
            _allow(source_queues, "sqs:SendMessage"),
            _allow(dead_letter_queues, "sqs:DeleteMessage"),
            bucket.statement("s3:PutObject", objects=REDRIVEN),
            *(bucket.statement("s3:DeleteObject", objects=pattern) for pattern in REDRIVABLE),
        )
        bucket.acknowledge_objects(self.reader, *STORED_FAILURES)
        bucket.acknowledge_objects(self.operator, REDRIVEN, *REDRIVABLE)
        anything = [f"IAM5[Resource::{arn}]" for arn in ("*", *stacks)]
        acknowledge(
            self.reader, "These actions only read, and have no resource or one without a fixed name.", *anything
        )

    def _policy(self, id: str, purpose: str, *statements: iam.PolicyStatement) -> iam.ManagedPolicy:
        return iam.ManagedPolicy(self, id, description=f"Aftersend: {purpose}", statements=[*statements])


def _allow(resources: list[str], *actions: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[*actions], resources=resources)
