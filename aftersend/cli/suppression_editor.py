"""Connect the commands that change the suppression list to a deployment, in the name of an operator."""

from contextlib import AbstractContextManager

from aftersend.aws.deployed_recorder import deployed_recorder, deployed_suppressions
from aftersend.aws.deployment import Deployment
from aftersend.aws.suppression_editor import REFUSALS, Editor, describe_refusal
from aftersend.cli.deployment import Target, one_sentence
from aftersend.cli.suppression_options import REFUSED


def operator_of(deployment: Deployment, name: str | None) -> str:
    """Return the name of the operator: without one, the ARN of the credentials."""
    return name or deployment.client("sts").get_caller_identity()["Arn"]


def editor_of(target: Target, operator: str | None, note: str) -> Editor:
    deployment = target.deployment
    return Editor(
        recorder=deployed_recorder(deployment),
        suppressions=deployed_suppressions(deployment),
        account_list=target.account_list(),
        operator=operator_of(deployment, operator),
        note=note,
    )


def refusals() -> AbstractContextManager[None]:
    """End the command with one sentence if the recorder refuses an act."""
    return one_sentence(*REFUSALS, code=REFUSED, describe=describe_refusal)
