"""Compares, every hour, the notification settings SES has with those that were deployed.

Identities that were not verified yet when they were deployed are set once they are. Settings that were there and are no
more have drifted: SES drops them without a word when it cannot publish to a topic. That is told by a metric with an
alarm, and where the environment wants it, they are put back.
"""

from datetime import UTC, datetime

import msgspec
from botocore.exceptions import ClientError

from aftersend.aws.deployed_settings import Deployed, DeployedSettings
from aftersend.aws.identity_settings import IdentitySettings, differences
from aftersend.contract import NotificationSettings
from aftersend.metrics import emf_document
from lambdas import dependencies
from lambdas.dependencies import logger
from lambdas.settings import setting, text_setting


class Report(msgspec.Struct):
    """How many identities were found how."""

    identities_waiting: int = 0
    """Not verified yet."""
    identities_set: int = 0
    """Verified since they were deployed, and set now."""
    identities_drifted: int = 0
    """Set once, and not as they were, whether or not that could be put back."""
    identities_failed: int = 0
    """SES refused to have them set."""


def handler(_event: object = None, _context: object = None) -> dict[str, int]:
    """The report, which is printed as metrics too."""
    report = check(
        dependencies.deployed_settings(), dependencies.identity_settings(), restore=setting("RESTORE_DRIFT", bool)
    )
    counts = msgspec.structs.asdict(report)
    logger.info("identities checked", extra=counts)
    dimensions = {"Environment": text_setting("ENVIRONMENT")}
    print(msgspec.json.encode(emf_document(counts, dimensions, datetime.now(UTC))).decode())
    return counts


def check(deployed_settings: DeployedSettings, identity_settings: IdentitySettings, *, restore: bool) -> Report:
    """Set what was never set, tell what has drifted, put it back if asked. An identity costs only itself."""
    report = Report()
    wanted = {each.identity: each for each in deployed_settings.all()}
    verified = identity_settings.verified(wanted)
    found = identity_settings.current(verified)
    report.identities_waiting = len(wanted) - len(verified)
    for name in sorted(verified):
        try:
            _check_one(wanted[name], found[name], deployed_settings, identity_settings, report, restore=restore)
        except ClientError as error:
            report.identities_failed += 1
            logger.error("the notification settings could not be set", extra={"identity": name, "error": str(error)})
    return report


def _check_one(
    was: Deployed,
    found: NotificationSettings,
    deployed_settings: DeployedSettings,
    identity_settings: IdentitySettings,
    report: Report,
    *,
    restore: bool,
) -> None:
    apart = differences(found, was.wanted)
    now = msgspec.structs.replace(was, is_set=True)
    if not apart:
        if not was.is_set:
            deployed_settings.put(now)
        return
    if was.is_set:
        report.identities_drifted += 1
        logger.warning("notification settings have drifted", extra={"identity": was.identity, "differences": apart})
    else:
        report.identities_set += 1
    # Looked at again, for a deployment may have changed it meanwhile: then it is that deployment's to set.
    if (restore or not was.is_set) and deployed_settings.get(was.identity) == was:
        identity_settings.change(was.identity, found, was.wanted)
        deployed_settings.put(now)
