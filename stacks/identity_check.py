"""Check identities, the account and failed objects every hour."""

import aws_cdk as cdk
from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import Variable
from stacks.alarms import Alarms
from stacks.function import to_json
from stacks.identity_function import IdentityFunction
from stacks.schedule import invoke_every
from stacks.state import State

INTERVAL = cdk.Duration.hours(1)


class IdentityCheck(Construct):
    """check_identities with its schedule. It also sets identities that were verified after they were deployed.

    At one call per second it restores about two hundred identities within its timeout, and the others in the next hour.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, alarms: Alarms) -> None:
        super().__init__(scope, id)
        checker = IdentityFunction(
            self,
            "CheckIdentities",
            file="check_identities",
            description="Checks identities and their notification settings, the account and failed objects",
            environment=environment,
            state=state,
            ses_actions=("ses:GetIdentityDkimAttributes", "ses:GetIdentityMailFromDomainAttributes", "ses:GetAccount"),
            settings={
                Variable.RESTORE_DRIFT: to_json(environment.on_identity_drift == "restore"),
                Variable.ENVIRONMENT: environment.name,
            },
        )
        invoke_every(self, INTERVAL, checker.function)
        alarms.watch(self, IdentityCheckFailed=checker.function.metric_errors())
        alarms.watch_check(self)
        name = checker.function.function_name
        cdk.CfnOutput(self, "FunctionName", value=name, description="Invoke it to check at once")
