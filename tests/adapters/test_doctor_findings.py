"""Each check of `aftersend doctor`, over the answers that AWS gives about a deployment which is broken there."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from aftersend.aws import observer
from aftersend.cli.doctor_checks import CHECKS
from aftersend.config.environment import ConfigurationSet
from tests.adapters.healthy import (
    ARCHIVE,
    ENVIRONMENT,
    FEEDBACK,
    NOW,
    TABLE,
    a_mapping,
    an_account,
    an_alarm,
    an_identity,
    clock,
    counted,
    destination,
    examine,
    metrics,
    notified,
    objects,
    published,
    queue_attributes,
    recounted,
    recovery,
    refusal,
    resources,
    stack,
    subscriptions,
)

GONE = refusal("ResourceNotFoundException")


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer.time, "sleep", lambda _: None)


OLD = NOW - timedelta(hours=5)
BUILDING = {"IndexName": "feedback-by-message", "IndexStatus": "CREATING"}
LISTED = f"events/{NOW:%Y/%m/%d/%H}/1.gz"

BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("stacks", {"describe_stacks": refusal("ValidationError", "Stack x does not exist")}, "There is no stack"),
    ("stacks", stack("REVIEW_IN_PROGRESS"), "There is no stack"),
    ("stacks", stack("UPDATE_IN_PROGRESS"), "is being changed (UPDATE_IN_PROGRESS)"),
    ("stacks", stack("UPDATE_ROLLBACK_COMPLETE"), "was rolled back"),
    ("stacks", stack("UPDATE_ROLLBACK_FAILED"), "is in the state UPDATE_ROLLBACK_FAILED. It failed."),
    ("configuration", {"list_stack_resources": resources("AWS::SES::ConfigurationSet")}, "configuration_sets.news is"),
    ("configuration", {"list_stack_resources": resources("AWS::SES::EmailIdentity")}, "identities.shop.example is in"),
    ("configuration", {"list_stack_resources": resources("AWS::SES::ContactList")}, "contact_lists.readers is in the"),
    ("clock", {"get_caller_identity": clock(timedelta(minutes=2))}, "seconds fast"),
    ("clock", {"get_caller_identity": clock(timedelta(minutes=-2))}, "seconds slow"),
    ("sending", an_account(SendingEnabled=False), "paused sending of the whole account"),
    ("account-review", an_account(EnforcementStatus="PROBATION"), "PROBATION"),
    ("account-review", an_account(EnforcementStatus="SHUTDOWN"), "SHUTDOWN"),
    ("sandbox", an_account(ProductionAccessEnabled=False), "sandbox"),
    ("quota", an_account(SendQuota={"Max24HourSend": 200.0, "SentLast24Hours": 170.0}), "170 of 200 messages"),
    ("account-list", an_account(ProductionAccessEnabled=False), "in the sandbox SES refuses it"),
    ("account-list", an_account(SuppressionAttributes={"SuppressedReasons": ["BOUNCE"]}), "list has as COMPLAINT"),
    ("configuration-sets", {"get_configuration_set": refusal("NotFoundException")}, "no configuration set news"),
    ("configuration-sets", {"get_configuration_set": {"SendingOptions": {"SendingEnabled": False}}}, "is paused"),
    ("event-destinations", published(destination("feedback", *FEEDBACK)), "destination archive is missing"),
    (
        "event-destinations",
        published(destination("feedback", *FEEDBACK), destination("archive", *ARCHIVE, enabled=False)),
        "archive is disabled",
    ),
    (
        "event-destinations",
        published(destination("feedback", *FEEDBACK), destination("archive", *ARCHIVE[1:])),
        "does not publish Send",
    ),
    (
        "event-destinations",
        published(destination("feedback", *FEEDBACK, "DELIVERY"), destination("archive", *ARCHIVE)),
        "publishes Delivery, which the environment file does not have",
    ),
    (
        "event-destinations",
        published(destination("feedback", *FEEDBACK, topic="other"), destination("archive", *ARCHIVE)),
        "publishes to other instead of",
    ),
    (
        "event-destinations",
        {
            "list_stack_resources": resources("AWS::KinesisFirehose::DeliveryStream"),
        },
        "deliverystream/Stream instead of the environment's stream",
    ),
    (
        "tracking",
        published(
            destination("feedback", *FEEDBACK), destination("archive", *ARCHIVE), destination("other", "OPEN", "CLICK")
        ),
        "the event destination other publishes Click, Open",
    ),
    ("identities", {"get_email_identity": refusal("NotFoundException")}, "no identity shop.example"),
    (
        "identities",
        an_identity(VerifiedForSendingStatus=False, VerificationStatus="PENDING"),
        "shop.example is not verified (PENDING)",
    ),
    ("dkim", an_identity(DkimAttributes={"SigningEnabled": True, "Status": "FAILED"}), "DKIM is FAILED"),
    ("dkim", an_identity(DkimAttributes={"SigningEnabled": False, "Status": "SUCCESS"}), "DKIM signing is off"),
    (
        "mail-from",
        an_identity(MailFromAttributes={"MailFromDomain": "bounce.shop.example", "MailFromDomainStatus": "FAILED"}),
        "bounce.shop.example is FAILED",
    ),
    ("mail-from", an_identity(MailFromAttributes={}), "is none instead of bounce.shop.example"),
    ("notification-settings", notified(BounceTopic="other"), "Bounce notifications go to other instead of"),
    ("notification-settings", notified(ForwardingEnabled=False), "feedback forwarding is off"),
    ("notification-settings", {"list_objects_v2": lambda **_: {}, "get_metric_data": metrics()}, "were never deployed"),
    (
        "contact-lists",
        {"list_contact_lists": {"ContactLists": [{"ContactListName": "old"}]}},
        "but old: an account has",
    ),
    ("contact-lists", {"list_contact_lists": {}}, "SES has no contact list readers: mail"),
    ("feedback-subscription", {"list_subscriptions_by_topic": subscriptions(feedback="")}, "is not subscribed"),
    (
        "feedback-subscription",
        {"list_subscriptions_by_topic": subscriptions(feedback="PendingConfirmation")},
        "is not confirmed",
    ),
    (
        "feedback-subscription",
        {"get_subscription_attributes": {"Attributes": {}}},
        "Raw delivery to the feedback queue is off",
    ),
    (
        "firehose-stream",
        {"describe_delivery_stream": {"DeliveryStreamDescription": {"DeliveryStreamStatus": "DELETING"}}},
        "Stream is DELETING",
    ),
    ("firehose-stream", {"describe_delivery_stream": GONE}, "Stream is gone"),
    ("archive-notifications", {"get_bucket_notification_configuration": {}}, "does not notify ArchiveQueue"),
    ("mappings", {"get_event_source_mapping": GONE}, "mapping-1 is gone"),
    ("mappings", a_mapping(State="Disabled"), "CountTags from table/Ledger/stream/2026 is disabled"),
    ("mappings", a_mapping(LastProcessingResult="PROBLEM: Function call failed"), "PROBLEM: Function call failed"),
    ("mappings", a_mapping(MaximumBatchingWindowInSeconds=0), "collected for 0 seconds before they are counted"),
    ("functions", {"get_function_configuration": GONE}, "CountTags is gone"),
    (
        "functions",
        {"get_function_configuration": {"State": "Failed", "StateReason": "No role."}},
        "run: No role.",
    ),
    ("functions", {"get_function_configuration": {"LastUpdateStatus": "Failed"}}, "still runs its former code"),
    ("function-errors", {"get_metric_data": metrics(Errors=[2, 1])}, "CountTags failed 3 times"),
    (
        "late-records",
        {"get_metric_data": metrics(ApproximateAgeOfOldestMessage=[5, 1_800])},
        "Queue has waited for 30 minutes",
    ),
    ("late-records", {"get_metric_data": metrics(IteratorAge=[3_600_000])}, "CountTags has waited for 60 minutes"),
    ("dead-letters", {"get_queue_attributes": queue_attributes("/FeedbackDeadLetterQueue")}, "feedback-dead-letter"),
    ("dead-letters", {"get_queue_attributes": queue_attributes("/ArchiveDeadLetterQueue")}, "archive-dead-letter"),
    (
        "dead-letters",
        {"get_queue_attributes": queue_attributes("SubscriptionDeadLetterQueue")},
        "subscription-dead-letter",
    ),
    ("quarantine", {"list_objects_v2": objects(LISTED, "quarantine/1")}, "1 object of the kind quarantined-line"),
    ("firehose-errors", {"list_objects_v2": objects(LISTED, "firehose-failed/1", "firehose-failed/2")}, "2 objects of"),
    (
        "failed-batches",
        {"list_objects_v2": objects(LISTED, *(f"aws/lambda/{number}" for number in range(2_000)))},
        "At least 1,000 objects of the kind failed-batch",
    ),
    (
        "last-event",
        {"list_objects_v2": objects(), "query": {"Items": []}},
        "sent 120 messages within 3 hours, but no",
    ),
    ("recount", recounted("unfinished"), "has not finished correcting counters"),
    ("last-event", {"query": counted(OLD)}, "none is counted"),
    ("last-event", {"list_objects_v2": objects()}, "the archive received nothing"),
    ("tables", {"describe_table": {"Table": TABLE | {"TableStatus": "ARCHIVED"}}}, "The table Ledger is ARCHIVED"),
    ("tables", {"describe_table": GONE}, "The table Ledger is gone"),
    ("ledger-stream", {"describe_table": {"Table": {"TableStatus": "ACTIVE"}}}, "no stream with both images"),
    ("ledger-stream", {"describe_table": {"Table": TABLE | {"LatestStreamArn": "newer"}}}, "reads another stream"),
    (
        "suppressions-stream",
        {"describe_table": {"Table": {"TableStatus": "ACTIVE"}}},
        "suppressions table has no stream",
    ),
    (
        "feedback-indexes",
        {"describe_table": {"Table": TABLE | {"GlobalSecondaryIndexes": [BUILDING]}}},
        "feedback-by-message of the ledger is CREATING",
    ),
    ("feedback-indexes", {"describe_table": {"Table": {"TableStatus": "ACTIVE"}}}, "of the ledger is missing"),
    ("time-to-live", {"describe_time_to_live": {"TimeToLiveDescription": {}}}, "Items of Ledger do not expire"),
    ("point-in-time-recovery", {"describe_continuous_backups": recovery("DISABLED")}, "Counters cannot be restored"),
    ("alarms", an_alarm(StateValue="ALARM"), "CountingLate has been in ALARM since"),
    ("alarms", an_alarm(StateValue="INSUFFICIENT_DATA"), "CountingLate has had no data since"),
    ("alarms", an_alarm(ActionsEnabled=False), "it notifies nobody"),
    ("alarms", {"describe_alarms": {"MetricAlarms": []}}, "CountingLate is gone"),
    (
        "alarm-recipients",
        {"list_subscriptions_by_topic": subscriptions(alarms="PendingConfirmation")},
        "ops@shop.example has not confirmed",
    ),
    ("alarm-recipients", {"list_subscriptions_by_topic": subscriptions(alarms="")}, "Nobody is notified"),
]
"""What is broken, at which check; what the services answer then; and what is said about it."""


def test_healthy_deployment_has_no_findings_and_every_check_is_made():
    assert examine({}) == ([], [])


def test_every_check_is_broken_by_a_test():
    assert {check for check, _, _ in BROKEN} == {check.id for check in CHECKS}


@pytest.mark.parametrize(("check", "changes", "problem"), BROKEN)
def test_what_is_broken_is_named_with_a_fix(check: str, changes: dict[str, Any], problem: str):
    findings, skipped = examine(changes)
    [finding, *_] = [each for each in findings if each.check == check]
    assert problem in finding.problem
    assert finding.fix
    assert "$env" not in finding.fix
    assert skipped == []


def test_setting_that_the_file_has_is_no_finding():
    sets = {"news": ConfigurationSet(sending_enabled=False, archive=(*ConfigurationSet().archive,))}
    paused = {"get_configuration_set": {"SendingOptions": {"SendingEnabled": False}}}
    assert examine(paused, msgspec.structs.replace(ENVIRONMENT, configuration_sets=sets)) == ([], [])
    unlimited = an_account(SendQuota={"Max24HourSend": -1.0, "SentLast24Hours": 170.0})
    assert examine(unlimited) == ([], [])
    nobody = msgspec.structs.replace(ENVIRONMENT, accepted_findings={"no-alarm-recipients": "a test"})
    assert examine({"list_subscriptions_by_topic": subscriptions(alarms="")}, nobody) == ([], [])


@pytest.mark.parametrize("ledger_recovery", [False, True])
def test_ledger_without_recovery_is_a_finding_only_where_the_file_asks_for_it(ledger_recovery: bool):
    environment = msgspec.structs.replace(ENVIRONMENT, ledger_recovery=ledger_recovery)
    findings, _ = examine({"describe_continuous_backups": recovery("DISABLED")}, environment)
    names = [finding.problem.partition(" ")[0] for finding in findings]
    assert names == ["Ledger"] * ledger_recovery + ["Counters", "Suppressions"]


def test_unverified_identity_is_not_said_to_have_drifted():
    findings, _ = examine(an_identity(VerifiedForSendingStatus=False) | notified(BounceTopic=None))
    assert [finding.check for finding in findings] == ["identities"]


def test_new_alarm_without_data_is_no_finding():
    assert examine(an_alarm(StateValue="INSUFFICIENT_DATA", StateUpdatedTimestamp=NOW)) == ([], [])
