"""Read whether SES lets the account send in this Region, and how much of its daily quota is used."""

from typing import Any

HEALTHY = "HEALTHY"
"""`EnforcementStatus` of an account that is neither under review nor paused (SES API v2, GetAccount)."""


class SendingAccount:
    """Read the account's sending status from the SES API v2."""

    def __init__(self, sesv2: Any) -> None:
        self._sesv2 = sesv2

    def metrics(self) -> dict[str, int]:
        """Return the status as metrics, with 1 for what is wrong. A quota of -1 is unlimited."""
        account = self._sesv2.get_account()
        quota = account["SendQuota"]
        is_limited = quota["Max24HourSend"] > 0
        return {
            "sending_paused": int(not account["SendingEnabled"]),
            "account_under_review": int(account["EnforcementStatus"] != HEALTHY),
            "quota_used_percent": int(100 * quota["SentLast24Hours"] / quota["Max24HourSend"]) if is_limited else 0,
        }
