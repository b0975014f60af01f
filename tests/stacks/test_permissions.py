"""Hold every statement of every role to a table with its purpose: what is not in the table is too much."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aws_cdk.assertions import Template

from aftersend.config.environment import ConfigurationSet, Identity
from aftersend.config.loader import load
from tests.stacks.conftest import build_stacks

IDENTITY_SETTINGS = (
    "ses:GetIdentityNotificationAttributes",
    "ses:GetIdentityVerificationAttributes",
    "ses:SetIdentityNotificationTopic",
    "ses:SetIdentityHeadersInNotificationsEnabled",
    "ses:SetIdentityFeedbackForwardingEnabled",
)
HEALTH = ("ses:GetIdentityDkimAttributes", "ses:GetIdentityMailFromDomainAttributes", "ses:GetAccount")
ACCOUNT_LIST = (
    *("ses:ListSuppressedDestinations", "ses:PutSuppressedDestination", "ses:DeleteSuppressedDestination"),
    *("ses:CreateImportJob", "ses:GetImportJob", "ses:GetAccount"),
)
CONSUME = (
    "sqs:ReceiveMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueUrl",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
)
WRITE_OBJECTS = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject")
SWITCH_SENDING = "ses:PutConfigurationSetSendingOptions"
READ_EVERYWHERE = (
    *("sts:GetCallerIdentity", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"),
    *("sns:GetSubscriptionAttributes", "ses:GetAccount", "ses:GetIdentityNotificationAttributes"),
    *("ses:ListContactLists", "ses:GetSuppressedDestination"),
)
READ_SUPPRESSIONS = ("dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan")
DESCRIBE_TABLE = ("dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:DescribeContinuousBackups")
DEAD_LETTERS = "ArchiveQueueDeadLetterQueue, FeedbackQueueDeadLetterQueue, FeedbackSubscriptionDeadLetterQueue"
ALL_QUEUES = ", ".join(sorted(["FeedbackQueue", "ArchiveQueue", *DEAD_LETTERS.split(", ")]))
ARN = "arn:aws:{}:eu-west-1:222222222222:{}"
STORED = ("aws/lambda", "firehose-failed", "identities", "quarantine")
CATALOG = ("catalog", "database/aftersend_prod", "database/default", "table/aftersend_prod/records")
STACKS = ("Dashboard", "Pipeline", "Publishing", "State")
HASH_KEY = {(("secretsmanager:GetSecretValue",), "RecipientHashKey"): "recognize forgotten recipients"}
RECORD = {
    (
        ("dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:Query"),
        "Ledger",
    ): "record events, read those of a recipient",
    (("dynamodb:Query", "dynamodb:PutItem"), "Suppressions"): "read and write suppression entries, read tombstones",
    **HASH_KEY,
}

PERMISSIONS: dict[str, dict[tuple[tuple[str, ...], str], str]] = {
    "FeedbackRecordFeedbackFunction": {(CONSUME, "FeedbackQueue"): "consume its queue", **RECORD},
    "ArchiveRecordArchiveFunction": {
        (CONSUME, "ArchiveQueue"): "consume its queue",
        **RECORD,
        (("s3:GetObject",), "Archive/events/*"): "read objects that Firehose wrote",
        (("s3:PutObject",), "Archive/quarantine/*"): "quarantine unparseable lines",
        (("s3:ListBucket",), "Archive"): "learn that an object is gone (NoSuchKey)",
    },
    "CountingCountTagsFunction": {
        (("dynamodb:ListStreams",), "*"): "find the stream",
        (("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"), "Ledger"): "read changes",
        (("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"), "Counters"): "move counters and checkpoints",
        (("s3:PutObject",), "Archive/aws/lambda/*"): "Lambda writes failed batches",
        (("s3:ListBucket",), "Archive"): "Lambda asks for it where it writes failed batches",
    },
    "SuppressionEventsPublishSuppressionsFunction": {
        (("dynamodb:ListStreams",), "*"): "find the stream",
        (
            ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
            "Suppressions",
        ): "read changes",
        (("events:PutEvents",), "SuppressionEventsBus"): "publish them",
        (
            ("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"),
            "RecipientHashKey",
        ): "read the key that recipients are hashed with",
        (("s3:PutObject",), "Archive/aws/lambda/*"): "Lambda writes failed batches",
        (("s3:ListBucket",), "Archive"): "Lambda asks for it where it writes failed batches",
    },
    "AccountListSyncAccountListFunction": {
        (("dynamodb:PutItem", "dynamodb:Query"), "Ledger"): "take addresses over, read events of a recipient",
        (
            ("dynamodb:Query", "dynamodb:PutItem", "dynamodb:BatchGetItem", "dynamodb:Scan"),
            "Suppressions",
        ): "compare the entries, and write those of what is taken over",
        **HASH_KEY,
        (("s3:GetObject", "s3:PutObject"), "Archive/account-list/*"): "continue where the last run stopped",
        (("s3:ListBucket",), "Archive"): "learn that no run has stopped (NoSuchKey)",
        (ACCOUNT_LIST, "*"): "read and change the account list",
    },
    "CountsCheckCountsFunction": {
        (("dynamodb:Query",), "Counters"): "read the sends and the values of tags",
        (("cloudwatch:GetMetricData",), "*"): "read SES's own metrics",
    },
    "CanarySendCanaryFunction": {
        (("dynamodb:Query",), "Ledger"): "look for the events of earlier messages",
        (("dynamodb:Query", "dynamodb:PutItem"), "Counters"): "remember which messages were sent",
        (
            ("ses:SendEmail",),
            ", ".join(
                ARN.format("ses", name) for name in ("configuration-set/newsletter", "identity/bookshop.example")
            ),
        ): "send messages to the mailbox simulator",
    },
    "SweepSweepSuppressionsFunction": {
        (
            ("dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem"),
            "Counters",
        ): "read how much was sent, and keep the size of the list",
        (
            ("dynamodb:PutItem", "dynamodb:Query"),
            "Ledger",
        ): "read events of a recipient, and keep the history of retention",
        (
            ("dynamodb:Query", "dynamodb:PutItem", "dynamodb:Scan"),
            "Suppressions",
        ): "find temporary entries, and write what follows",
        **HASH_KEY,
    },
    "WidgetsChangeSuppressionsFunction": {
        (
            ("dynamodb:PutItem", "dynamodb:Query"),
            "Ledger, Suppressions",
        ): "record an operator's act, read a recipient's events, read and write entries, read tombstones",
        **HASH_KEY,
        (
            ("ses:GetSuppressedDestination", "ses:DeleteSuppressedDestination"),
            "*",
        ): "delete from SES's account list what was removed, and show what it has",
    },
    "WidgetsEditor": {
        (("lambda:InvokeFunction",), "WidgetsChangeSuppressionsFunction"): "change suppressions on the dashboard",
    },
    "ReputationWatchRatesFunction": {
        (
            ("dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem"),
            "Counters",
        ): "read counters, remember what is paused",
        (
            ("ses:GetConfigurationSet", SWITCH_SENDING),
            ", ".join(ARN.format("ses", f"configuration-set/{name}") for name in ("newsletter", "receipts")),
        ): "pause sending of the environment's own configuration sets",
    },
    "NotificationsSetIdentityNotificationsFunction": {
        (("s3:GetObject", "s3:PutObject"), "Archive/identities/*"): "read and write the deployed settings",
        (("s3:ListBucket",), "Archive"): "learn that an identity has none (NoSuchKey)",
        (IDENTITY_SETTINGS, "*"): "set and restore notification settings",
    },
    "CheckCheckIdentitiesFunction": {
        (("s3:GetObject", "s3:PutObject"), "Archive/identities/*"): "read the deployed settings, note what is set",
        (("s3:ListBucket",), "Archive"): "list the deployed settings and failed objects",
        (IDENTITY_SETTINGS + HEALTH, "*"): "compare and restore notification settings, check identities and account",
    },
    "ArchiveStream": {
        (("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"), "Archive"): "write to the bucket",
        (WRITE_OBJECTS, "Archive/events/*, Archive/firehose-failed/*"): "write events, and what it could not process",
        (("logs:PutLogEvents",), "ArchiveStreamLogs"): "log what it could not write",
    },
    "PoliciesReader": {
        (READ_EVERYWHERE, "*"): "doctor; the account of the credentials",
        (
            ("cloudformation:DescribeStacks", "cloudformation:ListStackResources"),
            ", ".join(ARN.format("cloudformation", f"stack/Aftersend-prod-{name}/*") for name in STACKS),
        ): "find what is deployed",
        (("lambda:GetFunctionConfiguration",), ARN.format("lambda", "function:Aftersend-*")): "doctor",
        (("lambda:GetEventSourceMapping",), ARN.format("lambda", "event-source-mapping:*")): "doctor",
        (("sqs:GetQueueAttributes",), ALL_QUEUES): "doctor, failures list",
        (("sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"), DEAD_LETTERS): "failures list and show",
        (
            ("s3:ListBucket", "s3:GetBucketNotification", "s3:GetBucketLocation"),
            "Archive",
        ): "failures list, replay --dry-run, doctor; report",
        (
            ("s3:GetObject",),
            ", ".join(f"Archive/{name}/*" for name in sorted([*STORED, "events"])),
        ): "failures list and show, doctor; report: the archive",
        (
            ("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
            "Archive/reports/*",
        ): "report: write and read results",
        (
            (
                *("athena:StartQueryExecution", "athena:GetQueryExecution"),
                *("athena:GetQueryResults", "athena:StopQueryExecution"),
            ),
            ARN.format("athena", "workgroup/Aftersend-prod"),
        ): "report: query the archive",
        (
            ("glue:GetDatabase", "glue:GetTable", "glue:GetPartitions"),
            ", ".join(ARN.format("glue", name) for name in CATALOG),
        ): "report: find the table of the archive",
        (("sns:ListSubscriptionsByTopic",), "AlarmsPageTopic, AlarmsTicketTopic, FeedbackTopic"): "doctor",
        (("firehose:DescribeDeliveryStream",), "ArchiveStream"): "doctor",
        (DESCRIBE_TABLE, "Counters, Ledger, Suppressions"): "doctor",
        (("dynamodb:Query", "dynamodb:GetItem"), "Counters"): "doctor: the latest count, the state of a recount",
        (
            ("dynamodb:Query", "dynamodb:Scan"),
            "Ledger",
        ): "suppressions explain: a recipient's events; preview: recipients without an entry",
        (("dynamodb:Query",), "Ledger/index/feedback-by-day, Ledger/index/feedback-by-message"): "feedback",
        (READ_SUPPRESSIONS, "Suppressions"): "suppressions list, explain, check, export and preview",
        (
            ("secretsmanager:GetSecretValue",),
            "RecipientHashKey",
        ): "suppressions explain and check: forgotten recipients",
        (
            ("ses:GetConfigurationSet", "ses:GetConfigurationSetEventDestinations"),
            ARN.format("ses", "configuration-set/*"),
        ): "doctor",
        (("ses:GetEmailIdentity",), ARN.format("ses", "identity/*")): "doctor",
    },
    "PoliciesOperator": {
        (("sqs:SendMessage",), "ArchiveQueue, FeedbackQueue"): "redrive dead letters, announce objects",
        (("sqs:DeleteMessage",), DEAD_LETTERS): "redrive dead letters",
        (("s3:PutObject",), "Archive/events/*.redriven.gz"): "redrive lines and records",
        (
            ("s3:DeleteObject",),
            "Archive/aws/lambda/*, Archive/firehose-failed/*, Archive/quarantine/*",
        ): "redrive lines, records and batches",
        (("lambda:InvokeFunction",), "SuppressionEventsPublishSuppressionsFunction"): "redrive unpublished batches",
        (
            ("lambda:UpdateEventSourceMapping",),
            ARN.format("lambda", "event-source-mapping:CountingChangesMapping"),
        ): "recount: pause and resume counting",
        (
            ("dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"),
            "Ledger",
        ): "recount: read changes while the ledger is read",
        (
            ("dynamodb:Scan", "dynamodb:PutItem", "dynamodb:UpdateItem"),
            "Counters",
        ): "recount: compare and correct counters, move checkpoints",
        (
            ("dynamodb:PutItem", "dynamodb:DeleteItem"),
            "Ledger, Suppressions",
        ): "suppressions add, remove, import and rebuild; forget",
        (("dynamodb:GetItem",), "Suppressions"): "forget: read a tombstone",
        ((SWITCH_SENDING,), ARN.format("ses", "configuration-set/*")): "resume",
        (("ses:DeleteSuppressedDestination",), "*"): "suppressions remove and forget, at SES's account list",
        (("s3:GetLifecycleConfiguration",), "Archive"): "forget: say when the archive has expired",
    },
    "WidgetsViewer": {
        (("lambda:InvokeFunction",), "WidgetsShowWidgetsFunction"): "look at the dashboard",
        (
            ("cloudwatch:GetDashboard",),
            "arn:aws:cloudwatch::222222222222:dashboard/",
        ): "aftersend dashboard: its layout",
        (("cloudwatch:GetMetricData",), "*"): "aftersend dashboard: its graphs",
        (
            ("cloudformation:DescribeStacks",),
            ", ".join(ARN.format("cloudformation", f"stack/Aftersend-prod-{name}/*") for name in STACKS),
        ): "aftersend dashboard: find it",
    },
    "ArchiveNotificationsHandlerPolicy": {
        (("s3:GetBucketNotification", "s3:PutBucketNotification"), "Archive"): "set its notifications (the CDK's own)",
    },
    "Setnewsletter": {(("firehose:PutRecordBatch",), "ArchiveStream"): "SES writes events of the set"},
    "Setreceipts": {(("firehose:PutRecordBatch",), "ArchiveStream"): "SES writes events of the set"},
}

EVERY_RESOURCE = {
    **dict.fromkeys(READ_EVERYWHERE, "it reads, and its resource has no type or no name that is known before"),
    "dynamodb:ListStreams": "it has no resource type (service authorization reference of Amazon DynamoDB)",
    **dict.fromkeys(
        (*IDENTITY_SETTINGS, *HEALTH, *ACCOUNT_LIST, "ses:GetSuppressedDestination"),
        "SES has no resource-level permissions for them (its service authorization reference)",
    ),
}
"""Why an action is allowed on every resource."""


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def construct_path(resource: Any) -> str:
    """Return the path of the construct that makes a resource, without separators."""
    if isinstance(resource, str):
        return resource
    [(function, argument)] = resource.items()
    if function == "Fn::Join":
        return "".join(construct_path(part) for part in argument[1])
    name = argument[0] if isinstance(argument, list) else re.sub(r".*ExportsOutput(FnGetAtt|Ref)", "", argument)
    return re.sub(r"(Resource)?[0-9A-F]{8}.*", "", name)


def owner(name: str) -> str:
    """Return the construct that a role or policy is of, without the digests of names."""
    return re.split(r"ServiceRole|Role[0-9A-F]|[0-9A-F]{8}|Role", re.sub(r"[0-9a-f]{8}", "", name))[0]


@pytest.fixture(scope="session")
def statements(templates: dict[str, Template]) -> list[tuple[str, tuple[str, ...], str]]:
    """Return which role may do what on which resource."""
    statements = []
    for template in templates.values():
        for name, resource in template.to_json()["Resources"].items():
            properties = resource.get("Properties", {})
            is_policy = resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
            documents = [properties["PolicyDocument"]] if is_policy else []
            if resource["Type"] == "AWS::IAM::Role":
                documents = [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
            statements += [
                (
                    owner(name),
                    tuple(as_list(statement["Action"])),
                    ", ".join(sorted(map(construct_path, as_list(statement["Resource"])))),
                )
                for document in documents
                for statement in document["Statement"]
            ]
    return statements


def test_function_that_shows_widgets_has_the_policy_of_readers_and_nothing_else(templates: dict[str, Template]):
    [role] = [
        role
        for name, role in templates["Dashboard"].find_resources("AWS::IAM::Role").items()
        if owner(name) == "WidgetsShowWidgetsFunction"
    ]
    managed = [construct_path(policy) for policy in role["Properties"]["ManagedPolicyArns"]]
    assert [name for name in managed if "AWSLambdaBasicExecutionRole" not in name] == ["PoliciesReader"]


def test_every_role_may_do_exactly_what_it_is_for(statements: list[tuple[str, tuple[str, ...], str]]):
    allowed: dict[str, set[tuple[tuple[str, ...], str]]] = {}
    for owner, actions, resource in statements:
        allowed.setdefault(owner, set()).add((tuple(sorted(actions)), resource))
    expected = {
        owner: {(tuple(sorted(actions)), resource) for actions, resource in permissions}
        for owner, permissions in PERMISSIONS.items()
    }
    assert allowed == expected


def test_permission_on_every_resource_has_a_reason(statements: list[tuple[str, tuple[str, ...], str]]):
    everywhere = {action for _, actions, resource in statements if resource == "*" for action in actions}
    assert everywhere == set(EVERY_RESOURCE)


def test_no_role_may_do_everything(statements: list[tuple[str, tuple[str, ...], str]]):
    assert not [actions for _, actions, _ in statements if {"*", "s3:*", "dynamodb:*", "ses:*", "kms:*"} & {*actions}]


@pytest.mark.slow
def test_policies_for_people_do_not_grow_with_the_environment(templates: dict[str, Template], tmp_path: Path):
    """IAM accepts 6,144 characters: with forty names in it, a policy would be refused, and the deployment with it."""
    prod = load("prod")
    identities = {f"shop-{number}.example": Identity() for number in range(40)}
    sets = {f"set-{number}": ConfigurationSet() for number in range(10)}
    larger = msgspec.structs.replace(
        prod, identities=prod.identities | identities, configuration_sets=prod.configuration_sets | sets
    )
    pipeline = Template.from_stack(build_stacks(larger, tmp_path)["Pipeline"])
    assert pipeline.find_resources("AWS::IAM::ManagedPolicy") == templates["Pipeline"].find_resources(
        "AWS::IAM::ManagedPolicy"
    )
