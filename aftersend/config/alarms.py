"""Describe every alarm: its severity, its meaning and its threshold.

The stacks create each of them on its metric; docs/operations.md explains each.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from aftersend.contract import (
    ACCOUNT_LIST_METRICS,
    CANARY_METRICS,
    CHECK_METRICS,
    COUNT_CHECK_METRICS,
    RATES_EVERY_MINUTES,
    RATES_METRICS,
    RUNBOOK,
    SWEEP_METRICS,
)

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
    metric: str = ""
    """What a scheduled function publishes; empty if the stacks name the metric."""
    statistic: str = "Maximum"
    """Of that metric."""

    def description(self, id: str, runbook: str = RUNBOOK) -> str:
        """Return what the person who is notified reads."""
        return f"{self.problem} Severity: {self.severity}. Read first: {runbook}#{id.lower()}"


PAGE, TICKET = Severity.PAGE, Severity.TICKET


def _reported(
    severity: Severity, problem: str, metric: str, threshold: float = 0, *, period_minutes: int = HOUR
) -> Alarm:
    return Alarm(severity, problem, threshold, period_minutes=period_minutes, metric=metric)


def _heartbeat(severity: Severity, problem: str, metric: str, *, period_minutes: int = HOUR) -> Alarm:
    """Return an alarm after two periods: a run just before the end of an hour and the next just after that of the next
    hour leave one empty."""
    return Alarm(severity, problem, 1, 2, period_minutes, is_heartbeat=True, metric=metric)


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
    "FirehoseErrors": _reported(TICKET, "There are records that Firehose could not process.", "firehose_error_objects"),
    "QuarantinedLines": Alarm(TICKET, "record_archive quarantined lines that it could not parse."),
    "QuarantineObjects": _reported(
        TICKET, "There are quarantined lines that have not been redriven.", "quarantine_objects"
    ),
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
    "FailedBatches": _reported(TICKET, "There are stored batches of changes that Lambda discarded.", "failed_batches"),
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
    "IdentitiesUnverified": _reported(
        PAGE, "An identity was verified and no longer is: SES refuses its mail.", "identities_unverified"
    ),
    "IdentitiesDrifted": _reported(
        TICKET, "SES has other notification settings of an identity than were deployed.", "identities_drifted"
    ),
    "IdentitiesFailed": _reported(TICKET, "SES refused the notification settings of an identity.", "identities_failed"),
    "DkimFailed": _reported(TICKET, "SES does not find the DKIM records of a domain.", "identities_dkim_failed"),
    "MailFromFailed": _reported(
        TICKET, "SES does not find the MX record of a MAIL FROM domain.", "identities_mail_from_failed"
    ),
    "SendingPaused": _reported(PAGE, "The account cannot send: sending is paused.", "sending_paused"),
    "AccountUnderReview": _reported(PAGE, "SES reviews the account and may pause its sending.", "account_under_review"),
    "QuotaUsed": _reported(TICKET, "More than 80 % of the daily sending quota is used.", "quota_used_percent", 80),
    # The check that publishes these metrics
    "IdentityCheckFailed": Alarm(TICKET, "The hourly check of identities and account failed.", period_minutes=HOUR),
    "IdentityCheckIncomplete": _reported(TICKET, "A part of the hourly check failed.", "check_errors"),
    "IdentityCheckMissing": _heartbeat(TICKET, "The hourly check has not run for two hours.", "identity_check_runs"),
    # The account suppression list
    # The minimum: of several runs in one hour, the last may have ended it.
    "AccountListDrift": _reported(
        TICKET,
        "The suppression list and SES's account suppression list have differed for three hours.",
        "account_list_drift",
    )._replace(periods=3, statistic="Minimum"),
    "AccountListUnavailable": _reported(
        TICKET, "SES does not let the account suppression list be read or changed.", "account_list_unavailable"
    ),
    "AccountListSyncMissing": _heartbeat(
        TICKET, "The suppression lists have not been compared for two hours.", "account_list_runs"
    ),
    # The suppression list
    "MassSuppression": _reported(
        PAGE,
        "Bounces and complaints suppress an unusual share of the recipients of recent mail.",
        "mass_suppression_percent",
    ),
    "SweepFailed": _reported(TICKET, "A sweep could not decide about temporary suppression entries.", "sweep_failed"),
    "SweepMissing": _heartbeat(TICKET, "The suppression list has not been swept for two hours.", "sweep_runs"),
    # Bounce and complaint rates
    "ReputationWarning": _reported(
        TICKET,
        "A bounce or complaint rate is as high as those for which AWS reviews accounts.",
        "rates_warning",
        period_minutes=RATES,
    ),
    "ReputationCritical": _reported(
        PAGE,
        "A bounce or complaint rate is as high as those for which AWS may pause accounts.",
        "rates_critical",
        period_minutes=RATES,
    ),
    "GuardPaused": _reported(
        PAGE, "The guard has paused a configuration set: SES refuses its mail.", "guard_paused", period_minutes=RATES
    ),
    "GuardFailed": _reported(
        PAGE,
        "watch_rates could not read a tag's counters or could not pause a configuration set.",
        "guard_errors",
        period_minutes=RATES,
    ),
    "RatesMissing": _heartbeat(
        PAGE, "Rates have not been watched for half an hour.", "rates_runs", period_minutes=RATES
    ),
    # The counters, compared with SES's own metrics
    "CountsIncomplete": _reported(
        PAGE,
        "SES has sent more with a configuration set than was counted: events are missing.",
        "counts_missing_percent",
    ),
    "SetsSilent": _reported(PAGE, "SES sends with a configuration set, and none of it is counted.", "silent_sets"),
    "MailUnseen": _reported(
        TICKET, "The account sends mail that names no configuration set of this environment.", "unseen_percent"
    ),
    "TagValues": _reported(
        TICKET,
        "A counted tag has more values a day than `max_tag_values`. The log of CheckCounts has what it costs.",
        "tags_over_values",
    ),
    "CountCheckMissing": _heartbeat(
        TICKET, "The counters have not been checked completely for two hours.", "count_check_runs"
    ),
    # The canary
    "CanaryMissing": _reported(
        PAGE, "Events of messages to the mailbox simulator have not arrived within 15 minutes.", "canary_missing"
    ),
    "CanaryFailed": _reported(PAGE, "SES does not accept messages to the mailbox simulator.", "canary_failed"),
    "CanarySilent": _heartbeat(TICKET, "The canary has not run for two hours.", "canary_runs"),
}
"""Every alarm by its logical id, which begins its name."""


def _on(metrics: Iterable[str]) -> dict[str, str]:
    return {name: alarm.metric for name, alarm in ALARMS.items() if alarm.metric in metrics}


CHECK_ALARMS, ACCOUNT_LIST_ALARMS, SWEEP_ALARMS = map(_on, (CHECK_METRICS, ACCOUNT_LIST_METRICS, SWEEP_METRICS))
RATES_ALARMS, COUNT_CHECK_ALARMS, CANARY_ALARMS = map(_on, (RATES_METRICS, COUNT_CHECK_METRICS, CANARY_METRICS))
"""The alarms on metrics of each scheduled function, with their metrics. An environment without the function has none of
them."""

HEARTBEATS = {name: alarm.metric for name, alarm in ALARMS.items() if alarm.is_heartbeat}
"""The alarms on heartbeats, with their metrics."""
