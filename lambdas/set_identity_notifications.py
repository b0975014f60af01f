"""The custom resources behind an identity's notification settings.

The first only looks: what it finds is kept by CloudFormation before anything is changed. The second sets what is wanted
and, when it is deleted, what was found. An identity that is not verified yet is left to check_identities: DNS takes its
time, and a deployment must neither wait for it nor fail.
"""

from typing import Any

import msgspec

from aftersend.aws.custom_resource import respond
from aftersend.aws.deployed_settings import Deployed, DeployedSettings
from aftersend.aws.identity_settings import IdentitySettings
from aftersend.contract import NotificationSettings
from lambdas import dependencies

PREVIOUS = "Custom::PreviousIdentityNotifications"


def handler(
    request: dict[str, Any],
    _context: object = None,
    *,
    identity_settings: IdentitySettings | None = None,
    deployed_settings: DeployedSettings | None = None,
) -> None:
    """`request` is CloudFormation's. Its properties: `Identity`, and for the second resource `Wanted` and `Previous`,
    NotificationSettings as JSON."""
    identity = request["ResourceProperties"]["Identity"]
    if request["ResourceType"] == PREVIOUS:
        respond(request, identity, lambda: look(request, identity_settings or dependencies.identity_settings()))
    else:
        respond(
            request,
            identity,
            lambda: apply(
                request,
                identity_settings or dependencies.identity_settings(),
                deployed_settings or dependencies.deployed_settings(),
            ),
        )


def look(request: dict[str, Any], identity_settings: IdentitySettings) -> dict[str, str]:
    """What was set before us; nothing is to be done when the resource is deleted."""
    if request["RequestType"] == "Delete":
        return {}
    identity = request["ResourceProperties"]["Identity"]
    return {"Settings": msgspec.json.encode(identity_settings.current([identity])[identity]).decode()}


def apply(
    request: dict[str, Any], identity_settings: IdentitySettings, deployed_settings: DeployedSettings
) -> dict[str, str]:
    """Set what is wanted or, on deletion, what was found; both whatever is set now. What is wanted is kept first: where
    this is cut off, check_identities does the rest."""
    properties = request["ResourceProperties"]
    identity = properties["Identity"]
    is_deleted = request["RequestType"] == "Delete"
    wanted = msgspec.json.decode(properties["Previous" if is_deleted else "Wanted"], type=NotificationSettings)
    if is_deleted:
        deployed_settings.delete(identity)
    else:
        deployed_settings.put(Deployed(identity, wanted))
    if identity not in identity_settings.verified([identity]):
        return {"State": "waits for verification"}
    identity_settings.change(identity, identity_settings.current([identity])[identity], wanted)
    if not is_deleted:
        deployed_settings.put(Deployed(identity, wanted, is_set=True))
    return {"State": "set"}
