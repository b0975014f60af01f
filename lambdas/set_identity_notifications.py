"""Set an identity's notification settings on behalf of CloudFormation, as two custom resources.

The first only reads: CloudFormation stores the settings as they were before anything is changed. The second sets what
is wanted and, when it is deleted, the previous settings. An identity that is not verified yet is left to
check_identities: DNS takes its time, and a deployment must neither wait for it nor fail.

CloudFormation's requests come in order, but Lambda invokes the function at least once for each: after an interruption
again, and possibly when CloudFormation has gone on. The stored settings name the current request and the earlier ones,
so a request that was completed or superseded changes nothing.
"""

from typing import Any

import msgspec

from aftersend.aws.custom_resource import respond
from aftersend.aws.deployed_settings import (
    MAX_SUPERSEDED_REQUESTS,
    Conflict,
    DeployedNotifications,
    DeployedSettings,
)
from aftersend.aws.identity_settings import IdentitySettings
from aftersend.contract import SETTINGS_ATTRIBUTE, CustomResource, NotificationSettings, Property
from lambdas import identities
from lambdas.dependencies import logger

MAX_ATTEMPTS = 5
"""Attempts to store the settings. Only another request for the same identity, or check_identities, can interfere."""


def handler(
    request: dict[str, Any],
    _context: object = None,
    *,
    identity_settings: IdentitySettings | None = None,
    deployed_settings: DeployedSettings | None = None,
) -> None:
    """Perform CloudFormation's request for one of the two resources and respond to it."""

    def act() -> dict[str, str]:
        ses = identity_settings or identities.identity_settings()
        stored = deployed_settings or identities.deployed_settings()
        if request["ResourceType"] == CustomResource.PREVIOUS_IDENTITY_NOTIFICATIONS:
            return read_previous(request, ses, stored)
        return set_wanted(request, ses, stored)

    respond(request, request["ResourceProperties"][Property.IDENTITY], act)


def read_previous(
    request: dict[str, Any], identity_settings: IdentitySettings, deployed_settings: DeployedSettings
) -> dict[str, str]:
    """Return the identity's settings as they were before ours: where ours are set, those that were stored with them.

    Deleting this resource changes nothing.
    """
    if request["RequestType"] == "Delete":
        return {}
    identity = request["ResourceProperties"][Property.IDENTITY]
    deployed = deployed_settings.get(identity)
    if deployed and not deployed.is_deleted and deployed.previous:
        previous = deployed.previous
    else:
        previous = identity_settings.current([identity])[identity]
    return {SETTINGS_ATTRIBUTE: msgspec.json.encode(previous).decode()}


def set_wanted(
    request: dict[str, Any], identity_settings: IdentitySettings, deployed_settings: DeployedSettings
) -> dict[str, str]:
    """Set the wanted settings or, on deletion, the previous ones, whatever is set now.

    They are stored first: if this is interrupted, check_identities completes it. If another request is stored while
    SES is called, its settings are set in the end.
    """
    deployed = _store(request, deployed_settings)
    if deployed is None:
        logger.warning("A late request was ignored.", extra={"request_id": request["RequestId"]})
        return {"State": "superseded by a later request"}
    for _ in range(MAX_ATTEMPTS):
        if deployed.is_set:
            return {"State": "set"}
        if deployed.identity not in identity_settings.verified([deployed.identity]):
            return {"State": "waits for verification"}
        _apply(deployed, identity_settings)
        try:
            deployed = deployed_settings.put(msgspec.structs.replace(deployed, is_set=True, was_verified=True))
        except Conflict:
            deployed = deployed_settings.get(deployed.identity) or deployed
            deployed = msgspec.structs.replace(deployed, is_set=False)
    raise Conflict(deployed.identity)


def _store(request: dict[str, Any], deployed_settings: DeployedSettings) -> DeployedNotifications | None:
    """Store what the request wants and return it; None if the request was superseded."""
    for _ in range(MAX_ATTEMPTS):
        current = deployed_settings.get(request["ResourceProperties"][Property.IDENTITY])
        if current and current.request_id == request["RequestId"]:
            return current
        if current and _is_superseded(request, current):
            return None
        try:
            return deployed_settings.put(_wanted(request, current))
        except Conflict:
            continue
    raise Conflict(request["ResourceProperties"][Property.IDENTITY])


def _is_superseded(request: dict[str, Any], current: DeployedNotifications) -> bool:
    """Return whether a later request has been stored, or another resource has taken over what this one would delete."""
    if request["RequestType"] == "Delete" and current.resource != _resource(request):
        return True
    return request["RequestId"] in current.superseded


def _wanted(request: dict[str, Any], current: DeployedNotifications | None) -> DeployedNotifications:
    properties = request["ResourceProperties"]
    is_deleted = request["RequestType"] == "Delete"
    earlier = (*current.superseded, current.request_id)[-MAX_SUPERSEDED_REQUESTS:] if current else ()
    previous = msgspec.json.decode(properties[Property.PREVIOUS], type=NotificationSettings)
    wanted = msgspec.json.decode(properties[Property.WANTED], type=NotificationSettings)
    return DeployedNotifications(
        identity=properties[Property.IDENTITY],
        wanted=previous if is_deleted else wanted,
        previous=previous,
        was_verified=bool(current) and current.was_verified and not current.is_deleted,
        is_deleted=is_deleted,
        resource=_resource(request),
        request_id=request["RequestId"],
        superseded=earlier,
        etag=current.etag if current else None,
    )


def _resource(request: dict[str, Any]) -> str:
    return f"{request['StackId']}/{request['LogicalResourceId']}"


def _apply(deployed: DeployedNotifications, identity_settings: IdentitySettings) -> None:
    """Make SES have the settings. Those of a deleted identity are restored as far as possible: a stack must always be
    deletable."""
    identity = deployed.identity
    if not deployed.is_deleted:
        identity_settings.change(identity, identity_settings.current([identity])[identity], deployed.wanted)
    elif refused := identity_settings.restore(identity, deployed.wanted):
        extra = {"identity": identity, "topics": refused}
        logger.warning("Previous notification topics could not be restored and were cleared.", extra=extra)
