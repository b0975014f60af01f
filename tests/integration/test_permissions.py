"""Hold that the emulator enforces the roles: so every test of the pipeline shows that they allow what is needed."""

import json
from typing import Any

import boto3

from local.pipeline import LocalPipeline

DENIAL = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*"}]}


def test_call_that_a_role_denies_is_refused(pipeline: LocalPipeline):
    function = check_identities(pipeline)
    role = {"RoleName": function["Role"].rpartition("/")[2], "PolicyName": "denial"}
    iam = boto3.client("iam", endpoint_url=pipeline.run.endpoint)
    iam.put_role_policy(**role, PolicyDocument=json.dumps(DENIAL))
    assert failed_checks(function, pipeline) > 0
    iam.delete_role_policy(**role)
    assert failed_checks(function, pipeline) == 0


def check_identities(pipeline: LocalPipeline) -> dict[str, Any]:
    functions = boto3.client("lambda", endpoint_url=pipeline.run.endpoint).list_functions()["Functions"]
    [function] = [each for each in functions if each["Handler"] == "lambdas.check_identities.handler"]
    return function


def failed_checks(function: dict[str, Any], pipeline: LocalPipeline) -> int:
    """Invoke the function and return how many of its checks failed."""
    lambda_ = boto3.client("lambda", endpoint_url=pipeline.run.endpoint)
    response = lambda_.invoke(FunctionName=function["FunctionName"])
    return json.load(response["Payload"])["check_errors"]
