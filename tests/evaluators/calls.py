"""Work out which IAM actions on which resources an AWS operation needs.

Source: the service authorization reference of each service.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from aftersend import contract
from tests.evaluators.iam import Call
from tests.evaluators.templates import ARNS

TRANSACTION_ACTIONS = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}
"""A transaction needs the permissions of the actions in it."""

DYNAMODB_OPERATIONS = {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"}
OBJECT_OPERATIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
}
LISTINGS = {"ListObjectsV2", "ListObjects"}

SES_OPERATIONS = {
    "GetIdentityNotificationAttributes",
    "GetIdentityVerificationAttributes",
    "SetIdentityNotificationTopic",
    "SetIdentityHeadersInNotificationsEnabled",
    "SetIdentityFeedbackForwardingEnabled",
    "GetIdentityDkimAttributes",
    "GetIdentityMailFromDomainAttributes",
    "GetAccount",
    "ListSuppressedDestinations",
    "PutSuppressedDestination",
    "DeleteSuppressedDestination",
    "CreateImportJob",
    "GetImportJob",
    "GetSuppressedDestination",
}
"""Operations whose actions know no resources."""

CONFIGURATION_SET = "arn:aws:ses:eu-west-1:222222222222:configuration-set/{}"

PREFIXES = sorted(value for name, value in vars(contract).items() if name.endswith("_PREFIX"))


def required_calls(operation: str, parameters: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[Call]:
    """Yield what an operation needs, given the physical names of what it was called with.

    Raises:
        NotImplementedError: if no function called this operation until now.
    """

    def table(name: str) -> str:
        return ARNS["AWS::DynamoDB::Table"].format(names.get(name, name))

    if operation in DYNAMODB_OPERATIONS:
        index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
        yield Call(f"dynamodb:{operation}", table(parameters["TableName"]) + index)
    elif operation in ("BatchWriteItem", "BatchGetItem"):
        yield from (Call(f"dynamodb:{operation}", table(name)) for name in parameters["RequestItems"])
    elif operation == "TransactWriteItems":
        for entry in parameters["TransactItems"]:
            yield from (Call(TRANSACTION_ACTIONS[kind], table(action["TableName"])) for kind, action in entry.items())
    elif operation in OBJECT_OPERATIONS or operation in LISTINGS:
        bucket = ARNS["AWS::S3::Bucket"].format(names.get(parameters["Bucket"], parameters["Bucket"]))
        yield from _object_calls(operation, parameters, bucket)
    elif operation == "GetSecretValue":
        yield Call("secretsmanager:GetSecretValue", names.get(parameters["SecretId"], parameters["SecretId"]))
    elif operation in SES_OPERATIONS:
        yield Call(f"ses:{operation}", "*")
    elif operation == "PutEvents":
        buses = {entry["EventBusName"] for entry in parameters["Entries"]}
        yield from (
            Call("events:PutEvents", ARNS["AWS::Events::EventBus"].format(names.get(bus, bus))) for bus in buses
        )
    elif operation in ("GetConfigurationSet", "PutConfigurationSetSendingOptions"):
        yield Call(f"ses:{operation}", CONFIGURATION_SET.format(parameters["ConfigurationSetName"]))
    elif operation == "GetMetricData":
        yield Call("cloudwatch:GetMetricData", "*")
    elif operation == "SendEmail":
        domain = parameters["FromEmailAddress"].rpartition("@")[2]
        for name in (f"identity/{domain}", f"configuration-set/{parameters['ConfigurationSetName']}"):
            yield Call("ses:SendEmail", f"arn:aws:ses:eu-west-1:222222222222:{name}")
    elif operation == "GetEmailIdentity":
        yield Call("ses:GetEmailIdentity", f"arn:aws:ses:eu-west-1:222222222222:identity/{parameters['EmailIdentity']}")
    else:
        raise NotImplementedError(f"{operation} is called: say here which permissions it needs")


def _object_calls(operation: str, parameters: Mapping[str, Any], bucket: str) -> Iterator[Call]:
    if operation in LISTINGS:
        yield Call("s3:ListBucket", bucket, parameters.get("Prefix", ""))
        return
    yield Call(OBJECT_OPERATIONS[operation], f"{bucket}/{representative_key(parameters['Key'])}")
    if operation in ("GetObject", "HeadObject"):
        yield Call("s3:ListBucket", bucket)  # without it, S3 answers "access denied" where an object is gone


def representative_key(key: str) -> str:
    """Return a key that stands for all of its prefix: permissions do not distinguish them."""
    return next((f"{prefix}key" for prefix in PREFIXES if key.startswith(prefix)), key)
