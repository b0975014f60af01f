"""Set an identity's notification settings on behalf of CloudFormation, as two custom resources.

The first only reads: CloudFormation stores the settings as they were before anything is changed. The second sets what
is wanted and, when it is deleted, the previous settings. An identity that is not verified yet is left to
check_identities: DNS takes its time, and a deployment must neither wait for it nor fail.
"""

from typing import Any

import msgspec

from aftersend.aws.custom_resource import respond
from aftersend.aws.deployed_settings import DeployedNotifications, DeployedSettings
from aftersend.aws.identity_settings import IdentitySettings
from aftersend.contract import SETTINGS_ATTRIBUTE, CustomResource, NotificationSettings, Property
from lambdas import dependencies


def handler(
    request: dict[str, Any],
    _context: object = None,
    *,
    identity_settings: IdentitySettings | None = None,
    deployed_settings: DeployedSettings | None = None,
) -> None:
    """Perform CloudFormation's request for one of the two resources and respond to it."""

    def act() -> dict[str, str]:
        ses = identity_settings or dependencies.identity_settings()
        if request["ResourceType"] == CustomResource.PREVIOUS_IDENTITY_NOTIFICATIONS:
            return read_previous(request, ses)
        return set_wanted(request, ses, deployed_settings or dependencies.deployed_settings())

    respond(request, request["ResourceProperties"][Property.IDENTITY], act)


def read_previous(request: dict[str, Any], identity_settings: IdentitySettings) -> dict[str, str]:
    """Return the identity's present settings. Deleting this resource changes nothing."""
    if request["RequestType"] == "Delete":
        return {}
    identity = request["ResourceProperties"][Property.IDENTITY]
    return {SETTINGS_ATTRIBUTE: msgspec.json.encode(identity_settings.current([identity])[identity]).decode()}


def set_wanted(
    request: dict[str, Any], identity_settings: IdentitySettings, deployed_settings: DeployedSettings
) -> dict[str, str]:
    """Set the wanted settings or, on deletion, the previous ones, whatever is set now.

    The wanted settings are stored first: if this is interrupted, check_identities completes it.
    """
    properties = request["ResourceProperties"]
    identity = properties[Property.IDENTITY]
    is_deleted = request["RequestType"] == "Delete"
    target = properties[Property.PREVIOUS if is_deleted else Property.WANTED]
    settings = msgspec.json.decode(target, type=NotificationSettings)
    if is_deleted:
        deployed_settings.delete(identity)
    else:
        deployed_settings.put(DeployedNotifications(identity, settings))
    if identity not in identity_settings.verified([identity]):
        return {"State": "waits for verification"}
    identity_settings.change(identity, identity_settings.current([identity])[identity], settings)
    if not is_deleted:
        deployed_settings.put(DeployedNotifications(identity, settings, is_set=True))
    return {"State": "set"}
