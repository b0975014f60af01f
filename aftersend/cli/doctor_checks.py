"""List the checks of `aftersend doctor`: what each asks, and who judges the answers."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from aftersend.aws.dead_letters import DeadLetters
from aftersend.aws.observer import Observer
from aftersend.cli.failures import sources
from aftersend.operations import pipeline_findings as pipeline
from aftersend.operations import publishing_findings as publishing
from aftersend.operations import resource_findings as resource
from aftersend.operations.failures import FailureKind
from aftersend.operations.findings import Finding

Examine = Callable[[Observer], Iterable[Finding]]


class Check(NamedTuple):
    id: str
    question: str
    examine: Examine
    not_locally: str = ""
    """Why a local run cannot be asked; empty if it can."""


def _event_destinations(ask: Observer) -> Iterator[Finding]:
    topic, streams = ask.output("FeedbackTopicArn"), ask.streams()
    return publishing.judge_event_destinations(ask.event_destinations, ask.file, topic, streams)


def _notifications(ask: Observer) -> Iterator[Finding]:
    verified = [name for name, answer in ask.identities.items() if answer and answer["VerifiedForSendingStatus"]]
    return publishing.judge_notification_settings(ask.notification_drift(), ask.identities, verified)


def _archive_notifications(ask: Observer) -> Iterator[Finding]:
    return pipeline.judge_archive_notifications(ask.archive_notifications(), ask.queue_name("ArchiveQueueUrl"))


def _dead_letters(ask: Observer) -> Iterator[Finding]:
    queues = [each for each in sources(ask.deployment) if isinstance(each, DeadLetters)]
    return pipeline.judge_dead_letters({queue.kind: queue.count() for queue in queues})


def _stored(kind: FailureKind) -> Examine:
    return lambda ask: pipeline.judge_stored_failures(kind, ask.stored_failures(kind))


def _activity(ask: Observer) -> Iterator[Finding]:
    sets = ask.environment.configuration_sets.values() if ask.environment else ()
    is_archived = any(settings.archive for settings in sets)
    return pipeline.judge_activity(ask.activity(), ask.now, is_archived=is_archived)


def _time_to_live(ask: Observer) -> Iterator[Finding]:
    return resource.judge_time_to_live(ask.tables("describe_time_to_live"))


def _recovery(ask: Observer) -> Iterator[Finding]:
    return resource.judge_recovery(ask.tables("describe_continuous_backups"))


def _alarms(ask: Observer) -> Iterator[Finding]:
    return resource.judge_alarms(ask.alarms, ask.now, is_emulated=ask.is_local)


def _recipients(ask: Observer) -> Iterator[Finding]:
    return resource.judge_alarm_recipients(ask.alarm_subscriptions(), ask.environment)


NOT_SET = "the emulator's CloudFormation does not set it"

CHECKS = (
    Check("stacks", "Is every stack completely deployed?", lambda ask: pipeline.judge_stacks(ask.stacks())),
    Check(
        "configuration",
        "Does the environment file name what is deployed?",
        lambda ask: pipeline.judge_configuration(ask.resources, ask.file),
    ),
    Check("clock", "Is the clock of this machine right?", lambda ask: pipeline.judge_clock(*ask.clocks())),
    Check("sending", "Does SES send for the account?", lambda ask: publishing.judge_sending(ask.account)),
    Check("account-review", "Is the account in good standing?", lambda ask: publishing.judge_review(ask.account)),
    Check("sandbox", "May SES send to everybody?", lambda ask: publishing.judge_sandbox(ask.account)),
    Check("quota", "Is there room in the daily quota?", lambda ask: publishing.judge_quota(ask.account)),
    Check(
        "configuration-sets",
        "Does each configuration set send?",
        lambda ask: publishing.judge_configuration_sets(ask.configuration_sets, ask.environment),
    ),
    Check("event-destinations", "Do the sets publish what the file says?", _event_destinations),
    Check(
        "tracking",
        "Are opens and clicks tracked only where the file says so?",
        lambda ask: publishing.judge_tracking(ask.event_destinations, ask.file),
    ),
    Check("identities", "Is each identity verified?", lambda ask: publishing.judge_identities(ask.identities)),
    Check(
        "dkim",
        "Is the mail of each domain signed?",
        lambda ask: publishing.judge_dkim(ask.identities, ask.file),
        "the emulator's identities have no DKIM",
    ),
    Check(
        "mail-from",
        "Does each MAIL FROM domain work?",
        lambda ask: publishing.judge_mail_from(ask.identities, ask.file),
    ),
    Check("notification-settings", "Has SES the notification settings that were deployed?", _notifications),
    Check(
        "contact-lists",
        "Is each contact list there?",
        lambda ask: publishing.judge_contact_lists(ask.contact_lists(), ask.file),
        "the emulator has no contact lists",
    ),
    Check(
        "feedback-subscription",
        "Is the feedback queue subscribed to the feedback topic?",
        lambda ask: pipeline.judge_feedback_subscription(*ask.feedback_subscription()),
    ),
    Check("firehose-stream", "Is the Firehose stream active?", lambda ask: pipeline.judge_streams(ask.streams())),
    Check("archive-notifications", "Does the archive announce its new objects?", _archive_notifications),
    Check("mappings", "Do the functions get their records?", lambda ask: pipeline.judge_mappings(ask.mappings)),
    Check("functions", "Can every function run?", lambda ask: resource.judge_functions(ask.functions)),
    Check(
        "function-errors",
        "Has no function failed within the last hour?",
        lambda ask: resource.judge_function_errors(ask.function_errors(), ask.functions),
    ),
    Check("late-records", "Are records handled soon?", lambda ask: pipeline.judge_ages(ask.ages())),
    Check("dead-letters", "Are the dead-letter queues empty?", _dead_letters),
    Check("quarantine", "Could every line of the archive be parsed?", _stored(FailureKind.QUARANTINE)),
    Check("firehose-errors", "Could Firehose deliver every record?", _stored(FailureKind.FIREHOSE)),
    Check("failed-batches", "Could every batch be counted?", _stored(FailureKind.BATCH)),
    Check("last-event", "Do events of what is sent arrive, and are they counted?", _activity),
    Check("tables", "Are the tables active?", lambda ask: resource.judge_tables(ask.described_tables)),
    Check(
        "ledger-stream",
        "Does count_tags read the ledger's stream?",
        lambda ask: resource.judge_ledger_stream(ask.ledger, ask.mappings),
    ),
    Check("time-to-live", "Do items expire?", _time_to_live, NOT_SET),
    Check("point-in-time-recovery", "Can the tables be restored?", _recovery, NOT_SET),
    Check("alarms", "Is every alarm there, and off?", _alarms),
    Check("alarm-recipients", "Is somebody notified of alarms?", _recipients),
)
