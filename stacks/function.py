"""Create a Lambda function whose handler is a file in lambdas/."""

from collections.abc import Mapping

import aws_cdk as cdk
import msgspec
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import FUNCTIONS, Variable
from stacks.acknowledgments import acknowledge
from stacks.bundling import ARCHITECTURES, RUNTIME, bundle
from stacks.log_group import ExpiringLogGroup


class HandlerFunction(Construct):
    """A function and its log group. Its size is defined in the contract, under the name of its file."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        file: str,
        description: str,
        environment: Environment,
        settings: Mapping[Variable, str],
    ) -> None:
        super().__init__(scope, id)
        memory_mebibytes, timeout_seconds = FUNCTIONS[file]
        self.timeout = cdk.Duration.seconds(timeout_seconds)
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            code=lambda_.Code.from_asset(str(bundle(file, environment.functions.runs_on))),
            handler=f"lambdas.{file}.handler",
            runtime=RUNTIME,
            architecture=ARCHITECTURES[environment.functions.runs_on],
            timeout=self.timeout,
            memory_size=memory_mebibytes,
            environment={variable.value: value for variable, value in settings.items()},
            log_group=ExpiringLogGroup(self, "Logs", environment=environment),
        )
        reason = "A newer runtime is taken once all packages have wheels for it."
        acknowledge(self, reason, "L1")


def to_json(value: object) -> str:
    """Encode a value for a function. References in it are still resolved at deployment."""
    return msgspec.json.encode(value).decode()
