"""Compare the suppression list with the account suppression list of SES every hour."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from aftersend.config.alarms import ACCOUNT_LIST_ALARMS
from aftersend.config.environment import Environment
from aftersend.contract import ACCOUNT_LIST_PREFIX, Variable
from stacks.acknowledgments import acknowledge
from stacks.alarms import Alarms
from stacks.function import HandlerFunction, to_json
from stacks.recorder_function import recorder_settings
from stacks.schedule import run_hourly
from stacks.state import State

SES_ACTIONS = {
    "read": ("ses:ListSuppressedDestinations",),
    "sync": (
        "ses:ListSuppressedDestinations",
        "ses:PutSuppressedDestination",
        "ses:DeleteSuppressedDestination",
        "ses:CreateImportJob",
        "ses:GetImportJob",
        "ses:GetAccount",
    ),
}
"""What each value of `account_list` needs. SES has no resource-level permissions for these."""


class AccountListSync(Construct):
    """sync_account_list with its schedule; nothing where the environment does not compare the lists.

    Scheduled runs never overlap: each takes 15 minutes at most. Two at once would be safe, so no concurrency is
    reserved: new accounts have none to spare, and their deployments would fail.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, alarms: Alarms) -> None:
        super().__init__(scope, id)
        mode = environment.suppression.account_list
        if mode == "off":
            return
        sync = HandlerFunction(
            self,
            "SyncAccountList",
            file="sync_account_list",
            description="Compares the suppression list with the account suppression list of SES",
            environment=environment,
            settings=recorder_settings(environment, state)
            | {
                Variable.ARCHIVE_BUCKET: state.archive.bucket_name,
                Variable.PACE_SECONDS: to_json(0 if environment.is_emulated else 1),
            },
        )
        sync.function.add_to_role_policy(iam.PolicyStatement(actions=[*SES_ACTIONS[mode]], resources=["*"]))
        acknowledge(sync, "SES has no resource-level permissions for these.", "IAM5[Resource::*]")
        state.ledger.grant(sync.function, "dynamodb:PutItem", "dynamodb:Query")
        state.suppressions.grant(
            sync.function, "dynamodb:Query", "dynamodb:PutItem", "dynamodb:BatchGetItem", "dynamodb:Scan"
        )
        sync.function.add_to_role_policy(state.hash_key_statement())
        state.archive.grant_objects(sync.function, "s3:GetObject", "s3:PutObject", prefix=ACCOUNT_LIST_PREFIX)
        state.archive.grant_listing(sync.function)
        run_hourly(self, sync.function, alarms=alarms, watched=ACCOUNT_LIST_ALARMS, purpose="compare")
