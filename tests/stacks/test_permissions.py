"""Hold every statement of every role to a table with its purpose: what is not in the table is too much."""

import re
from typing import Any

import pytest
from aws_cdk.assertions import Template

IDENTITY_SETTINGS = (
    "ses:GetIdentityNotificationAttributes",
    "ses:GetIdentityVerificationAttributes",
    "ses:SetIdentityNotificationTopic",
    "ses:SetIdentityHeadersInNotificationsEnabled",
    "ses:SetIdentityFeedbackForwardingEnabled",
)
HEALTH = ("ses:GetIdentityDkimAttributes", "ses:GetIdentityMailFromDomainAttributes", "ses:GetAccount")
CONSUME = (
    "sqs:ReceiveMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueUrl",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
)
ALL_OBJECTS = (
    *("s3:GetObject*", "s3:GetBucket*", "s3:List*", "s3:DeleteObject*", "s3:PutObject", "s3:PutObjectLegalHold"),
    *("s3:PutObjectRetention", "s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:Abort*"),
)
RECORD = {
    (
        ("dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:Query"),
        "Ledger",
    ): "record events, read those of a recipient",
    (("dynamodb:GetItem", "dynamodb:PutItem"), "Suppressions"): "read and write suppression entries",
}

PERMISSIONS: dict[str, dict[tuple[tuple[str, ...], str], str]] = {
    "FeedbackRecordFeedbackFunction": {(CONSUME, "FeedbackQueue"): "consume its queue", **RECORD},
    "ArchiveRecordArchiveFunction": {
        (CONSUME, "ArchiveQueue"): "consume its queue",
        **RECORD,
        (("s3:GetObject",), "Archive/events/*"): "read objects that Firehose wrote",
        (("s3:PutObject",), "Archive/quarantine/*"): "quarantine unparseable lines",
    },
    "CountingCountTagsFunction": {
        (("dynamodb:ListStreams",), "*"): "find the stream",
        (("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"), "Ledger"): "read changes",
        (("dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem"), "Counters"): "move counters and checkpoints",
        (ALL_OBJECTS, "Archive, Archive/*"): "write failed batches (the CDK's own grant)",
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
    "ArchiveStreamS3Destination": {
        (ALL_OBJECTS, "Archive, Archive/*"): "write the archive (the CDK's own grant)",
        (("logs:CreateLogStream", "logs:PutLogEvents"), "ArchiveStreamLogs"): "log what it could not write",
    },
    "ArchiveNotificationsHandlerPolicy": {
        (("s3:GetBucketNotification", "s3:PutBucketNotification"), "Archive"): "set its notifications (the CDK's own)",
    },
    "Setnewsletterarchiverole": {(("firehose:PutRecordBatch",), "ArchiveStream"): "SES writes events of the set"},
    "Setreceiptsarchiverole": {(("firehose:PutRecordBatch",), "ArchiveStream"): "SES writes events of the set"},
}

EVERY_RESOURCE = {
    "dynamodb:ListStreams": "it has no resource type (service authorization reference of Amazon DynamoDB)",
    **dict.fromkeys(
        IDENTITY_SETTINGS + HEALTH,
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


@pytest.fixture(scope="session")
def statements(templates: dict[str, Template]) -> list[tuple[str, tuple[str, ...], str]]:
    """Return which role may do what on which resource."""
    statements = []
    for template in templates.values():
        for name, resource in template.to_json()["Resources"].items():
            properties = resource.get("Properties", {})
            documents = [properties["PolicyDocument"]] if resource["Type"] == "AWS::IAM::Policy" else []
            if resource["Type"] == "AWS::IAM::Role":
                documents = [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
            owner = re.split(r"ServiceRole|Role[0-9A-F]|[0-9A-F]{8}|Role", name)[0]
            statements += [
                (
                    owner,
                    tuple(as_list(statement["Action"])),
                    ", ".join(map(construct_path, as_list(statement["Resource"]))),
                )
                for document in documents
                for statement in document["Statement"]
            ]
    return statements


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
