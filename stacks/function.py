"""A Lambda function of ours: a file in lambdas/ with what it may use."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from aftersend.config.environment import Environment
from stacks.acknowledged import acknowledge
from stacks.bundling import ARCHITECTURES, RUNTIME, bundle
from stacks.logs import LogGroup


class Function(lambda_.Function):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        file: str,
        description: str,
        environment: Environment,
        timeout: cdk.Duration,
        memory_mebibytes: int = 512,
        settings: dict[str, str],
    ) -> None:
        """`file` is the file in lambdas/, `does` what it is for, `settings` its environment variables."""
        super().__init__(
            scope,
            id,
            description=description,
            code=lambda_.Code.from_asset(str(bundle(environment.functions))),
            handler=f"lambdas.{file}.handler",
            runtime=RUNTIME,
            architecture=ARCHITECTURES[environment.functions.runs_on],
            timeout=timeout,
            memory_size=memory_mebibytes,
            environment=settings,
            log_group=LogGroup(scope, f"{id}Logs", environment=environment),
        )
        acknowledge(self, "A newer runtime is taken with the packages, when all of them have wheels for it.", "L1")
