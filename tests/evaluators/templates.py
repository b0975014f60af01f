"""Resolve what the templates of an environment refer to, across its stacks, so that their resources can be compared."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

PSEUDO_PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "222222222222",
    "AWS::URLSuffix": "amazonaws.com",
}

FUNCTION = "AWS::Lambda::Function"

ARNS = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:eu-west-1:222222222222:table/{}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SecretsManager::Secret": "arn:aws:secretsmanager:eu-west-1:222222222222:secret:{}",
    "AWS::SQS::Queue": "arn:aws:sqs:eu-west-1:222222222222:{}",
    "AWS::SNS::Topic": "arn:aws:sns:eu-west-1:222222222222:{}",
    FUNCTION: "arn:aws:lambda:eu-west-1:222222222222:function:{}",
    "AWS::KinesisFirehose::DeliveryStream": "arn:aws:firehose:eu-west-1:222222222222:deliverystream/{}",
    "AWS::Logs::LogGroup": "arn:aws:logs:eu-west-1:222222222222:log-group:{}:*",
    "AWS::IAM::Role": "arn:aws:iam::222222222222:role/{}",
    "AWS::Events::EventBus": "arn:aws:events:eu-west-1:222222222222:event-bus/{}",
    "AWS::KMS::Key": "arn:aws:kms:eu-west-1:222222222222:key/{}",
}

NAME_ATTRIBUTES = {"QueueName", "TopicName", "Id", "Name"}
"""Attributes that hold the name of the resource itself."""


class Resource(NamedTuple):
    """A resource with everything it refers to resolved. Its physical name is its stack and logical id."""

    name: str
    type: str
    properties: dict[str, Any]

    @property
    def arn(self) -> str:
        return ARNS[self.type].format(self.name)

    @property
    def logical_id(self) -> str:
        return self.name.partition(".")[2]


class Templates:
    """The resources of all stacks of an environment."""

    def __init__(self, templates: Mapping[str, Mapping[str, Any]]) -> None:
        self._templates = templates
        self._exports = {
            output["Export"]["Name"]: (stack, output["Value"])
            for stack, template in templates.items()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }
        self.resources = [
            Resource(f"{stack}.{name}", resource["Type"], self._resolve(stack, resource.get("Properties", {})))
            for stack, template in templates.items()
            for name, resource in template.get("Resources", {}).items()
        ]

    def of_type(self, resource_type: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == resource_type]

    def only(self, resource_type: str) -> Resource:
        """Return the one resource of a type."""
        [resource] = self.of_type(resource_type)
        return resource

    def functions(self) -> dict[str, Resource]:
        """Return our functions by their files in lambdas/."""
        functions = [(function.properties.get("Handler", ""), function) for function in self.of_type(FUNCTION)]
        return {handler.split(".")[1]: function for handler, function in functions if handler.startswith("lambdas.")}

    def by_name(self, name: str) -> Resource:
        [resource] = [resource for resource in self.resources if resource.name == name]
        return resource

    def by_arn(self, arn: str) -> Resource:
        """Return the resource with an ARN."""
        [resource] = [resource for resource in self.resources if resource.type in ARNS and resource.arn == arn]
        return resource

    def _resolve(self, stack: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._resolve(stack, part) for part in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._apply(stack, function, argument)
        return {key: self._resolve(stack, part) for key, part in value.items()}

    def _apply(self, stack: str, function: str, argument: Any) -> Any:
        """Return the value of an intrinsic function.

        Raises:
            NotImplementedError: if no template had this function until now.
        """
        match function:
            case "Ref":
                return PSEUDO_PARAMETERS.get(argument) or self._ref(stack, argument)
            case "Fn::GetAtt":
                return self._attribute(stack, *(argument if isinstance(argument, list) else argument.split(".", 1)))
            case "Fn::ImportValue":
                return self._resolve(*self._exports[self._resolve(stack, argument)])
            case "Fn::Join":
                return argument[0].join(str(part) for part in self._resolve(stack, argument[1]))
            case "Fn::Select":
                return self._resolve(stack, argument[1])[int(argument[0])]
            case "Fn::Split":
                return self._resolve(stack, argument[1]).split(argument[0])
            case "Fn::Sub":
                return self._substitute(stack, argument)
        raise NotImplementedError(f"{function} in the template of {stack}")

    def _substitute(self, stack: str, argument: Any) -> str:
        text, given = argument if isinstance(argument, list) else (argument, {})

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name in given:
                return self._resolve(stack, given[name])
            return self._apply(stack, "Fn::GetAtt" if "." in name else "Ref", name)

        return re.sub(r"\$\{([^!}]+)\}", value, text)

    def _ref(self, stack: str, id: str) -> str:
        resource_type = self._templates[stack]["Resources"].get(id, {}).get("Type")
        if resource_type == "AWS::SNS::Topic":
            return self._attribute(stack, id, "Arn")
        return f"https://queue/{stack}.{id}" if resource_type == "AWS::SQS::Queue" else f"{stack}.{id}"

    def _attribute(self, stack: str, id: str, attribute: str) -> str:
        name, resource_type = f"{stack}.{id}", self._templates[stack]["Resources"][id]["Type"]
        is_arn = attribute in ("Arn", "TopicArn") or (resource_type, attribute) == ("AWS::SecretsManager::Secret", "Id")
        if is_arn and resource_type in ARNS:
            return ARNS[resource_type].format(name)
        if attribute == "StreamArn":
            return ARNS[resource_type].format(name) + "/stream/latest"
        return name if attribute in NAME_ATTRIBUTES else f"{name}.{attribute}"
