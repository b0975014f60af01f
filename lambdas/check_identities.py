"""Check, every hour, what SES and the archive bucket hold, and report it as metrics.

- Notification settings are compared with those that were deployed. Those of identities that were not verified then are
  set as soon as they are. Settings that SES had and has no more have drifted: SES drops them silently when it cannot
  publish to a topic. Drift is restored if the environment is configured so.
- Identities are checked for lost verification, and for failing DKIM and MAIL FROM records.
- The account is checked for paused sending, reviews and its quota.
- Objects with failed records are counted.

Each part fails alone. What could not be checked has no metric in that run and is counted in `check_errors`.
"""

from collections.abc import Callable, Collection, Iterable
from functools import cache, partial
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from aftersend.aws.clients import client
from aftersend.aws.deployed_settings import Conflict, DeployedNotifications, DeployedSettings
from aftersend.aws.failed_objects import FailedObjects
from aftersend.aws.identity_settings import IdentitySettings, differences
from aftersend.aws.sending_account import SendingAccount
from aftersend.contract import CHECK_METRICS, FAILED_OBJECTS_METRICS, NotificationSettings, Variable
from lambdas import dependencies, identities
from lambdas.dependencies import logger
from lambdas.scheduled import LambdaContext, has_time
from lambdas.settings import setting, text_setting

RESERVED_MILLISECONDS = 120_000
"""Time reserved for the checks that follow; settings that this leaves no time for are set in the next hour."""


QUOTA_USED, FEWEST_QUOTA_PERCENT = "quota_used_percent", 50
"""A metric, and below what percentage nobody watches it: then it is only logged."""


class Report(msgspec.Struct):
    """Count identities by the state of their settings; those of CHECK_METRICS are metrics."""

    identities_waiting: int = 0
    """Not verified yet."""
    identities_unverified: int = 0
    """Verified once, and no longer."""
    identities_set: int = 0
    """Verified since they were deployed, and set now."""
    identities_drifted: int = 0
    """Changed outside the deployment, restored or not."""
    identities_failed: int = 0
    """SES refused to set them."""


def handler(
    _event: object = None,
    context: LambdaContext | None = None,
    *,
    deployed_settings: DeployedSettings | None = None,
    identity_settings: IdentitySettings | None = None,
    account: SendingAccount | None = None,
    failed_objects: FailedObjects | None = None,
    emit_metric: Callable[[dict[str, Any]], None] = dependencies.emit_metric,
) -> dict[str, int]:
    """Make all checks, one after another as SES demands, and emit their counts as metrics."""
    stored = deployed_settings or identities.deployed_settings()
    ses = identity_settings or identities.identity_settings()
    objects = failed_objects or FailedObjects(client("s3"), text_setting(Variable.ARCHIVE_BUCKET))

    checks = _identity_checks(stored, ses, partial(has_time, context, RESERVED_MILLISECONDS))
    checks["account"] = lambda: (account or SendingAccount(client("sesv2"))).metrics()
    for metric, prefix in FAILED_OBJECTS_METRICS.items():
        checks[metric] = lambda metric=metric, prefix=prefix: {metric: objects.count(prefix)}
    counts = run(checks)
    logger.info("Checked identities, account and failed objects.", extra=counts)
    is_quota_low = counts.get(QUOTA_USED, 0) < FEWEST_QUOTA_PERCENT
    metrics = [name for name in CHECK_METRICS if not (name == QUOTA_USED and is_quota_low)]
    emit_metric(dependencies.environment_document(counts, metrics))
    return counts


Checks = dict[str, Callable[[], dict[str, int]]]
"""What makes each check and returns its counts, by name."""


def _identity_checks(stored: DeployedSettings, ses: IdentitySettings, has_time_left: Callable[[], bool]) -> Checks:
    @cache
    def deployed() -> list[DeployedNotifications]:
        return list(stored.all())

    def check_settings() -> dict[str, int]:
        restore = setting(Variable.RESTORE_DRIFT, bool)
        return msgspec.structs.asdict(check(deployed(), stored, ses, restore=restore, has_time=has_time_left))

    def log_failing(failing: Callable[[Iterable[str]], list[str]], message: str) -> int:
        return _log(failing([each.identity for each in deployed()]), message)

    return {
        "notification settings": check_settings,
        "DKIM": lambda: {"identities_dkim_failed": log_failing(ses.failed_dkim, "DKIM fails for identities.")},
        "MAIL FROM": lambda: {
            "identities_mail_from_failed": log_failing(ses.failed_mail_from, "MAIL FROM fails for identities.")
        },
    }


def run(checks: Checks) -> dict[str, int]:
    """Make the checks and return their counts. One that fails is logged and counted, and does not stop the others."""
    counts = {"identity_check_runs": 1, "check_errors": 0}
    for name, make in checks.items():
        try:
            counts |= make()
        except Exception:  # noqa: BLE001 (whatever fails, the others must be published)
            counts["check_errors"] += 1
            logger.exception("A check failed.", extra={"check": name})
    return counts


def _log(identities: Collection[str], message: str) -> int:
    """Log the identities that fail a check, and return their number."""
    if identities:
        logger.warning(message, extra={"identities": sorted(identities)})
    return len(identities)


def check(
    all_deployed: Iterable[DeployedNotifications],
    deployed_settings: DeployedSettings,
    identity_settings: IdentitySettings,
    *,
    restore: bool,
    has_time: Callable[[], bool] = lambda: True,
) -> Report:
    """Set what was not set yet, report drift and, with `restore`, undo it. A failure concerns one identity only."""
    identities = {deployed.identity: deployed for deployed in all_deployed}
    verified = identity_settings.verified(identities)
    current = identity_settings.current(verified)
    unverified = [name for name in identities.keys() - verified if identities[name].was_verified]
    report = Report(len(identities) - len(verified) - len(unverified))
    report.identities_unverified = _log(unverified, "Identities that were verified no longer are.")
    for name in sorted(verified):
        drift = differences(current[name], identities[name].wanted)
        _report(identities[name], drift, report)
        try:
            deployed = _store_verified(identities[name], deployed_settings)
            if not drift:
                _store_set(deployed, deployed_settings)
            elif has_time() and (restore or not deployed.is_set):
                _set(deployed, current[name], deployed_settings, identity_settings)
        except Conflict:
            logger.info("An identity was deployed again during the check.", extra={"identity": name})
        except (ClientError, BotoCoreError) as error:
            report.identities_failed += 1
            extra = {"identity": name, "error": str(error)}
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
        _store_set(deployed, deployed_settings)


def _store_verified(deployed: DeployedNotifications, deployed_settings: DeployedSettings) -> DeployedNotifications:
    if deployed.was_verified:
        return deployed
    return deployed_settings.put(msgspec.structs.replace(deployed, was_verified=True))


def _store_set(deployed: DeployedNotifications, deployed_settings: DeployedSettings) -> None:
    if not deployed.is_set:
        deployed_settings.put(msgspec.structs.replace(deployed, is_set=True))
