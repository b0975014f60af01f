"""Create the functions that a dashboard's custom widgets invoke, and the policies for people who look at it."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from aftersend.config import Environment
from aftersend.config.cost_table import cost_table
from aftersend.contract import Variable
from stacks.acknowledgments import acknowledge
from stacks.function import HandlerFunction, to_json
from stacks.operator_policies import OperatorPolicies, stack_arns
from stacks.outputs import add_outputs
from stacks.state import State
from stacks.suppression_changes import SuppressionChanges


class Widgets(Construct):
    """show_widgets reads what the reader policy allows; change_suppressions changes the suppression list.

    No alarm watches them: nothing of the pipeline depends on them, and whoever is concerned sees the error.
    Whoever looks at the dashboard needs the viewer policy alone. Who changes suppressions needs the editor policy, too.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        state: State,
        policies: OperatorPolicies,
        dashboard_arn: str,
    ) -> None:
        super().__init__(scope, id)
        change = SuppressionChanges(self, "ChangeSuppressions", environment=environment, state=state)
        show = HandlerFunction(
            self,
            "ShowWidgets",
            file="show_widgets",
            description="Shows the panels of the dashboard",
            environment=environment,
            settings={
                Variable.ENVIRONMENT: environment.name,
                Variable.CHANGE_FUNCTION: change.function.function_arn,
                Variable.RUNBOOK_URL: environment.runbook,
                Variable.COSTS: to_json(cost_table(environment)),
                Variable.TRACKED: to_json(environment.tracked),
            },
        )
        assert show.function.role
        show.function.role.add_managed_policy(policies.reader)
        self.show = show.function
        viewer = self._policy("Viewer", "look at the dashboard", self.show)
        viewer.add_statements(*self._read_board(environment, dashboard_arn))
        wildcards = [f"IAM5[Resource::{arn}]" for arn in ("*", *stack_arns(self, environment))]
        acknowledge(viewer, "Metrics have no resource type; CloudFormation chooses how ARNs end.", *wildcards)
        editor = self._policy("Editor", "change suppressions on the dashboard", change.function)
        add_outputs(
            cdk.Stack.of(self),
            ShowWidgetsFunctionName=self.show.function_name,
            ChangeSuppressionsFunctionName=change.function.function_name,
            ViewerPolicyArn=viewer.managed_policy_arn,
            EditorPolicyArn=editor.managed_policy_arn,
        )

    def _policy(self, id: str, purpose: str, function: lambda_.Function) -> iam.ManagedPolicy:
        statement = iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])
        return iam.ManagedPolicy(self, id, description=f"Aftersend: {purpose}", statements=[statement])

    def _read_board(self, environment: Environment, dashboard_arn: str) -> list[iam.PolicyStatement]:
        """Allow finding the dashboard, its layout and its graphs, as `aftersend dashboard` does."""
        allowed = {
            "cloudwatch:GetDashboard": [dashboard_arn],
            "cloudwatch:GetMetricData": ["*"],
            "cloudformation:DescribeStacks": stack_arns(self, environment),
        }
        return [iam.PolicyStatement(actions=[action], resources=arns) for action, arns in allowed.items()]
