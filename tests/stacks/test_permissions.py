"""Every statement of every role, with what it is for: whatever is not in the table is too much."""

import re
from typing import Any

import pytest
from aws_cdk.assertions import Template

SES_SETTINGS = (
    "ses:GetIdentityNotificationAttributes",
    "ses:GetIdentityVerificationAttributes",
    "ses:SetIdentityNotificationTopic",
    "ses:SetIdentityHeadersInNotificationsEnabled",
    "ses:SetIdentityFeedbackForwardingEnabled",
)
CONSUME = (
    "sqs:ReceiveMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueUrl",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
)
TO_ANY_KEY_OF_THE_BUCKET = (
    *("s3:GetObject*", "s3:GetBucket*", "s3:List*", "s3:DeleteObject*", "s3:PutObject", "s3:PutObjectLegalHold"),
    *("s3:PutObjectRetention", "s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:Abort*"),
)
RECORD = {
    (("dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:Query"), "Ledger"): "record events, read facts",
    (("dynamodb:GetItem", "dynamodb:PutItem"), "Suppressions"): "read and write entries",
}

PERMISSIONS: dict[str, dict[tuple[tuple[str, ...], str], str]] = {
    "RecordFeedback": {(CONSUME, "FeedbackQueue"): "take its messages", **RECORD},
    "RecordArchive": {
        (CONSUME, "ArchiveQueue"): "take its messages",
        **RECORD,
        (("s3:GetObject",), "Archive/events/*"): "read what Firehose wrote",
        (("s3:PutObject",), "Archive/quarantine/*"): "keep what nobody understood",
    },
    "CountTags": {
        (("dynamodb:ListStreams",), "*"): "find the stream",
        (("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"), "Ledger"): "read changes",
        (("dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem"), "Counters"): "move counters and positions",
        (TO_ANY_KEY_OF_THE_BUCKET, "Archive, Archive/*"): "keep batches that fail (the CDK's own grant)",
    },
    "NotificationsSetIdentityNotifications": {
        (("s3:PutObject", "s3:DeleteObject"), "Archive/identities/*"): "remember what is deployed",
        (SES_SETTINGS, "*"): "set and restore notification settings",
    },
    "CheckFunction": {
        (("s3:GetObject", "s3:PutObject"), "Archive/identities/*"): "know what is deployed, and whether it was set",
        (("s3:ListBucket",), "Archive"): "find all that is deployed",
        (SES_SETTINGS, "*"): "compare notification settings and put them back",
    },
    "ArchiveStreamS3Destination": {
        (TO_ANY_KEY_OF_THE_BUCKET, "Archive, Archive/*"): "write the archive (the CDK's own grant)",
        (("logs:CreateLogStream", "logs:PutLogEvents"), "ArchiveStreamLogs"): "say what it could not write",
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
        SES_SETTINGS, "SES knows no resource-level permissions for them (its service authorization reference)"
    ),
}
"""Why an action is allowed on every resource."""


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def shown(resource: Any) -> str:
    """A resource by the name its construct has in our code."""
    if isinstance(resource, str):
        return resource
    [(function, argument)] = resource.items()
    if function == "Fn::Join":
        return "".join(shown(part) for part in argument[1])
    name = argument[0] if isinstance(argument, list) else re.sub(r".*ExportsOutput(FnGetAtt|Ref)", "", argument)
    return re.sub(r"(Resource)?[0-9A-F]{8}.*", "", name)


@pytest.fixture(scope="session")
def statements(templates: dict[str, Template]) -> list[tuple[str, tuple[str, ...], str]]:
    """Who may do what on which resource."""
    found = []
    for template in templates.values():
        for name, resource in template.to_json()["Resources"].items():
            properties = resource.get("Properties", {})
            documents = [properties["PolicyDocument"]] if resource["Type"] == "AWS::IAM::Policy" else []
            if resource["Type"] == "AWS::IAM::Role":
                documents = [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
            owner = re.split(r"ServiceRole|Role[0-9A-F]|[0-9A-F]{8}|Role", name)[0]
            found += [
                (owner, tuple(listed(statement["Action"])), ", ".join(map(shown, listed(statement["Resource"]))))
                for document in documents
                for statement in document["Statement"]
            ]
    return found


def test_every_role_may_do_what_it_is_for_and_no_more(statements: list[tuple[str, tuple[str, ...], str]]):
    allowed: dict[str, set[tuple[tuple[str, ...], str]]] = {}
    for owner, actions, resource in statements:
        allowed.setdefault(owner, set()).add((tuple(sorted(actions)), resource))
    expected = {
        owner: {(tuple(sorted(actions)), resource) for actions, resource in permissions}
        for owner, permissions in PERMISSIONS.items()
    }
    assert allowed == expected


def test_what_is_allowed_everywhere_has_a_reason(statements: list[tuple[str, tuple[str, ...], str]]):
    everywhere = {action for _, actions, resource in statements if resource == "*" for action in actions}
    assert everywhere == set(EVERY_RESOURCE)


def test_nothing_may_do_everything(statements: list[tuple[str, tuple[str, ...], str]]):
    assert not [actions for _, actions, _ in statements if {"*", "s3:*", "dynamodb:*", "ses:*", "kms:*"} & {*actions}]
