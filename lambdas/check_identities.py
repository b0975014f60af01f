"""Compare, every hour, the notification settings in SES with those that were deployed.

Settings of identities that were not verified when they were deployed are set as soon as they are. Settings that SES had
and has no more have drifted: SES drops them silently when it cannot publish to a topic. Drift is reported as a metric
with an alarm and, where the environment asks for it, restored.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from aftersend.aws.deployed_settings import DeployedNotifications, DeployedSettings
from aftersend.aws.identity_settings import IdentitySettings, differences
from aftersend.contract import NotificationSettings, Variable
from aftersend.metrics import emf_document
from lambdas import dependencies
from lambdas.dependencies import logger
from lambdas.settings import setting, text_setting


class Report(msgspec.Struct):
    """Count identities by the state of their settings; each field is a metric."""

    identities_waiting: int = 0
    """Not verified yet."""
    identities_set: int = 0
    """Verified since they were deployed, and set now."""
    identities_drifted: int = 0
    """Changed outside the deployment, restored or not."""
    identities_failed: int = 0
    """SES refused to set them."""


def handler(
    _event: object = None,
    _context: object = None,
    *,
    deployed_settings: DeployedSettings | None = None,
    identity_settings: IdentitySettings | None = None,
    emit_metric: Callable[[dict[str, Any]], None] = dependencies.emit_metric,
) -> dict[str, int]:
    """Check all identities and emit the counts as metrics."""
    deployed_settings = deployed_settings or dependencies.deployed_settings()
    identity_settings = identity_settings or dependencies.identity_settings()
    report = check(deployed_settings, identity_settings, restore=setting(Variable.RESTORE_DRIFT, bool))
    counts = msgspec.structs.asdict(report)
    logger.info("Checked the notification settings of all identities.", extra=counts)
    emit_metric(emf_document(counts, {"Environment": text_setting(Variable.ENVIRONMENT)}, datetime.now(UTC)))
    return counts


def check(deployed_settings: DeployedSettings, identity_settings: IdentitySettings, *, restore: bool) -> Report:
    """Set what was not set yet, report drift and restore it if asked. A failure concerns one identity only."""
    deployed = {notifications.identity: notifications for notifications in deployed_settings.all()}
    verified = identity_settings.verified(deployed)
    current = identity_settings.current(verified)
    report = Report(identities_waiting=len(deployed) - len(verified))
    for identity in sorted(verified):
        drift = differences(current[identity], deployed[identity].wanted)
        _report(deployed[identity], drift, report)
        try:
            if drift and (restore or not deployed[identity].is_set):
                _set(deployed[identity], current[identity], deployed_settings, identity_settings)
            elif not deployed[identity].is_set:
                deployed_settings.put(_mark_set(deployed[identity]))
        except ClientError as error:
            report.identities_failed += 1
            extra = {"identity": identity, "error": str(error)}
            logger.error("The notification settings of an identity could not be set.", extra=extra)
    return report


def _report(deployed: DeployedNotifications, drift: list[str], report: Report) -> None:
    """Count an identity whose settings differ from those deployed: it has drifted, or was never set."""
    if drift and deployed.is_set:
        report.identities_drifted += 1
        extra = {"identity": deployed.identity, "differences": drift}
        logger.warning("The notification settings of an identity have drifted.", extra=extra)
    elif drift:
        report.identities_set += 1


def _set(
    deployed: DeployedNotifications,
    current: NotificationSettings,
    deployed_settings: DeployedSettings,
    identity_settings: IdentitySettings,
) -> None:
    """Set the deployed settings, unless another deployment has changed them meanwhile: it sets them itself."""
    if deployed_settings.get(deployed.identity) == deployed:
        identity_settings.change(deployed.identity, current, deployed.wanted)
        deployed_settings.put(_mark_set(deployed))


def _mark_set(deployed: DeployedNotifications) -> DeployedNotifications:
    return msgspec.structs.replace(deployed, is_set=True)
