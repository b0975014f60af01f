"""Hold the evaluator of IAM policies to the rules of IAM, as far as our templates use them."""

from typing import Any

import pytest

from tests.evaluators.iam import Call, is_allowed, statements_of, unused
from tests.evaluators.templates import Templates

OBJECT, BUCKET = "arn:aws:s3:::State.Archive/events/key", "arn:aws:s3:::State.Archive"
GET = Call("s3:GetObject", OBJECT)
LIST_EVENTS, LIST_ALL = Call("s3:ListBucket", BUCKET, "events/"), Call("s3:ListBucket", BUCKET)


def statement(
    action: Any = "s3:GetObject", resource: Any = OBJECT, effect: str = "Allow", **more: Any
) -> dict[str, Any]:
    return {"Action": action, "Resource": resource, "Effect": effect, **more}


def templates(*statements: dict[str, Any], bucket_policy: list[dict[str, Any]] | None = None) -> Templates:
    """Return the templates of a role with a policy, and a bucket of another stack that the policy may import."""
    policy = {"PolicyDocument": {"Statement": [*statements]}, "Roles": [{"Ref": "Role"}]}
    state = {
        "Resources": {
            "Archive": {"Type": "AWS::S3::Bucket"},
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"PolicyDocument": {"Statement": bucket_policy or []}},
            },
        },
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Archive", "Arn"]}, "Export": {"Name": "archive"}}},
    }
    pipeline = {
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role"},
            "RolePolicy": {"Type": "AWS::IAM::Policy", "Properties": policy},
        }
    }
    return Templates({"State": state, "Pipeline": pipeline})


def allows(call: Call, *statements: dict[str, Any], **more: Any) -> bool:
    environment = templates(*statements, **more)
    return is_allowed(call, statements_of(environment.only("AWS::IAM::Role"), environment))


@pytest.mark.parametrize(
    ("call", "statements", "allowed"),
    [
        (GET, [], False),
        (GET, [statement()], True),
        (GET, [statement(["s3:PutObject", "s3:getobject"])], True),
        (GET, [statement("s3:Get*")], True),
        (GET, [statement("s3:GetObject?")], False),
        (GET, [statement(resource=BUCKET)], False),
        (GET, [statement(resource=f"{BUCKET}/events/*")], True),
        (GET, [statement(resource=f"{BUCKET}/EVENTS/*")], False),
        (GET, [statement(resource=f"{BUCKET}/quarantine/*")], False),
        (GET, [statement(), statement("*", "*", "Deny")], False),
        (GET, [statement(), statement("s3:DeleteObject", effect="Deny")], True),
        (Call("ses:GetAccount", "*"), [statement("ses:GetAccount", "arn:aws:ses:eu-west-1:1:identity/a")], False),
        (
            LIST_EVENTS,
            [statement("s3:ListBucket", BUCKET, Condition={"StringLike": {"s3:prefix": ["events/*"]}})],
            True,
        ),
        (LIST_ALL, [statement("s3:ListBucket", BUCKET, Condition={"StringLike": {"s3:prefix": "events/*"}})], False),
        (LIST_EVENTS, [statement("s3:ListBucket", BUCKET, Condition={"StringEquals": {"s3:prefix": "x"}})], False),
    ],
    ids=str,
)
def test_call_is_allowed_as_iam_would(call: Call, statements: list[dict[str, Any]], allowed: bool):
    assert allows(call, *statements) == allowed


@pytest.mark.parametrize(
    "resource",
    [
        {"Fn::Join": ["", [{"Fn::ImportValue": "archive"}, "/events/*"]]},
        {"Fn::Sub": ["${bucket}/events/*", {"bucket": {"Fn::ImportValue": "archive"}}]},
        {"Fn::Sub": "arn:${AWS::Partition}:s3:::State.Archive/*"},
    ],
    ids=["Join", "Sub with values", "Sub"],
)
def test_resources_are_found_across_stacks(resource: Any):
    assert allows(GET, statement(resource=resource))


def test_bucket_that_denies_everybody_denies_the_role():
    denial = statement("s3:*", "*", "Deny", Principal={"AWS": "*"})
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    assert not allows(GET, statement(), bucket_policy=[denial])
    assert allows(GET, statement(), bucket_policy=[denial | {"Condition": insecure}])


@pytest.mark.parametrize(
    "unknown", [{"NotAction": "s3:*"}, {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}], ids=str
)
def test_what_the_evaluator_does_not_know_is_an_error(unknown: dict[str, Any]):
    with pytest.raises(NotImplementedError):
        allows(GET, statement(**unknown))


def test_unused_permissions_are_actions_resources_and_wildcards():
    environment = templates(statement(["s3:Get*", "s3:PutObject"], [OBJECT, BUCKET]))
    statements = statements_of(environment.only("AWS::IAM::Role"), environment)
    assert unused(statements, [GET]) == sorted(["s3:Get* (a wildcard)", "s3:PutObject", BUCKET])
