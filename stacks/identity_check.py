"""Check identities, the account and failed objects every hour."""

from constructs import Construct

from aftersend.config import Environment
from aftersend.config.alarms import CHECK_ALARMS
from aftersend.contract import Variable
from stacks.alarms import Alarms
from stacks.function import to_json
from stacks.identity_function import IdentityFunction
from stacks.schedule import run_hourly
from stacks.state import State


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
        run_hourly(self, checker.function, alarms=alarms, watched=CHECK_ALARMS, purpose="check")
        alarms.watch(self, IdentityCheckFailed=checker.function.metric_errors())
