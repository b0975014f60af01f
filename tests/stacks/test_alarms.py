"""Show that every alarm goes off when what it watches breaks, ends when it is repaired, and is silent in health."""

from copy import deepcopy

import pytest
from aws_cdk.assertions import Template

from tests.evaluators.alarms import alarms_of
from tests.evaluators.services import HOUR, Fault, Services
from tests.evaluators.templates import Templates

pytestmark = pytest.mark.slow

WARM_UP = 4 * HOUR
"""Until every hourly metric has data, even for the longest look back."""

LONGEST = 27 * HOUR
"""Longer than a stream keeps its records: what is noticed after that is noticed too late."""

BREAKS = {
    "FeedbackDeadLetters": Fault.FEEDBACK_POISONED,
    "FeedbackLate": Fault.FEEDBACK_NOT_POLLED,
    "FeedbackSubscriptionDeadLetters": Fault.FEEDBACK_NOT_DELIVERED,
    "FeedbackTopicFailed": Fault.FEEDBACK_NOT_DELIVERED,
    "ArchiveDeadLetters": Fault.ARCHIVE_POISONED,
    "ArchiveLate": Fault.ARCHIVE_NOT_POLLED,
    "StreamLate": Fault.FIREHOSE_STUCK,
    "StreamThrottled": Fault.FIREHOSE_THROTTLED,
    "FirehoseErrors": Fault.FIREHOSE_REFUSED,
    "QuarantinedLines": Fault.LINES_DAMAGED,
    "QuarantineObjects": Fault.LINES_DAMAGED,
    "CountingFailed": Fault.COUNTING_FAILS,
    "CountingLate": Fault.COUNTING_FAILS,
    "CountingDiscarded": Fault.COUNTING_FAILS,
    "CountingDropped": Fault.COUNTING_FAILS_UNSTORED,
    "UncountableRecords": Fault.CHANGES_UNCOUNTABLE,
    "FailedBatches": Fault.COUNTING_FAILS,
    "SuppressionEventsFailed": Fault.EVENTS_REFUSED,
    "SuppressionEventsLate": Fault.EVENTS_REFUSED,
    "SuppressionEventsDiscarded": Fault.EVENTS_REFUSED,
    "SuppressionEventsDropped": Fault.EVENTS_REFUSED_UNSTORED,
    "UnpublishableChanges": Fault.CHANGES_UNPUBLISHABLE,
    "IdentitiesUnverified": Fault.IDENTITY_UNVERIFIED,
    "IdentitiesDrifted": Fault.IDENTITY_DRIFTED,
    "IdentitiesFailed": Fault.IDENTITY_REFUSED,
    "DkimFailed": Fault.DKIM_FAILED,
    "MailFromFailed": Fault.MAIL_FROM_FAILED,
    "SendingPaused": Fault.SENDING_PAUSED,
    "AccountUnderReview": Fault.ACCOUNT_UNDER_REVIEW,
    "QuotaUsed": Fault.QUOTA_USED,
    "IdentityCheckFailed": Fault.CHECK_FAILS,
    "IdentityCheckIncomplete": Fault.CHECK_FAILS_PARTLY,
    "IdentityCheckMissing": Fault.CHECK_NOT_SCHEDULED,
    "AccountListDrift": Fault.ACCOUNT_LIST_FAILS,
    "AccountListUnavailable": Fault.ACCOUNT_LIST_DENIED,
    "AccountListSyncMissing": Fault.SYNC_NOT_SCHEDULED,
    "MassSuppression": Fault.SUPPRESSED_IN_MASSES,
    "SweepFailed": Fault.SWEEP_FAILS_PARTLY,
    "SweepMissing": Fault.SWEEP_NOT_SCHEDULED,
    "ReputationWarning": Fault.BOUNCE_RATE_HIGH,
    "ReputationCritical": Fault.BOUNCE_RATE_CRITICAL,
    "GuardPaused": Fault.SET_PAUSED,
    "GuardFailed": Fault.SET_NOT_PAUSED,
    "RatesMissing": Fault.RATES_NOT_SCHEDULED,
    "CountsIncomplete": Fault.SENDS_LOST,
    "SetsSilent": Fault.COUNTING_STOPPED,
    "MailUnseen": Fault.MAIL_UNSEEN,
    "TagValues": Fault.TAG_WITH_MANY_VALUES,
    "CountCheckMissing": Fault.COUNT_CHECK_NOT_SCHEDULED,
    "CanaryMissing": Fault.SES_SILENT,
    "CanaryFailed": Fault.CANARY_REFUSED,
    "CanarySilent": Fault.CANARY_NOT_SCHEDULED,
}
"""What each alarm must notice."""


