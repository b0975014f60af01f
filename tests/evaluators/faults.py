"""Name what can break, and let SES answer accordingly."""

from enum import Enum, auto

import msgspec

from aftersend.aws.deployed_settings import DeployedNotifications
from aftersend.contract import IDENTITIES_PREFIX, NotificationSettings
from tests.adapters.identities import IDENTITY, REFUSED, UNTOUCHED, new_request
from tests.evaluators.account import Account


class Fault(Enum):
    """What can break."""

    FEEDBACK_NOT_POLLED = auto()
    FEEDBACK_POISONED = auto()  # record_feedback fails on every message, again and again
    FEEDBACK_NOT_DELIVERED = auto()  # SNS cannot deliver to the queue
    ARCHIVE_NOT_POLLED = auto()
    ARCHIVE_POISONED = auto()
    LINES_DAMAGED = auto()
    FIREHOSE_STUCK = auto()
    FIREHOSE_THROTTLED = auto()
    FIREHOSE_REFUSED = auto()  # Firehose stores records below its error prefix
    COUNTING_FAILS = auto()
    COUNTING_FAILS_UNSTORED = auto()  # and the discarded batch cannot be stored
    CHANGES_UNCOUNTABLE = auto()
    IDENTITY_DRIFTED = auto()
    IDENTITY_REFUSED = auto()  # SES refuses the settings of another identity
    IDENTITY_UNVERIFIED = auto()
    DKIM_FAILED = auto()
    MAIL_FROM_FAILED = auto()
    SENDING_PAUSED = auto()
    ACCOUNT_UNDER_REVIEW = auto()
    QUOTA_USED = auto()
    CHECK_FAILS = auto()
    CHECK_FAILS_PARTLY = auto()  # one of its calls is denied
    CHECK_NOT_SCHEDULED = auto()


def break_identities(account: Account, faults: set[Fault]) -> None:
    """Change what SES and the bucket answer about identities and sending, so that it has these faults and no others."""
    ses, only = account.ses, {IDENTITY}
    _break_settings(account, faults)
    ses.verified = ses.verified - only if Fault.IDENTITY_UNVERIFIED in faults else ses.verified | only
    ses.failed_dkim = only if Fault.DKIM_FAILED in faults else set()
    ses.failed_mail_from = only if Fault.MAIL_FROM_FAILED in faults else set()
    account.sending.is_denied = Fault.CHECK_FAILS_PARTLY in faults
    account.sending.account = {
        "SendingEnabled": Fault.SENDING_PAUSED not in faults,
        "EnforcementStatus": "PROBATION" if Fault.ACCOUNT_UNDER_REVIEW in faults else "HEALTHY",
        "SendQuota": {
            "Max24HourSend": 50_000.0,
            "SentLast24Hours": 45_000.0 if Fault.QUOTA_USED in faults else 1_000.0,
        },
    }


def _break_settings(account: Account, faults: set[Fault]) -> None:
    """Let SES drop the settings of one identity, and refuse those of another."""
    if Fault.IDENTITY_DRIFTED in faults:
        account.ses.settings[IDENTITY] = UNTOUCHED
    else:
        account.invoke("set_identity_notifications", new_request("Update"))
    if Fault.IDENTITY_REFUSED in faults:
        refused = DeployedNotifications("refused.example", NotificationSettings({"Bounce": REFUSED}))
        account.s3.objects[f"{IDENTITIES_PREFIX}refused.example.json"] = msgspec.json.encode(refused)
        account.ses.verified.add("refused.example")
        account.ses.settings.setdefault("refused.example", UNTOUCHED)
