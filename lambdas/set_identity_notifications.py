"""The custom resources behind an identity's notification settings.

The first only looks: what it finds is kept by CloudFormation before anything is changed. The second sets what is wanted
and, when it is deleted, what was found. An identity that is not verified yet is left to check_identities: DNS takes its
time, and a deployment must neither wait for it nor fail.
"""

from functools import cache
from typing import Any

import msgspec

from aftersend.aws.clients import client
from aftersend.aws.custom_resource import answered
from aftersend.aws.identity_settings import IdentitySettings, NotificationSettings

FOUND = "Custom::IdentityNotificationsFound"


@cache
def identity_settings() -> IdentitySettings:
    return IdentitySettings(client("ses"))


def handler(request: dict[str, Any], _context: object = None, *, of: IdentitySettings | None = None) -> None:
    """`request` is CloudFormation's. Its properties: `Identity`, and for the second resource `Wanted` and `Found`,
    NotificationSettings as JSON."""
    identity = request["ResourceProperties"]["Identity"]
    act = look if request["ResourceType"] == FOUND else apply
    answered(request, identity, lambda: act(request, of or identity_settings()))


def look(request: dict[str, Any], of: IdentitySettings) -> dict[str, str]:
    """What was set before us; nothing is to be done when the resource is deleted."""
    if request["RequestType"] == "Delete":
        return {}
    identity = request["ResourceProperties"]["Identity"]
    found = of.found([identity]).get(identity, NotificationSettings())
    return {"Settings": msgspec.json.encode(found).decode()}


def apply(request: dict[str, Any], of: IdentitySettings) -> dict[str, str]:
    """Set what is wanted or, on deletion, what was found; both whatever is set now."""
    properties = request["ResourceProperties"]
    identity = properties["Identity"]
    text = properties["Found"] if request["RequestType"] == "Delete" else properties["Wanted"]
    wanted = msgspec.json.decode(text, type=NotificationSettings)
    if identity not in of.verified([identity]):
        return {"State": "waits for verification"}
    of.change(identity, of.found([identity]).get(identity, NotificationSettings()), wanted)
    return {"State": "set"}
