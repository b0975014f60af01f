"""Describe every alarm: its severity, its meaning and its threshold.

The stacks create each of them on its metric; docs/operations.md explains each.
"""

from enum import StrEnum
from typing import NamedTuple

from aftersend.contract import RATES_EVERY_MINUTES, RUNBOOK

MINUTES, RATES, HOUR = 5, 3 * RATES_EVERY_MINUTES, 60
"""Lengths of a period: of what AWS and the functions publish at any time, of three runs of watch_rates, so that one run
that is a little late ends no alarm, and of what functions publish every hour."""


class Severity(StrEnum):
    """Name how urgent an alarm is. Each severity has a topic of its own."""

    PAGE = "page"
    """Events are being lost, mail is or may soon be refused, or bounces suppress nobody or too many: look now."""
    TICKET = "ticket"
    """Something failed and is stored for days, or will become urgent: look in working hours."""


class Alarm(NamedTuple):
    """Describe an alarm, but not its metric."""

    severity: Severity
    problem: str
    threshold: float = 0
    """The metric breaches above it; a heartbeat, below it. The environment sets that of some."""
    periods: int = 1
    """How many periods in a row must breach."""
    period_minutes: int = MINUTES
    is_heartbeat: bool = False
    """Whether the metric is published every run, so that missing data is the problem itself. Everything else is
    published only when something happens: there, missing data means that nothing did."""

    def description(self, id: str, runbook: str = RUNBOOK) -> str:
        """Return what the person who is notified reads."""
        return f"{self.problem} Severity: {self.severity}. Read first: {runbook}#{id.lower()}"


PAGE, TICKET = Severity.PAGE, Severity.TICKET

