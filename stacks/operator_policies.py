"""Create the managed policies that people need for the commands of docs/operations.md, and no more."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import (
    EVENTS_PREFIX,
    FAILED_BATCHES_PREFIX,
    FEEDBACK_INDEXES,
    FIREHOSE_ERRORS_PREFIX,
    IDENTITIES_PREFIX,
    QUARANTINE_PREFIX,
    REDRIVEN_SUFFIX,
    REPORTS_PREFIX,
)
from stacks.acknowledgments import acknowledge
from stacks.alarms import Alarms
from stacks.archive_bucket import ArchiveBucket
from stacks.archive_route import ArchiveRoute
from stacks.counting import Counting
from stacks.feedback_route import FeedbackRoute
from stacks.reports import Reports
from stacks.state import State

READ_EVERYWHERE = (
    "sts:GetCallerIdentity",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "sns:GetSubscriptionAttributes",
    "ses:GetAccount",
    "ses:GetIdentityNotificationAttributes",
    "ses:ListContactLists",
    "ses:GetSuppressedDestination",
)
"""Read-only actions that have no resource type, or whose resources' names are not known before the call."""

SWITCH_SENDING = "ses:PutConfigurationSetSendingOptions"

DELETE_LISTED = "ses:DeleteSuppressedDestination"
"""It has no resource type, like all actions on the account suppression list."""

STACKS = ("State", "Pipeline", "Publishing", "Dashboard")

DESCRIBE_TABLE = ("dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:DescribeContinuousBackups")

FUNCTION_PATTERNS = ("function:Aftersend-*", "event-source-mapping:*")

FAILED = tuple(f"{prefix}*" for prefix in (QUARANTINE_PREFIX, FIREHOSE_ERRORS_PREFIX, FAILED_BATCHES_PREFIX))
READABLE = (*FAILED, f"{IDENTITIES_PREFIX}*")
REDRIVEN = f"{EVENTS_PREFIX}*{REDRIVEN_SUFFIX}"
"""Patterns of keys in the archive bucket."""


