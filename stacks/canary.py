"""Send messages to the mailbox simulator every hour, if the environment has a canary."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from aftersend.config import Environment
from aftersend.config.alarms import CANARY_ALARMS
from aftersend.contract import Variable
from stacks.alarms import Alarms
from stacks.function import HandlerFunction, to_json
from stacks.schedule import run_hourly
from stacks.state import State


class CanarySender(Construct):
    """send_canary with its schedule. It may send as one identity, with one configuration set."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, alarms: Alarms) -> None:
        super().__init__(scope, id)
        canary = environment.canary
        if canary is None:
            return
        sender = HandlerFunction(
            self,
            "SendCanary",
            file="send_canary",
            description="Sends messages to the mailbox simulator and looks for their events",
            environment=environment,
            settings={
                Variable.ENVIRONMENT: environment.name,
                Variable.LEDGER_TABLE: state.ledger.table_name,
                Variable.COUNTERS_TABLE: state.counters.table_name,
                Variable.RETENTION: to_json(environment.retention),
                Variable.CANARY_FROM_ADDRESS: canary.from_address,
                Variable.CANARY_CONFIGURATION_SET: canary.configuration_set,
            },
        )
        state.ledger.grant(sender.function, "dynamodb:Query")
        state.counters.grant(sender.function, "dynamodb:Query", "dynamodb:PutItem")
        stack = cdk.Stack.of(self)
        names = (f"identity/{environment.canary_identity}", f"configuration-set/{canary.configuration_set}")
        arns = [stack.format_arn(service="ses", resource=name) for name in names]
        sender.function.add_to_role_policy(iam.PolicyStatement(actions=["ses:SendEmail"], resources=arns))
        run_hourly(self, sender.function, alarms=alarms, watched=CANARY_ALARMS, purpose="send")
