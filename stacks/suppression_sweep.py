"""Invoke sweep_suppressions every hour: it measures mass suppression, and sweeps at some hours."""

from constructs import Construct

from aftersend.config import Environment
from aftersend.config.alarms import SWEEP_ALARMS
from aftersend.contract import Variable
from stacks.alarms import Alarms
from stacks.function import HandlerFunction
from stacks.recorder_function import recorder_settings
from stacks.schedule import run_hourly
from stacks.state import State


class SuppressionSweep(Construct):
    """sweep_suppressions with its schedule. Two runs at once would be safe, so no concurrency is reserved."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, alarms: Alarms) -> None:
        super().__init__(scope, id)
        sweep = HandlerFunction(
            self,
            "SweepSuppressions",
            file="sweep_suppressions",
            description="Decides again about temporary suppression entries, and measures the list",
            environment=environment,
            settings=recorder_settings(environment, state) | {Variable.COUNTERS_TABLE: state.counters.table_name},
        )
        state.ledger.grant(sweep.function, "dynamodb:PutItem", "dynamodb:Query")
        state.suppressions.grant(sweep.function, "dynamodb:Query", "dynamodb:PutItem", "dynamodb:Scan")
        sweep.function.add_to_role_policy(state.hash_key_statement())
        state.counters.grant(sweep.function, "dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem")
        run_hourly(self, sweep.function, alarms=alarms, watched=SWEEP_ALARMS, purpose="sweep")