class OperatorPolicies(Construct):
    """`reader` allows to query a deployment; `operator`, attached in addition, allows to redrive and replay."""

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
        publisher: lambda_.Function,
        counting: Counting,
        reports: Reports,
    ) -> None:
        super().__init__(scope, id)
        queues = [route.queues.queue.queue_arn for route in (feedback, archive)]
        dead_letters = [route.queues.dead_letter_queue.queue_arn for route in (feedback, archive)]
        dead_letters.append(feedback.subscription_dead_letter_queue.queue_arn)
        # Not by name: IAM accepts 6,144 characters of a managed policy ("IAM and AWS STS quotas").
        sets, identities = self._arns("ses", "configuration-set/*", "identity/*")
        self.reader = self._policy(
            "Reader",
            "query queues, failed records and settings",
            *self._read_stacks(environment),
            *_read_failures(state.archive, queues, dead_letters),
            _allow(
                [topic.topic_arn for topic in (feedback.topic, *alarms.topics.values())], "sns:ListSubscriptionsByTopic"
            ),
            _allow([archive.stream.delivery_stream_arn], "firehose:DescribeDeliveryStream"),
            *_read_tables(state),
            _allow([sets], "ses:GetConfigurationSet", "ses:GetConfigurationSetEventDestinations"),
            _allow([identities], "ses:GetEmailIdentity"),
            *reports.statements(),
        )
        self.operator = self._policy(
            "Operator",
            "redrive, replay, recount, resume, change suppressions, forget recipients; needs the reader policy, too",
            *_redrive(state.archive, queues, dead_letters),
            *_change_recipients(state),
            _allow([publisher.function_arn], "lambda:InvokeFunction"),
            *_recount(state, counting),
            _allow([sets], SWITCH_SENDING),
        )
        self._acknowledge(state.archive, stack_arns(self, environment), sets, identities)

    def _read_stacks(self, environment: Environment) -> list[iam.PolicyStatement]:
        """Allow what has no resource type, and reading the stacks, functions and their event source mappings."""
        functions, mappings = self._arns("lambda", *FUNCTION_PATTERNS)
        return [
            _allow(["*"], *READ_EVERYWHERE),
            _allow(stack_arns(self, environment), "cloudformation:DescribeStacks", "cloudformation:ListStackResources"),
            _allow([functions], "lambda:GetFunctionConfiguration"),
            _allow([mappings], "lambda:GetEventSourceMapping"),
        ]

    def _acknowledge(self, archive: ArchiveBucket, stacks: list[str], sets: str, identities: str) -> None:
        archive.acknowledge_objects(self.reader, *READABLE, f"{EVENTS_PREFIX}*", f"{REPORTS_PREFIX}*")
        archive.acknowledge_objects(self.operator, REDRIVEN, *FAILED)
        patterns = ("*", *stacks, *self._arns("lambda", *FUNCTION_PATTERNS), sets, identities)
        wildcards = [f"IAM5[Resource::{arn}]" for arn in patterns]
        acknowledge(self.operator, "SES has no resource-level permissions for its suppression list.", wildcards[0])
        acknowledge(self.operator, "There may be too many configuration sets.", f"IAM5[Resource::{sets}]")
        acknowledge(self.reader, "These actions only read; AWS chooses the names, or there are too many.", *wildcards)

    def _arns(self, service: str, *resources: str) -> list[str]:
        stack = cdk.Stack.of(self)
        return [f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{resource}" for resource in resources]

    def _policy(self, id: str, purpose: str, *statements: iam.PolicyStatement) -> iam.ManagedPolicy:
        return iam.ManagedPolicy(self, id, description=f"Aftersend: {purpose}", statements=[*statements])


def stack_arns(scope: Construct, environment: Environment) -> list[str]:
    """Return patterns of the ARNs of an environment's stacks. CloudFormation chooses how they end."""
    stack = cdk.Stack.of(scope)
    names = [f"stack/Aftersend-{environment.name}-{name}/*" for name in STACKS]
    return [f"arn:{stack.partition}:cloudformation:{stack.region}:{stack.account}:{name}" for name in names]


def _read_tables(state: State) -> list[iam.PolicyStatement]:
    """Allow reading the tables, the indexes of feedback and the hash key of forgotten recipients."""
    ledger, counters, suppressions = (table.table_arn for table in (state.ledger, state.counters, state.suppressions))
    return [
        _allow([ledger, counters, suppressions], *DESCRIBE_TABLE),
        _allow([counters], "dynamodb:Query", "dynamodb:GetItem"),
        _allow([ledger], "dynamodb:Query", "dynamodb:Scan"),
        _allow([f"{ledger}/index/{name}" for name in FEEDBACK_INDEXES], "dynamodb:Query"),
        _allow([suppressions], "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"),
        state.hash_key_statement(),
    ]


def _read_failures(archive: ArchiveBucket, queues: list[str], dead_letters: list[str]) -> list[iam.PolicyStatement]:
    """Allow reading the state of queues, dead letters and the objects of the archive bucket that READABLE names."""
    return [
        _allow([*queues, *dead_letters], "sqs:GetQueueAttributes"),
        _allow(dead_letters, "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"),
        archive.statement("s3:ListBucket", "s3:GetBucketNotification"),
        *(archive.statement("s3:GetObject", objects=pattern) for pattern in READABLE),
    ]


def _redrive(archive: ArchiveBucket, queues: list[str], dead_letters: list[str]) -> list[iam.PolicyStatement]:
    """Allow redriving failed records, and announcing objects to the archive queue."""
    return [
        _allow(queues, "sqs:SendMessage"),
        _allow(dead_letters, "sqs:DeleteMessage"),
        archive.statement("s3:PutObject", objects=REDRIVEN),
        *(archive.statement("s3:DeleteObject", objects=pattern) for pattern in FAILED),
    ]


def _change_recipients(state: State) -> list[iam.PolicyStatement]:
    """Allow recording operators' acts and deciding again, and forgetting recipients."""
    suppressions = state.suppressions.table_arn
    return [
        _allow([state.ledger.table_arn, suppressions], "dynamodb:PutItem", "dynamodb:DeleteItem"),
        _allow([suppressions], "dynamodb:GetItem"),
        _allow(["*"], DELETE_LISTED),
        state.archive.statement("s3:GetLifecycleConfiguration"),
    ]


def _recount(state: State, counting: Counting) -> list[iam.PolicyStatement]:
    """Allow pausing count_tags, reading the ledger's stream beside it, and correcting counters."""
    stream = state.ledger.table_stream_arn
    assert stream
    return [
        _allow([counting.mapping_arn], "lambda:UpdateEventSourceMapping"),
        _allow([stream], "dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"),
        _allow([state.counters.table_arn], "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:UpdateItem"),
    ]


def _allow(resources: list[str], *actions: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[*actions], resources=resources)
