"""Show that roles allow the calls that are made with them and no others.

The functions' calls are recorded (tests/evaluators/recorded_calls.py), those of AWS follow from the resources
(tests/evaluators/service_calls.py). No template and no function is told what a role may do.
"""

import pytest
from aws_cdk.assertions import Template

from tests.evaluators.iam import Call, Statement, is_allowed, statements_of, unused
from tests.evaluators.recorded_calls import (
    account_list_calls,
    change_calls,
    hourly_calls,
    identity_calls,
    pipeline_calls,
    rates_calls,
    sweep_calls,
)
from tests.evaluators.service_calls import role_of, service_calls
from tests.evaluators.templates import Templates
from tests.world.world import function_process

pytestmark = pytest.mark.slow

UNUSED = {
    "sqs:ChangeMessageVisibility": "the CDK grants it to every consumer of a queue, of that queue alone",
    "secretsmanager:DescribeSecret": "the CDK grants it to every reader of a secret, of that secret alone",
    "sqs:GetQueueUrl": "the CDK grants it to every consumer of a queue, of that queue alone",
}
"""Permissions that no call uses, and why they are there."""

OF_PEOPLE = {"show_widgets"}
"""Functions that do for people what commands do, with the same code and policy: test_operator_commands.py and
test_permissions.py hold what they may do."""


@pytest.fixture(scope="module")
def environment(templates: dict[str, Template]) -> Templates:
    return Templates({name: template.to_json() for name, template in templates.items()})


@pytest.fixture(scope="module")
def roles(environment: Templates) -> dict[str, list[Statement]]:
    """Return the statements that apply to every role, without those of functions that act for people."""
    functions = environment.functions()
    left_out = {role_of(functions[name], environment) for name in OF_PEOPLE}
    roles = [role for role in environment.of_type("AWS::IAM::Role") if role.name not in left_out]
    return {role.name: statements_of(role, environment) for role in roles}


@pytest.fixture(scope="module")
def recorded(environment: Templates) -> dict[str, set[Call]]:
    """Return the calls of our functions, by function."""
    with function_process():
        recorded = (pipeline_calls, identity_calls, account_list_calls, sweep_calls, rates_calls, hourly_calls)
        recorded += (change_calls,)
        return {name: made for calls in recorded for name, made in calls(environment).items()}


@pytest.fixture(scope="module")
def calls(
    environment: Templates, recorded: dict[str, set[Call]], roles: dict[str, list[Statement]]
) -> dict[str, set[Call]]:
    """Return all calls made with each role."""
    functions = environment.functions()
    result = {role_of(functions[name], environment): set(made) for name, made in recorded.items()}
    for role, call in service_calls(environment):
        if role in roles:
            result.setdefault(role, set()).add(call)
    return result


def test_calls_of_every_function_and_role_are_known(
    environment: Templates,
    recorded: dict[str, set[Call]],
    calls: dict[str, set[Call]],
    roles: dict[str, list[Statement]],
):
    assert recorded.keys() == environment.functions().keys() - OF_PEOPLE
    assert all(recorded.values())
    assert calls.keys() == roles.keys()


def test_every_call_is_allowed(calls: dict[str, set[Call]], roles: dict[str, list[Statement]]):
    denied = [
        f"{role}: {call.action} on {call.resource}"
        for role, made in calls.items()
        for call in made
        if not is_allowed(call, roles[role])
    ]
    assert not denied, "\n".join(sorted(denied))


def test_choice_of_values_with_metrics_is_allowed_where_the_environment_has_them(full_templates: dict[str, Template]):
    environment = Templates({name: template.to_json() for name, template in full_templates.items()})
    with function_process():
        made = hourly_calls(environment)["check_counts"]
    name = role_of(environment.functions()["check_counts"], environment)
    [role] = [each for each in environment.of_type("AWS::IAM::Role") if each.name == name]
    assert {"dynamodb:GetItem", "dynamodb:PutItem"} <= {call.action for call in made}
    assert all(is_allowed(call, statements_of(role, environment)) for call in made)


def test_every_permission_is_used_or_has_a_reason(calls: dict[str, set[Call]], roles: dict[str, list[Statement]]):
    permissions = {
        f"{role}: {permission}"
        for role, statements in roles.items()
        for permission in unused(statements, calls[role])
        if permission not in UNUSED
    }
    assert not permissions, "\n".join(sorted(permissions))


def test_every_reason_for_an_unused_permission_is_needed(
    calls: dict[str, set[Call]], roles: dict[str, list[Statement]]
):
    assert UNUSED.keys() <= {permission for role in roles for permission in unused(roles[role], calls[role])}


def test_no_role_may_make_the_calls_of_another(calls: dict[str, set[Call]], roles: dict[str, list[Statement]]):
    """AWSLambdaBasicExecutionRole lets every function write to any log, so logs are left out."""
    every_call = {call for made in calls.values() for call in made if not call.action.startswith("logs:")}
    excess = []
    for role, statements in roles.items():
        own = {(call.action, call.resource) for call in calls[role]}
        foreign = [call for call in every_call if (call.action, call.resource) not in own]
        excess += [f"{role}: {call.action} on {call.resource}" for call in foreign if is_allowed(call, statements)]
    assert not excess, "\n".join(sorted(excess))
