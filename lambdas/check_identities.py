"""Sets the notification settings of identities that were not verified yet when they were deployed. On a schedule."""

from typing import Any

from aftersend.aws.identity_settings import IdentitySettings, NotificationSettings
from lambdas.set_identity_notifications import identity_settings
from lambdas.settings import setting
from lambdas.work import logger

UNTOUCHED = NotificationSettings()


def handler(_event: object = None, _context: object = None, *, of: IdentitySettings | None = None) -> dict[str, Any]:
    """What became of the identities: how many wait for their verification, and how many were set now."""
    report = check(setting("IDENTITIES", dict[str, NotificationSettings]), of or identity_settings())
    logger.info("identities checked", extra=report)
    return report


def check(wanted: dict[str, NotificationSettings], of: IdentitySettings) -> dict[str, int]:
    """Set what was never set. Settings that somebody changed are left as they are."""
    verified = of.verified(wanted)
    found = of.found(verified) if verified else {}
    untouched = [name for name in verified if found.get(name, UNTOUCHED) == UNTOUCHED and wanted[name] != UNTOUCHED]
    for name in untouched:
        of.change(name, UNTOUCHED, wanted[name])
    return {"waiting": len(wanted) - len(verified), "set": len(untouched)}
