"""The custom resources behind an identity's notification settings.

The first only looks: what it finds is kept by CloudFormation before anything is changed. The second sets what is wanted
and, when it is deleted, what was found. An identity that is not verified yet is left to check_identities: DNS takes its
time, and a deployment must neither wait for it nor fail.
"""

from typing import Any

import msgspec

from aftersend.aws.custom_resource import answered
from aftersend.aws.deployed_settings import Deployed, DeployedSettings
from aftersend.aws.identity_settings import IdentitySettings, NotificationSettings
from lambdas.work import deployed_settings, identity_settings

FOUND = "Custom::IdentityNotificationsFound"


def handler(
    request: dict[str, Any],
    _context: object = None,
    *,
    of: IdentitySettings | None = None,
    deployed: DeployedSettings | None = None,
) -> None:
    """`request` is CloudFormation's. Its properties: `Identity`, and for the second resource `Wanted` and `Found`,
    NotificationSettings as JSON."""
    identity = request["ResourceProperties"]["Identity"]
    if request["ResourceType"] == FOUND:
        answered(request, identity, lambda: look(request, of or identity_settings()))
    else:
        answered(request, identity, lambda: apply(request, of or identity_settings(), deployed or deployed_settings()))


def look(request: dict[str, Any], of: IdentitySettings) -> dict[str, str]:
    """What was set before us; nothing is to be done when the resource is deleted."""
    if request["RequestType"] == "Delete":
        return {}
    identity = request["ResourceProperties"]["Identity"]
    return {"Settings": msgspec.json.encode(of.found([identity])[identity]).decode()}


def apply(request: dict[str, Any], of: IdentitySettings, deployed: DeployedSettings) -> dict[str, str]:
    """Set what is wanted or, on deletion, what was found; both whatever is set now. What is wanted is kept first: where
    this is cut off, check_identities does the rest."""
    properties = request["ResourceProperties"]
    identity = properties["Identity"]
    is_deleted = request["RequestType"] == "Delete"
    wanted = msgspec.json.decode(properties["Found" if is_deleted else "Wanted"], type=NotificationSettings)
    if is_deleted:
        deployed.forget(identity)
    else:
        deployed.keep(Deployed(identity, wanted))
    if identity not in of.verified([identity]):
        return {"State": "waits for verification"}
    of.change(identity, of.found([identity])[identity], wanted)
    if not is_deleted:
        deployed.keep(Deployed(identity, wanted, is_set=True))
    return {"State": "set"}