ALARMS = {
    # The feedback route
    "FeedbackDeadLetters": Alarm(
        PAGE, "record_feedback failed on messages five times: their bounces and complaints suppress nobody yet."
    ),
    "FeedbackLate": Alarm(PAGE, "Messages have waited in the feedback queue for over 15 minutes.", 15 * 60, 3),
    "FeedbackSubscriptionDeadLetters": Alarm(
        PAGE,
        "SNS could not deliver messages to the feedback queue: they are in the dead-letter queue of the subscription.",
    ),
    "FeedbackTopicFailed": Alarm(PAGE, "Deliveries from the feedback topic to the feedback queue fail."),
    # The archive route
    "ArchiveDeadLetters": Alarm(TICKET, "record_archive failed on objects of the archive five times."),
    "ArchiveLate": Alarm(
        PAGE, "Objects of the archive have waited for record_archive for over 15 minutes.", 15 * 60, 3
    ),
    "StreamLate": Alarm(
        PAGE,
        "Firehose has not delivered records to the archive for over 30 minutes. It keeps them for 24 hours.",
        30 * 60,
        3,
    ),
    "StreamThrottled": Alarm(TICKET, "Firehose refused records because they exceed the quota of the stream."),
    "FirehoseErrors": Alarm(TICKET, "There are records that Firehose could not process.", period_minutes=HOUR),
    "QuarantinedLines": Alarm(TICKET, "record_archive quarantined lines that it could not parse."),
    "QuarantineObjects": Alarm(TICKET, "There are quarantined lines that have not been redriven.", period_minutes=HOUR),
    # Counting
    "CountingFailed": Alarm(
        TICKET, "count_tags failed. Lambda retries the batch until it succeeds or is 20 hours old."
    ),
    "CountingLate": Alarm(PAGE, "The counters are over 15 minutes behind the ledger.", 15 * 60_000, 3),
    "CountingDiscarded": Alarm(
        TICKET,
        "Lambda discarded changes of the ledger that count_tags failed on, and stored them: they are not counted.",
    ),
    "CountingDropped": Alarm(
        PAGE, "Lambda discarded changes of the ledger and could not store them: they are not counted."
    ),
    "UncountableRecords": Alarm(TICKET, "count_tags skipped changes of the ledger that it cannot decode."),
    "FailedBatches": Alarm(TICKET, "There are stored batches of changes that Lambda discarded.", period_minutes=HOUR),
    # Events of the suppression list
    "SuppressionEventsFailed": Alarm(
        TICKET, "publish_suppressions failed. Lambda retries the batch until it succeeds or is 20 hours old."
    ),
    "SuppressionEventsLate": Alarm(
        TICKET, "Changes of the suppression list are published over 15 minutes late.", 15 * 60_000, 3
    ),
    "SuppressionEventsDiscarded": Alarm(
        TICKET, "Lambda discarded changes of the suppression list that were not published, and stored them."
    ),
    "SuppressionEventsDropped": Alarm(
        PAGE, "Lambda discarded changes of the suppression list that were not published, and could not store them."
    ),
    "UnpublishableChanges": Alarm(
        TICKET, "publish_suppressions skipped changes of the suppression list that it cannot decode."
    ),
    # Identities and the account
    "IdentitiesUnverified": Alarm(
        PAGE, "An identity was verified and no longer is: SES refuses its mail.", period_minutes=HOUR
    ),
    "IdentitiesDrifted": Alarm(
        TICKET, "SES has other notification settings of an identity than were deployed.", period_minutes=HOUR
    ),
    "IdentitiesFailed": Alarm(TICKET, "SES refused the notification settings of an identity.", period_minutes=HOUR),
    "DkimFailed": Alarm(TICKET, "SES does not find the DKIM records of a domain.", period_minutes=HOUR),
    "MailFromFailed": Alarm(TICKET, "SES does not find the MX record of a MAIL FROM domain.", period_minutes=HOUR),
    "SendingPaused": Alarm(PAGE, "The account cannot send: sending is paused.", period_minutes=HOUR),
    "AccountUnderReview": Alarm(PAGE, "SES reviews the account and may pause its sending.", period_minutes=HOUR),
    "QuotaUsed": Alarm(TICKET, "More than 80 % of the daily sending quota is used.", 80, period_minutes=HOUR),
    # The check that publishes these metrics
    "IdentityCheckFailed": Alarm(TICKET, "The hourly check of identities and account failed.", period_minutes=HOUR),
    "IdentityCheckIncomplete": Alarm(TICKET, "A part of the hourly check failed.", period_minutes=HOUR),
    # Two periods: a run shortly before the end of one hour and the next shortly after that of the next leave one empty.
    "IdentityCheckMissing": Alarm(
        TICKET, "The hourly check has not run for two hours.", 1, 2, period_minutes=HOUR, is_heartbeat=True
    ),
    # The account suppression list
    "AccountListDrift": Alarm(
        TICKET,
        "The suppression list and SES's account suppression list have differed for three hours.",
        periods=3,
        period_minutes=HOUR,
    ),
    "AccountListUnavailable": Alarm(
        TICKET, "SES does not let the account suppression list be read or changed.", period_minutes=HOUR
    ),
    "AccountListSyncMissing": Alarm(
        TICKET,
        "The suppression lists have not been compared for two hours.",
        1,
        2,
        period_minutes=HOUR,
        is_heartbeat=True,
    ),
    # The suppression list
    "MassSuppression": Alarm(
        PAGE, "Bounces and complaints suppress an unusual share of the recipients of recent mail.", period_minutes=HOUR
    ),
    "SweepFailed": Alarm(TICKET, "A sweep could not decide about temporary suppression entries.", period_minutes=HOUR),
    "SweepMissing": Alarm(
        TICKET,
        "The suppression list has not been swept for two hours.",
        1,
        2,
        period_minutes=HOUR,
        is_heartbeat=True,
    ),
    # Bounce and complaint rates
    "ReputationWarning": Alarm(
        TICKET,
        "A bounce or complaint rate is as high as those for which AWS reviews accounts.",
        period_minutes=RATES,
    ),
    "ReputationCritical": Alarm(
        PAGE,
        "A bounce or complaint rate is as high as those for which AWS may pause accounts.",
        period_minutes=RATES,
    ),
    "GuardPaused": Alarm(PAGE, "The guard has paused a configuration set: SES refuses its mail.", period_minutes=RATES),
    "GuardFailed": Alarm(
        PAGE,
        "watch_rates could not read a tag's counters or could not pause a configuration set.",
        period_minutes=RATES,
    ),
    "RatesMissing": Alarm(
        PAGE, "Rates have not been watched for half an hour.", 1, 2, period_minutes=RATES, is_heartbeat=True
    ),
    # The counters, compared with SES's own metrics
    "CountsIncomplete": Alarm(
        PAGE, "SES has sent more with a configuration set than was counted: events are missing.", period_minutes=HOUR
    ),
    "SetsSilent": Alarm(PAGE, "SES sends with a configuration set, and none of it is counted.", period_minutes=HOUR),
    "MailUnseen": Alarm(
        TICKET, "The account sends mail that names no configuration set of this environment.", period_minutes=HOUR
    ),
    "TagValues": Alarm(
        TICKET,
        "A counted tag has more values a day than `max_tag_values`. The log of CheckCounts has what it costs.",
        period_minutes=HOUR,
    ),
    "CountCheckMissing": Alarm(
        TICKET,
        "The counters have not been checked completely for two hours.",
        1,
        2,
        period_minutes=HOUR,
        is_heartbeat=True,
    ),
    # The canary
    "CanaryMissing": Alarm(
        PAGE, "Events of messages to the mailbox simulator have not arrived within 15 minutes.", period_minutes=HOUR
    ),
    "CanaryFailed": Alarm(PAGE, "SES does not accept messages to the mailbox simulator.", period_minutes=HOUR),
    "CanarySilent": Alarm(
        TICKET, "The canary has not run for two hours.", 1, 2, period_minutes=HOUR, is_heartbeat=True
    ),
}
"""Every alarm by its logical id, which begins its name."""