@pytest.fixture(scope="module")
def prod(templates: dict[str, Template]) -> Templates:
    return resolved(templates)


@pytest.fixture(scope="module", params=["templates", "full_templates"], ids=["prod", "everything set"])
def environment(request: pytest.FixtureRequest) -> Templates:
    return resolved(request.getfixturevalue(request.param))


@pytest.fixture(scope="module", params=[True, False], ids=["mail", "no mail"])
def healthy(request: pytest.FixtureRequest, environment: Templates) -> Services:
    services = Services(environment, mail=request.param)
    services.run(WARM_UP + 12 * HOUR)
    return services


@pytest.fixture(scope="module")
def warm(prod: Templates) -> Services:
    services = Services(prod, mail=True)
    services.run(WARM_UP)
    return services


@pytest.fixture
def services(warm: Services, prod: Templates) -> Services:
    """Return an environment in which mail has been sent for some hours."""
    return deepcopy(warm, {id(prod): prod})


def resolved(templates: dict[str, Template]) -> Templates:
    return Templates({name: template.to_json() for name, template in templates.items()})


def test_every_alarm_notices_something_and_everything_is_noticed(environment: Templates):
    assert alarms_of(environment.resources).keys() == BREAKS.keys()
    assert set(BREAKS.values()) == set(Fault)


def test_alarms_are_silent_in_health(environment: Templates, healthy: Services):
    loud = [
        f"{alarm.id} is in {state} at minute {minute}"
        for alarm in alarms_of(environment.resources).values()
        for minute in range(WARM_UP, healthy.minute, 5)
        if (state := alarm.state(healthy.metrics, minute)) != "OK"
    ]
    assert not loud, "\n".join(loud)


@pytest.mark.parametrize("name", BREAKS)
def test_alarm_goes_off_when_its_part_breaks_and_ends_with_the_repair(name: str, prod: Templates, services: Services):
    alarm = alarms_of(prod.resources)[name]
    services.faults.add(BREAKS[name])
    while alarm.state(services.metrics, services.minute) != "ALARM":
        assert services.minute < LONGEST, f"nothing publishes what {alarm.metric} needs to go off"
        services.run(5)
    services.repair()
    repaired = services.minute
    while alarm.state(services.metrics, services.minute) != "OK":
        assert services.minute < repaired + WARM_UP
        services.run(5)
    services.run(HOUR)
    assert alarm.state(services.metrics, services.minute) == "OK"


DEAD_PARTS = {
    Fault.SES_SILENT: (2 * HOUR, {"CanaryMissing"}),
    Fault.FEEDBACK_NOT_POLLED: (HOUR, {"FeedbackLate"}),
    Fault.ARCHIVE_NOT_POLLED: (HOUR, {"ArchiveLate"}),
    Fault.FIREHOSE_STUCK: (2 * HOUR, {"StreamLate"}),
    Fault.COUNTING_STOPPED: (5 * HOUR, {"SetsSilent", "CountsIncomplete"}),
    Fault.CHECK_NOT_SCHEDULED: (4 * HOUR, {"IdentityCheckMissing"}),
    Fault.SYNC_NOT_SCHEDULED: (4 * HOUR, {"AccountListSyncMissing"}),
    Fault.SWEEP_NOT_SCHEDULED: (4 * HOUR, {"SweepMissing"}),
    Fault.COUNT_CHECK_NOT_SCHEDULED: (4 * HOUR, {"CountCheckMissing"}),
    Fault.CANARY_NOT_SCHEDULED: (4 * HOUR, {"CanarySilent"}),
}
"""Parts of the pipeline that may stop, within how many minutes alarms notice, and which."""


@pytest.mark.parametrize("fault", DEAD_PARTS, ids=lambda fault: fault.name)
def test_dead_part_raises_an_alarm_in_time(fault: Fault, prod: Templates, services: Services):
    alarms = alarms_of(prod.resources)
    services.faults.add(fault)
    minutes, expected = DEAD_PARTS[fault]
    services.run(minutes)
    assert {name for name in expected if alarms[name].state(services.metrics, services.minute) == "ALARM"} == expected


def test_missing_data_breaches_only_where_every_run_publishes(environment: Templates, healthy: Services):
    for alarm in alarms_of(environment.resources).values():
        assert alarm.missing_data in ("breaching", "notBreaching"), alarm.id
        if alarm.missing_data == "breaching":
            for minute in range(WARM_UP, healthy.minute - alarm.period, 5):
                assert healthy.metrics.values(alarm.metric, minute, minute + alarm.period), alarm.id
