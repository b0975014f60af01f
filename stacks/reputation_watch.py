"""Watch bounce and complaint rates every five minutes, and guard the configuration sets."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from aftersend.config import Environment
from aftersend.config.alarms import RATES_ALARMS
from aftersend.contract import RATES_EVERY_MINUTES, Variable
from stacks.alarms import Alarms
from stacks.function import HandlerFunction, to_json
from stacks.outputs import add_outputs
from stacks.schedule import invoke_every
from stacks.state import State

INTERVAL = cdk.Duration.minutes(RATES_EVERY_MINUTES)

SETTLING_MARGIN_SECONDS = 120
"""How long an event takes at most from SES to the counters, besides the time that Firehose and Lambda collect it. With
the default settings, the second run in a row that finds a critical rate acts on it."""


class ReputationWatch(Construct):
    """watch_rates with its schedule; nothing without configuration sets, whose mail alone has Send events."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, alarms: Alarms) -> None:
        super().__init__(scope, id)
        names, stack = [*environment.configuration_sets], cdk.Stack.of(self)
        if not names:
            return
        settling = environment.archive_interval_seconds + environment.counting_window_seconds + SETTLING_MARGIN_SECONDS
        watch = HandlerFunction(
            self,
            "WatchRates",
            file="watch_rates",
            description="Watches bounce and complaint rates, and guards configuration sets",
            environment=environment,
            settings={
                Variable.ENVIRONMENT: environment.name,
                Variable.COUNTERS_TABLE: state.counters.table_name,
                Variable.RETENTION: to_json(environment.retention),
                Variable.COUNTED: to_json(environment.counted),
                Variable.CONFIGURATION_SETS: to_json(names),
                Variable.REPUTATION: to_json(environment.reputation),
                Variable.SETTLING_SECONDS: to_json(0 if environment.is_emulated else settling),
                Variable.PACE_SECONDS: to_json(0 if environment.is_emulated else 1),
            },
        )
        state.counters.grant(watch.function, "dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem")
        sets = [stack.format_arn(service="ses", resource=f"configuration-set/{name}") for name in names]
        actions = ["ses:GetConfigurationSet", "ses:PutConfigurationSetSendingOptions"]
        watch.function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=sets))
        invoke_every(self, INTERVAL, watch.function)
        alarms.watch_own(self, RATES_ALARMS)
        add_outputs(stack, WatchRatesFunctionName=watch.function.function_name)
