"""Compare what was counted with SES's own metrics every hour."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from aftersend.config import Environment
from aftersend.config.alarms import COUNT_CHECK_ALARMS
from aftersend.config.cost import tag_value_dollars
from aftersend.contract import CountCheck, Variable
from stacks.acknowledgments import acknowledge
from stacks.alarms import Alarms
from stacks.function import HandlerFunction, to_json
from stacks.schedule import run_hourly
from stacks.state import State

CHOOSE = ("dynamodb:GetItem", "dynamodb:PutItem")
"""The actions on the counters with which the values that have metrics are replaced."""


class CountComparison(Construct):
    """check_counts with its schedule; nothing where there is nothing to check."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, alarms: Alarms) -> None:
        super().__init__(scope, id)
        if not environment.checks_counts:
            return
        check = CountCheck(
            environment.compared_sets,
            environment.counted.value_tags,
            environment.max_tag_values,
            tag_value_dollars(environment),
            environment.tag_metric_values,
        )
        checker = HandlerFunction(
            self,
            "CheckCounts",
            file="check_counts",
            description="Compares the counted sends with SES's own metrics",
            environment=environment,
            settings={
                Variable.ENVIRONMENT: environment.name,
                Variable.COUNTERS_TABLE: state.counters.table_name,
                Variable.RETENTION: to_json(environment.retention),
                Variable.COUNT_CHECK: to_json(check),
            },
        )
        state.counters.grant(checker.function, "dynamodb:Query", *(CHOOSE if environment.tag_metric_values else ()))
        checker.function.add_to_role_policy(iam.PolicyStatement(actions=["cloudwatch:GetMetricData"], resources=["*"]))
        acknowledge(checker, "CloudWatch has no resource-level permissions for it.", "IAM5[Resource::*]")
        run_hourly(self, checker.function, alarms=alarms, watched=COUNT_CHECK_ALARMS, purpose="compare")
