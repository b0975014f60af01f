"""Evaluate IAM policies: whether a role may make a call, and which of its permissions no call uses.

Source: "Policy evaluation logic" and "IAM JSON policy elements reference" in the IAM user guide.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.evaluators.templates import Resource, Templates


@dataclass(frozen=True)
class Call:
    """One action on one resource, as IAM sees it."""

    action: str
    resource: str
    """Its ARN; "*" where the action knows no resources."""
    prefix: str | None = None
    """The condition key `s3:prefix`: what a listing is limited to."""

    @property
    def context(self) -> dict[str, str]:
        context = {"aws:SecureTransport": "true"}
        return context if self.prefix is None else context | {"s3:prefix": self.prefix}


@dataclass(frozen=True)
class Statement:
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]]

    def applies_to(self, call: Call) -> bool:
        return (
            any(matches(action.lower(), call.action.lower()) for action in self.actions)
            and any(matches(resource, call.resource) for resource in self.resources)
            and all(
                _holds(operator, key, _listed(expected), call.context)
                for operator, keys in self.conditions.items()
                for key, expected in keys.items()
            )
        )


MANAGED = {
    "AWSLambdaBasicExecutionRole": Statement(
        "Allow", ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"), ("*",), {}
    )
}
"""What the AWS managed policies allow that roles refer to."""


def statements_of(role: Resource, templates: Templates) -> list[Statement]:
    """Return the statements of all policies of a role, and of the policies of resources that apply to everybody."""
    documents = [policy["PolicyDocument"] for policy in role.properties.get("Policies", ())]
    for policy in [*templates.of_type("AWS::IAM::Policy"), *templates.of_type("AWS::IAM::ManagedPolicy")]:
        if role.name in policy.properties.get("Roles", ()):
            documents += [policy.properties["PolicyDocument"]]
    statements = [_statement(each) for document in documents for each in _listed(document["Statement"])]
    managed = [MANAGED[arn.rpartition("/")[2]] for arn in role.properties.get("ManagedPolicyArns", ())]
    return statements + managed + list(_denials_to_everybody(templates))


def statements_of_policy(policy: Resource) -> list[Statement]:
    """Return the statements of one policy."""
    return [_statement(each) for each in _listed(policy.properties["PolicyDocument"]["Statement"])]


def _denials_to_everybody(templates: Templates) -> Iterator[Statement]:
    for policy_type in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        for policy in templates.of_type(policy_type):
            for statement in policy.properties["PolicyDocument"]["Statement"]:
                if statement["Effect"] == "Deny" and statement["Principal"] in ("*", {"AWS": "*"}):
                    yield _statement(statement)


def is_allowed(call: Call, statements: Iterable[Statement]) -> bool:
    """Return whether a statement allows the call and none denies it."""
    effects = {statement.effect for statement in statements if statement.applies_to(call)}
    return effects == {"Allow"}


def unused(statements: Iterable[Statement], calls: Iterable[Call]) -> list[str]:
    """Return the permissions that no call uses: actions with a wildcard, other actions, and resources."""
    calls, result = list(calls), []
    for statement in statements:
        if statement.effect == "Allow":
            uses = [call for call in calls if statement.applies_to(call)]
            result += [f"{name} (a wildcard)" for name in statement.actions if "*" in name]
            result += [name for name in statement.actions if not any(matches(name, call.action) for call in uses)]
            result += [arn for arn in statement.resources if not any(matches(arn, call.resource) for call in uses)]
    return sorted(set(result))


def matches(pattern: str, value: str) -> bool:
    """Return whether a value matches a pattern with the wildcards * and ?."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.DOTALL) is not None


def _holds(operator: str, key: str, expected: list[str], context: Mapping[str, str]) -> bool:
    """Evaluate one condition. A key that the call does not have fulfils none of these operators.

    Raises:
        NotImplementedError: if no policy had this operator until now.
    """
    value = context.get(key)
    match operator:
        case "StringEquals":
            return value in expected
        case "StringLike":
            return value is not None and any(matches(pattern, value) for pattern in expected)
        case "Bool":
            return value is not None and value.lower() in [str(each).lower() for each in expected]
    raise NotImplementedError(f"the condition operator {operator}")


def _statement(statement: Mapping[str, Any]) -> Statement:
    unknown = statement.keys() - {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}
    if unknown:
        raise NotImplementedError(f"{', '.join(sorted(unknown))} in a policy statement")
    actions, resources = tuple(_listed(statement["Action"])), tuple(_listed(statement["Resource"]))
    return Statement(statement["Effect"], actions, resources, statement.get("Condition", {}))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
