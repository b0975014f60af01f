"""Create a function that reads and sets the notification settings of identities."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import IDENTITIES_PREFIX, Variable
from stacks.acknowledgments import acknowledge
from stacks.function import HandlerFunction, to_json
from stacks.state import State

SES_ACTIONS = (
    "ses:GetIdentityNotificationAttributes",
    "ses:GetIdentityVerificationAttributes",
    "ses:SetIdentityNotificationTopic",
    "ses:SetIdentityHeadersInNotificationsEnabled",
    "ses:SetIdentityFeedbackForwardingEnabled",
)
"""SES has no resource-level permissions for these (service authorization reference of Amazon SES)."""

CALLS_PER_SECOND = 1
"""What SES accepts of each of these actions ("Service quotas in Amazon SES"). The emulator has no limit."""


class IdentityFunction(HandlerFunction):
    """A function that may use these actions of SES and further ones, and keep the deployed settings in the bucket.

    Without s3:ListBucket, S3 would answer AccessDenied instead of NoSuchKey for an identity without settings.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        file: str,
        description: str,
        environment: Environment,
        state: State,
        ses_actions: tuple[str, ...] = (),
        settings: Mapping[Variable, str] | None = None,
    ) -> None:
        settings = {
            Variable.ARCHIVE_BUCKET: state.archive.bucket_name,
            Variable.PACE_SECONDS: to_json(0 if environment.is_emulated else 1),
            **(settings or {}),
        }
        super().__init__(scope, id, file=file, description=description, environment=environment, settings=settings)
        self.function.add_to_role_policy(iam.PolicyStatement(actions=[*SES_ACTIONS, *ses_actions], resources=["*"]))
        acknowledge(self, "SES has no resource-level permissions for these.", "IAM5[Resource::*]")
        state.archive.grant_objects(self.function, "s3:GetObject", "s3:PutObject", prefix=IDENTITIES_PREFIX)
        state.archive.grant_listing(self.function)
