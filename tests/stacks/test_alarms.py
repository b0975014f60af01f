"""Show that every alarm goes off when what it watches breaks, ends when it is repaired, and is silent in health."""

import pytest
from aws_cdk.assertions import Template

from tests.evaluators.alarms import Alarm, alarms_of
from tests.evaluators.services import HOUR, Fault, Services
from tests.evaluators.templates import Templates

WARM_UP = 4 * HOUR
"""Until every hourly metric has data, even for the longest look back."""

LONGEST = 27 * HOUR
"""Longer than a stream keeps its records: what is noticed after that is noticed too late."""

BREAKS = {
    "ArchiveDeadLetters": Fault.ARCHIVE_POISONED,
    "ArchiveLate": Fault.ARCHIVE_NOT_POLLED,
    "CountingFailed": Fault.COUNTING_FAILS,
    "CountingLate": Fault.COUNTING_FAILS,
    "FeedbackDeadLetters": Fault.FEEDBACK_POISONED,
    "FeedbackLate": Fault.FEEDBACK_NOT_POLLED,
    "IdentitiesDrifted": Fault.IDENTITY_DRIFTED,
    "IdentitiesFailed": Fault.IDENTITY_REFUSED,
    "IdentityCheckFailed": Fault.CHECK_FAILS,
}
"""What each alarm must notice."""


@pytest.fixture(scope="module", params=["templates", "full_templates"], ids=["prod", "everything set"])
def environment(request: pytest.FixtureRequest) -> Templates:
    templates: dict[str, Template] = request.getfixturevalue(request.param)
    return Templates({name: template.to_json() for name, template in templates.items()})


@pytest.fixture(scope="module")
def alarms(environment: Templates) -> dict[str, Alarm]:
    return alarms_of(environment.resources)


@pytest.fixture(scope="module", params=[True, False], ids=["mail", "no mail"])
def healthy(request: pytest.FixtureRequest, environment: Templates) -> Services:
    services = Services(environment, mail=request.param)
    services.run(WARM_UP + 12 * HOUR)
    return services


def test_every_alarm_has_something_to_notice(alarms: dict[str, Alarm]):
    assert alarms.keys() == BREAKS.keys()


def test_alarms_are_silent_in_health(alarms: dict[str, Alarm], healthy: Services):
    states = {
        (alarm.id, alarm.state(healthy.metrics, minute))
        for alarm in alarms.values()
        for minute in range(WARM_UP, healthy.minute, 5)
    }
    assert states == {(name, "OK") for name in alarms}


@pytest.mark.parametrize("name", BREAKS)
def test_alarm_goes_off_when_its_part_breaks_and_ends_with_the_repair(
    name: str, alarms: dict[str, Alarm], environment: Templates
):
    services, alarm = Services(environment, mail=True), alarms[name]
    services.run(WARM_UP)
    services.faults.add(BREAKS[name])
    while alarm.state(services.metrics, services.minute) != "ALARM":
        assert services.minute < LONGEST, f"nothing publishes what {alarm.metric} needs to go off"
        services.run(5)
    services.repair()
    services.run(WARM_UP)
    assert alarm.state(services.metrics, services.minute) == "OK"


def test_missing_data_breaches_only_where_every_run_publishes(alarms: dict[str, Alarm], healthy: Services):
    assert {alarm.missing_data for alarm in alarms.values()} <= {"breaching", "notBreaching"}
    for alarm in alarms.values():
        if alarm.missing_data == "breaching":
            for minute in range(WARM_UP, healthy.minute - alarm.period, 5):
                assert healthy.metrics.values(alarm.metric, minute, minute + alarm.period), alarm.id
