"""Test what the hourly check emits, and that each of its parts fails alone."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from aftersend.aws import failed_objects
from aftersend.aws.failed_objects import FailedObjects
from aftersend.aws.identity_settings import IdentitySettings
from aftersend.aws.sending_account import SendingAccount
from aftersend.contract import CHECK_METRICS, FAILED_OBJECTS_METRICS, Variable
from lambdas import check_identities
from tests.adapters.identities import IDENTITY, UNTOUCHED, WANTED, FakeDeployedSettings, FakeSes, run

pytestmark = pytest.mark.usefixtures("responses", "settings")

HEALTHY_ACCOUNT = {
    "SendingEnabled": True,
    "EnforcementStatus": "HEALTHY",
    "SendQuota": {"Max24HourSend": 50_000.0, "SentLast24Hours": 100.0},
}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Variable.ENVIRONMENT, "test")
    monkeypatch.setenv(Variable.RESTORE_DRIFT, "false")


class FakeSesV2:
    def __init__(self, **changes: Any) -> None:
        self.account = HEALTHY_ACCOUNT | changes

    def get_account(self) -> dict[str, Any]:
        return self.account


class Check:
    """Run the check over a healthy deployment of one identity; tests break parts of it."""

    def __init__(self, s3: Any) -> None:
        self.ses, self.sesv2, self.s3, self.documents = FakeSes(), FakeSesV2(), s3, []
        self.deployed_settings = FakeDeployedSettings(self.ses)
        self.pauses: list[float] = []
        run(self.ses, "Create", deployed_settings=self.deployed_settings)

    def run(self, context: Any = None) -> dict[str, int]:
        counts = check_identities.handler(
            context=context,
            deployed_settings=self.deployed_settings,
            identity_settings=IdentitySettings(self.ses, pause=self.pauses.append),
            account=SendingAccount(self.sesv2),
            failed_objects=FailedObjects(self.s3, "archive"),
            emit_metric=self.documents.append,
        )
        least = {"quota_used_percent": 50}
        emitted = {name: n for name, n in counts.items() if name in CHECK_METRICS and n >= least.get(name, 1)}
        assert self.documents[-1].items() >= (emitted | {"Environment": "test"}).items()
        return counts

    def wrong(self) -> dict[str, int]:
        """Return the counts that are not 0, without the heartbeat."""
        counts = self.run()
        assert counts.pop("identity_check_runs") == 1
        return {name: count for name, count in counts.items() if count}


@pytest.fixture
def check(s3: Any) -> Check:
    return Check(s3)


def test_healthy_check_emits_only_its_heartbeat(check: Check):
    assert check.wrong() == {}
    assert set(check.documents[0]) == {"_aws", "Environment", "identity_check_runs"}


@pytest.mark.parametrize(("sent", "is_emitted"), [(99.0, False), (100.0, True)])
def test_used_quota_is_emitted_from_half_of_it_on(check: Check, sent: float, is_emitted: bool):
    check.sesv2 = FakeSesV2(SendQuota={"Max24HourSend": 200.0, "SentLast24Hours": sent})
    assert check.run()["quota_used_percent"] == sent / 2 // 1
    assert ("quota_used_percent" in check.documents[0]) == is_emitted


def test_counts_without_an_alarm_are_only_logged(check: Check, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    check.run()
    assert not {"identities_waiting", "identities_set"} & check.documents[0].keys()
    [logged] = [vars(record) for record in caplog.records if record.message.startswith("Checked")]
    assert (logged["identities_waiting"], logged["identities_set"]) == (0, 0)


def test_ses_is_called_once_a_second(check: Check):
    check.run()
    calls = "verification", "notification settings", "DKIM", "MAIL FROM"  # none of SES follows the account's
    assert check.pauses == [1.0] * len(calls)


def test_failing_dkim_and_mail_from_are_counted_and_their_identities_logged(
    check: Check, caplog: pytest.LogCaptureFixture
):
    check.ses.failed_dkim = {IDENTITY}
    check.ses.failed_mail_from = {IDENTITY}
    assert check.wrong() == {"identities_dkim_failed": 1, "identities_mail_from_failed": 1}
    assert [vars(record)["identities"] for record in caplog.records if record.levelname == "WARNING"] == [
        [IDENTITY]
    ] * 2


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"SendingEnabled": False}, {"sending_paused": 1}),
        ({"EnforcementStatus": "PROBATION"}, {"account_under_review": 1}),
        ({"EnforcementStatus": "SHUTDOWN", "SendingEnabled": False}, {"account_under_review": 1, "sending_paused": 1}),
        ({"SendQuota": {"Max24HourSend": 200.0, "SentLast24Hours": 161.9}}, {"quota_used_percent": 80}),
        ({"SendQuota": {"Max24HourSend": -1.0, "SentLast24Hours": 1e9}}, {}),
        ({"SendQuota": {"Max24HourSend": 0.0, "SentLast24Hours": 0.0}}, {}),
    ],
)
def test_account_that_cannot_send_as_usual_is_reported(check: Check, changes: dict[str, Any], wrong: dict[str, int]):
    check.sesv2 = FakeSesV2(**changes)
    assert check.wrong() == wrong


def test_objects_with_what_could_not_be_processed_are_counted(check: Check, monkeypatch: pytest.MonkeyPatch):
    for number, prefix in enumerate(FAILED_OBJECTS_METRICS.values(), 1):
        for key in range(number):
            check.s3.put_object(Bucket="archive", Key=f"{prefix}{key}", Body=b"")
    check.s3.put_object(Bucket="archive", Key="events/1", Body=b"")
    assert check.wrong() == {"quarantine_objects": 1, "failed_batches": 2, "firehose_error_objects": 3}
    monkeypatch.setattr(failed_objects, "MAX_COUNTED", 2)
    assert check.wrong() == {"quarantine_objects": 1, "failed_batches": 2, "firehose_error_objects": 2}


def denied(*_: object, **__: object) -> Any:
    raise ClientError({"Error": {"Code": "AccessDenied"}}, "Call")


def unreachable(*_: object, **__: object) -> Any:
    raise ConnectTimeoutError(endpoint_url="https://email.example")


def unexpected(*_: object, **__: object) -> Any:
    return {}


class FakeBucket:
    get_paginator = denied


OF_SETTINGS = {*check_identities.Report.__struct_fields__} & {*CHECK_METRICS}
PARTS = {
    "get_identity_verification_attributes": OF_SETTINGS,
    "get_identity_notification_attributes": OF_SETTINGS,
    "get_identity_dkim_attributes": {"identities_dkim_failed"},
    "get_identity_mail_from_domain_attributes": {"identities_mail_from_failed"},
}
"""Calls of the SES API v1, and the metrics that need them."""


@pytest.mark.parametrize("failure", [denied, unreachable, unexpected])
@pytest.mark.parametrize("call", PARTS)
def test_failing_call_leaves_out_its_metrics_and_no_others(check: Check, call: str, failure: Callable[..., Any]):
    setattr(check.ses, call, failure)
    counts = check.run()
    assert set(CHECK_METRICS) - set(counts) == PARTS[call]
    assert (counts["check_errors"], counts["identity_check_runs"]) == (1, 1)


@pytest.mark.parametrize("failure", [denied, unreachable, unexpected])
def test_account_that_cannot_be_read_leaves_out_only_its_metrics(check: Check, failure: Callable[..., Any]):
    check.sesv2.get_account = failure
    counts = check.run()
    assert set(CHECK_METRICS) - set(counts) == {"sending_paused", "account_under_review", "quota_used_percent"}
    assert counts["check_errors"] == 1


def test_bucket_that_cannot_be_listed_leaves_out_only_its_metrics(check: Check):
    check.s3 = FakeBucket()
    counts = check.run()
    assert set(CHECK_METRICS) - set(counts) == set(FAILED_OBJECTS_METRICS)
    assert counts["check_errors"] == len(FAILED_OBJECTS_METRICS)


def test_identities_that_cannot_be_read_leave_out_only_their_metrics(check: Check):
    check.deployed_settings.all = denied
    counts = check.run()
    assert set(CHECK_METRICS) - set(counts) == OF_SETTINGS | {"identities_dkim_failed", "identities_mail_from_failed"}
    assert counts["check_errors"] == 3


def test_identity_that_cannot_be_set_does_not_hide_the_other_counts(check: Check):
    check.ses.settings[IDENTITY] = UNTOUCHED
    check.deployed_settings.put = denied
    assert check.wrong() == {"identities_drifted": 1}


@pytest.mark.parametrize(("remaining_milliseconds", "is_restored"), [(120_000, False), (120_001, True)])
def test_settings_are_left_to_the_next_hour_when_the_invocation_is_about_to_end(
    check: Check, monkeypatch: pytest.MonkeyPatch, remaining_milliseconds: int, is_restored: bool
):
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return remaining_milliseconds

    monkeypatch.setenv(Variable.RESTORE_DRIFT, "true")
    check.ses.settings[IDENTITY] = UNTOUCHED
    assert check.run(Context())["identities_drifted"] == 1
    assert (check.ses.settings[IDENTITY] == WANTED) is is_restored
