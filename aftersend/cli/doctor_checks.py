"""List the checks of `aftersend doctor`: which responses of AWS each queries, and which function judges them."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from aftersend.aws.activity import queue_name
from aftersend.aws.dead_letters import DeadLetters
from aftersend.aws.failure_sources import sources
from aftersend.aws.observer import Observer
from aftersend.operations import pipeline_findings as pipeline
from aftersend.operations import publishing_findings as publishing
from aftersend.operations import resource_findings as resource
from aftersend.operations.failures import FailureKind
from aftersend.operations.findings import Finding

Examine = Callable[[Observer], Iterable[Finding]]


class Check(NamedTuple):
    """A check of a deployed environment."""

    id: str
    question: str
    examine: Examine
    emulator_lacks: str = ""
    """Why the check is skipped in a local run; empty if it is made."""


def _event_destinations(observer: Observer) -> Iterator[Finding]:
    topic, streams = observer.output("FeedbackTopicArn"), observer.streams()
    return publishing.judge_event_destinations(observer.event_destinations, observer.file, topic, streams)


def _notifications(observer: Observer) -> Iterator[Finding]:
    verified = [name for name, answer in observer.identities.items() if answer and answer["VerifiedForSendingStatus"]]
    return publishing.judge_notification_settings(observer.notification_drift(), observer.identities, verified)


def _archive_notifications(observer: Observer) -> Iterator[Finding]:
    return pipeline.judge_archive_notifications(
        observer.archive_notifications(), queue_name(observer.output("ArchiveQueueUrl"))
    )


def _dead_letters(observer: Observer) -> Iterator[Finding]:
    queues = [each for each in sources(observer.deployment) if isinstance(each, DeadLetters)]
    return pipeline.judge_dead_letters({queue.kind: queue.count() for queue in queues})


def _stored(kind: FailureKind) -> Examine:
    return lambda observer: pipeline.judge_stored_failures(kind, observer.stored_failures(kind))


def _mappings(observer: Observer) -> Iterator[Finding]:
    file = observer.environment
    return pipeline.judge_mappings(observer.mappings, file.counting_window_seconds if file else None)


def _activity(observer: Observer) -> Iterator[Finding]:
    sets = observer.environment.configuration_sets.values() if observer.environment else ()
    is_archived = any(settings.archive for settings in sets)
    return pipeline.judge_activity(observer.activity(), observer.now, is_archived=is_archived)


def _time_to_live(observer: Observer) -> Iterator[Finding]:
    return resource.judge_time_to_live(observer.tables("describe_time_to_live"))


def _recovery(observer: Observer) -> Iterator[Finding]:
    backups = observer.tables("describe_continuous_backups")
    if not (observer.environment and observer.environment.ledger_recovery):
        del backups[observer.output("LedgerTableName")]
    return resource.judge_recovery(backups)


def _alarms(observer: Observer) -> Iterator[Finding]:
    return resource.judge_alarms(observer.alarms, observer.now, is_emulated=observer.is_local)


def _recipients(observer: Observer) -> Iterator[Finding]:
    return resource.judge_alarm_recipients(observer.alarm_subscriptions(), observer.environment)


NOT_SET = "the emulator's CloudFormation does not set it"

CHECKS = (
    Check("stacks", "Is every stack completely deployed?", lambda o: pipeline.judge_stacks(o.stacks())),
    Check(
        "configuration",
        "Does the environment file name what is deployed?",
        lambda o: pipeline.judge_configuration(o.resources, o.file),
    ),
    Check("clock", "Is the clock of this machine correct?", lambda o: pipeline.judge_clock(*o.clocks())),
    Check("sending", "Does SES send for the account?", lambda o: publishing.judge_sending(o.account)),
    Check("account-review", "Is the account in good standing?", lambda o: publishing.judge_review(o.account)),
    Check("sandbox", "May SES send to every address?", lambda o: publishing.judge_sandbox(o.account)),
    Check("quota", "Is enough of the daily quota left?", lambda o: publishing.judge_quota(o.account)),
    Check(
        "account-list",
        "Can the account suppression list be used?",
        lambda o: publishing.judge_account_list(o.account, o.file),
    ),
    Check(
        "configuration-sets",
        "Does each configuration set send?",
        lambda o: publishing.judge_configuration_sets(o.configuration_sets, o.environment),
    ),
    Check("event-destinations", "Do the sets publish the event types in the file?", _event_destinations),
    Check(
        "tracking",
        "Are opens and clicks tracked only as in the file?",
        lambda o: publishing.judge_tracking(o.event_destinations, o.file),
    ),
    Check("identities", "Is each identity verified?", lambda o: publishing.judge_identities(o.identities)),
    Check(
        "dkim",
        "Is the mail of each domain signed?",
        lambda o: publishing.judge_dkim(o.identities, o.file),
        "the emulator's identities have no DKIM",
    ),
    Check("mail-from", "Does each MAIL FROM domain work?", lambda o: publishing.judge_mail_from(o.identities, o.file)),
    Check("notification-settings", "Does SES have the notification settings that were deployed?", _notifications),
    Check(
        "contact-lists",
        "Does each contact list exist?",
        lambda o: publishing.judge_contact_lists(o.contact_lists(), o.file),
        "the emulator has no contact lists",
    ),
    Check(
        "feedback-subscription",
        "Is the feedback queue subscribed to the feedback topic?",
        lambda o: pipeline.judge_feedback_subscription(*o.feedback_subscription()),
    ),
    Check("firehose-stream", "Is the Firehose stream active?", lambda o: pipeline.judge_streams(o.streams())),
    Check("archive-notifications", "Does the archive announce its new objects?", _archive_notifications),
    Check("mappings", "Do the functions get their records?", _mappings),
    Check("functions", "Can every function run?", lambda o: resource.judge_functions(o.functions)),
    Check(
        "function-errors",
        "Has no function failed within the last hour?",
        lambda o: resource.judge_function_errors(o.function_errors(), o.functions),
    ),
    Check("late-records", "Are records processed in time?", lambda o: pipeline.judge_ages(o.ages())),
    Check("dead-letters", "Are the dead-letter queues empty?", _dead_letters),
    Check("quarantine", "Could every line of the archive be parsed?", _stored(FailureKind.QUARANTINE)),
    Check("firehose-errors", "Could Firehose deliver every record?", _stored(FailureKind.FIREHOSE)),
    Check("failed-batches", "Could every batch be counted or published?", _stored(FailureKind.BATCH)),
    Check(
        "recount",
        "Did the last recount correct all counters?",
        lambda o: pipeline.judge_recount(o.has_unfinished_recount()),
    ),
    Check("last-event", "Do events of sent mail arrive, and are they counted?", _activity),
    Check("tables", "Are the tables active?", lambda o: resource.judge_tables(o.described_tables)),
    Check(
        "ledger-stream",
        "Does count_tags read the ledger's stream?",
        lambda o: resource.judge_stream("ledger", "count_tags", o.table("Ledger"), o.mappings),
    ),
    Check(
        "suppressions-stream",
        "Does publish_suppressions read the stream of the suppressions table?",
        lambda o: resource.judge_stream(
            "suppressions table", "publish_suppressions", o.table("Suppressions"), o.mappings
        ),
    ),
    Check(
        "feedback-indexes",
        "Does the ledger have the indexes of feedback?",
        lambda o: resource.judge_indexes(o.table("Ledger")),
    ),
    Check("time-to-live", "Do items expire?", _time_to_live, NOT_SET),
    Check("point-in-time-recovery", "Can the tables be restored?", _recovery, NOT_SET),
    Check("alarms", "Does every alarm exist, and is none in ALARM?", _alarms),
    Check("alarm-recipients", "Is somebody notified of alarms?", _recipients),
)
