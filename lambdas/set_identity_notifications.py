"""The custom resource behind an identity's notification topics: sets them when it is created or updated, clears them
when it is deleted."""

from functools import cache
from typing import Any

from aftersend.aws.clients import client
from aftersend.aws.custom_resource import answered
from aftersend.aws.identity_settings import IdentitySettings


@cache
def identity_settings() -> IdentitySettings:
    return IdentitySettings(client("ses"))


def handler(request: dict[str, Any], _context: object = None, *, of: IdentitySettings | None = None) -> None:
    """`request` is CloudFormation's; its properties are `Identity` and `Topics` (notification type → topic ARN)."""
    properties = request["ResourceProperties"]
    identity = properties["Identity"]
    topics = {} if request["RequestType"] == "Delete" else properties["Topics"]
    answered(request, identity, lambda: (of or identity_settings()).set_topics(identity, topics))
