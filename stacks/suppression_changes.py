"""Create the function that changes the suppression list as operators ask on the dashboard."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import Variable
from stacks.acknowledgments import acknowledge
from stacks.function import HandlerFunction, to_json
from stacks.operator_policies import DELETE_LISTED
from stacks.recorder_function import recorder_settings
from stacks.state import State

READ_LISTED = "ses:GetSuppressedDestination"


class SuppressionChanges(HandlerFunction):
    """change_suppressions: it records operators' acts, decides again, and deletes from SES's account list."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State) -> None:
        super().__init__(
            scope,
            id,
            file="change_suppressions",
            description="Adds and removes suppressions, as an operator asks on the dashboard",
            environment=environment,
            settings=recorder_settings(environment, state)
            | {Variable.PACE_SECONDS: to_json(0 if environment.is_emulated else 1)},
        )
        state.ledger.grant(self.function, "dynamodb:PutItem", "dynamodb:Query")
        state.suppressions.grant(self.function, "dynamodb:Query", "dynamodb:PutItem")
        self.function.add_to_role_policy(state.hash_key_statement())
        self.function.add_to_role_policy(iam.PolicyStatement(actions=[READ_LISTED, DELETE_LISTED], resources=["*"]))
        acknowledge(self, "SES has no resource-level permissions for its suppression list.", "IAM5[Resource::*]")