CHECK_ALARMS = {
    "FirehoseErrors": "firehose_error_objects",
    "QuarantineObjects": "quarantine_objects",
    "FailedBatches": "failed_batches",
    "IdentitiesUnverified": "identities_unverified",
    "IdentitiesDrifted": "identities_drifted",
    "IdentitiesFailed": "identities_failed",
    "DkimFailed": "identities_dkim_failed",
    "MailFromFailed": "identities_mail_from_failed",
    "SendingPaused": "sending_paused",
    "AccountUnderReview": "account_under_review",
    "QuotaUsed": "quota_used_percent",
    "IdentityCheckIncomplete": "check_errors",
    "IdentityCheckMissing": "identity_check_runs",
}
"""The alarms on metrics of check_identities, with their metrics."""

ACCOUNT_LIST_ALARMS = {
    "AccountListDrift": "account_list_drift",
    "AccountListUnavailable": "account_list_unavailable",
    "AccountListSyncMissing": "account_list_runs",
}
"""The alarms on metrics of sync_account_list, with their metrics. There are none where `account_list` is "off"."""

SWEEP_ALARMS = {
    "MassSuppression": "mass_suppression_percent",
    "SweepFailed": "sweep_failed",
    "SweepMissing": "sweep_runs",
}
"""The alarms on metrics of sweep_suppressions, with their metrics."""

RATES_ALARMS = {
    "ReputationWarning": "rates_warning",
    "ReputationCritical": "rates_critical",
    "GuardPaused": "guard_paused",
    "GuardFailed": "guard_errors",
    "RatesMissing": "rates_runs",
}
"""The alarms on metrics of watch_rates, with their metrics."""

COUNT_CHECK_ALARMS = {
    "CountsIncomplete": "counts_missing_percent",
    "SetsSilent": "silent_sets",
    "MailUnseen": "unseen_percent",
    "TagValues": "tags_over_values",
    "CountCheckMissing": "count_check_runs",
}
"""The alarms on metrics of check_counts, with their metrics. There are none where `checks_counts` is false."""

CANARY_ALARMS = {
    "CanaryMissing": "canary_missing",
    "CanaryFailed": "canary_failed",
    "CanarySilent": "canary_runs",
}
"""The alarms on metrics of send_canary, with their metrics. There are none without a canary."""

HEARTBEATS = {
    name: metric
    for table in (CHECK_ALARMS, ACCOUNT_LIST_ALARMS, SWEEP_ALARMS, RATES_ALARMS, COUNT_CHECK_ALARMS, CANARY_ALARMS)
    for name, metric in table.items()
    if ALARMS[name].is_heartbeat
}
"""The alarms on heartbeats, with their metrics."""
