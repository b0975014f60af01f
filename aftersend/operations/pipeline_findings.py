"""Judge the stacks, and the resources between SES and the tables, by the responses of their services."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from aftersend.config import Environment
from aftersend.contract import EVENTS_PREFIX
from aftersend.operations.failures import FailureKind, StoredObject
from aftersend.operations.findings import (
    DEPLOY,
    RESTORE,
    Answer,
    Answers,
    Finding,
    critical,
    format_time,
    notice,
    quantity,
    warning,
)
from aftersend.operations.status import LATE_SECONDS

MAX_SKEW_SECONDS = 60
"""AWS refuses requests whose time differs by five minutes; a replay's hours are wrong before that."""

MAX_COUNTED = 1_000
"""Objects of a kind that are counted; if there are more, this number is reported as a minimum."""

WINDOW = timedelta(hours=3)
GRACE = timedelta(minutes=15)
"""Mail that was sent within the window, but not within the grace at its end, has events in the archive and counters."""

GOOD_STACK = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
COUNTER = "CountTags"
"""Part of the physical name of count_tags, whose event source mapping a recount pauses: the id of its construct."""

GOOD_MAPPING = {"Enabled", "Enabling", "Creating", "Updating"}


def judge_stacks(stacks: Answers) -> Iterator[Finding]:
    for name, stack in stacks.items():
        status = stack["StackStatus"] if stack else ""
        events = f"Read why: `aws cloudformation describe-stack-events --stack-name {name}`. Then deploy again."
        if not stack or status == "REVIEW_IN_PROGRESS":
            yield critical(f"There is no stack {name}.", DEPLOY)
        elif status.endswith("IN_PROGRESS"):
            yield notice(
                f"{name} is being changed ({status}).", "Wait until that is done, then run `aftersend doctor` again."
            )
        elif status == "UPDATE_ROLLBACK_COMPLETE":
            yield warning(f"The last deployment of {name} failed and was rolled back.", events)
        elif status not in GOOD_STACK:
            yield critical(f"{name} is in the state {status}. {stack.get('StackStatusReason', '')}", events)


def judge_configuration(deployed: Mapping[str, Iterable[str]], environment: Environment) -> Iterator[Finding]:
    """Compare the names in the environment file with those of the stacks, given by resource type."""
    created = [name for name, identity in environment.identities.items() if not identity.existing]
    lists = [name for name, each in environment.contact_lists.items() if not each.existing]
    for key, resource, wanted in (
        ("configuration_sets", "AWS::SES::ConfigurationSet", list(environment.configuration_sets)),
        ("identities", "AWS::SES::EmailIdentity", created),
        ("contact_lists", "AWS::SES::ContactList", [] if environment.is_emulated else lists),
    ):
        present = set(deployed.get(resource, ()))
        for name in wanted:
            if name not in present:
                yield warning(f"{key}.{name} is in the environment file, but not deployed.", DEPLOY)
        for name in sorted(present - {*wanted}):
            yield warning(f"{key}.{name} is deployed, but not in the environment file.", "See `make diff ENV=$env`.")


def judge_clock(here: datetime, there: datetime) -> Iterator[Finding]:
    seconds = (here - there).total_seconds()
    if abs(seconds) > MAX_SKEW_SECONDS:
        direction = "fast" if seconds > 0 else "slow"
        fix = "Set it by the network (NTP): AWS refuses requests when it differs by five minutes."
        yield warning(f"The clock of this machine is {abs(seconds):.0f} seconds {direction}.", fix)


def judge_feedback_subscription(subscription: Answer | None, attributes: Answer | None) -> Iterator[Finding]:
    """Judge the subscription of the feedback queue, and its attributes."""
    if subscription is None or attributes is None:
        yield critical("The feedback queue is not subscribed to the feedback topic: no feedback arrives.", RESTORE)
    elif subscription["SubscriptionArn"] == "PendingConfirmation" or attributes.get("PendingConfirmation") == "true":
        yield critical("The subscription of the feedback queue is not confirmed: no feedback arrives.", RESTORE)
    elif attributes.get("RawMessageDelivery") != "true":
        names = f"--subscription-arn {subscription['SubscriptionArn']} --attribute-name RawMessageDelivery"
        fix = f"Switch it on: `aws sns set-subscription-attributes {names} --attribute-value true`."
        yield warning("Raw delivery to the feedback queue is off: its messages are larger, in SNS's envelope.", fix)


def function_name(mapping: Answer) -> str:
    """Return the name of the function that an event source mapping invokes."""
    return mapping["FunctionArn"].split(":")[6]


def is_of_stream(mapping: Answer) -> bool:
    return ":dynamodb:" in mapping["EventSourceArn"]


def judge_mappings(mappings: Answers, counting_window_seconds: int | None) -> Iterator[Finding]:
    """Judge event source mappings, by their ids; the window of the environment file is None without one."""
    for uuid, mapping in mappings.items():
        if mapping is None:
            yield critical(f"The event source mapping {uuid} is gone: its function gets no records.", RESTORE)
            continue
        source = f"{function_name(mapping)} from {mapping['EventSourceArn'].split(':', 5)[5]}"
        result = mapping.get("LastProcessingResult") or ""
        if mapping["State"] not in GOOD_MAPPING:
            fix = f"Enable it: `aws lambda update-event-source-mapping --uuid {uuid} --enabled`."
            if COUNTER in function_name(mapping):
                fix = "If no recount is running, resume counting: `aftersend recount --env $env --abort`."
            yield critical(f"The event source mapping of {source} is {mapping['State'].lower()}.", fix)
        elif result.startswith(("PROBLEM", "FAILED")):
            fix = f"Read the logs of {function_name(mapping)}."
            yield warning(f"The last batch of {source} failed: {result}.", fix)
        if COUNTER in function_name(mapping):
            yield from _judge_counting_window(mapping, counting_window_seconds)


def _judge_counting_window(mapping: Answer, expected: int | None) -> Iterator[Finding]:
    """AWS does not document whether it takes a batching window beside a tumbling window."""
    actual = mapping.get("MaximumBatchingWindowInSeconds") or 0
    if expected is not None and actual != expected:
        problem = f"Changes are collected for {actual} seconds before they are counted, not for {expected}."
        yield warning(problem, f"Deploy again; if nothing changes, set `counting_window_seconds = {actual}`.")


def judge_recount(is_unfinished: bool) -> Iterator[Finding]:
    if is_unfinished:
        fix = "Unless it is still running, run it again: `aftersend recount --env $env`."
        yield critical("A recount has not finished correcting counters: they are wrong until one has.", fix)


def judge_archive_notifications(configuration: Answer, queue: str) -> Iterator[Finding]:
    for each in configuration.get("QueueConfigurations", ()):
        rules = each.get("Filter", {}).get("Key", {}).get("FilterRules", ())
        prefixes = [rule["Value"] for rule in rules if rule["Name"].lower() == "prefix"]
        if each["QueueArn"].endswith(f":{queue}") and prefixes == [EVENTS_PREFIX]:
            return
    problem = f"The archive bucket does not notify {queue} of new objects below {EVENTS_PREFIX}: none is recorded."
    fix = "Add this notification to the queue in the S3 console (deploying again does not), then `aftersend replay`."
    yield critical(problem, fix)


def judge_streams(streams: Answers) -> Iterator[Finding]:
    for name, stream in streams.items():
        status = stream["DeliveryStreamDescription"]["DeliveryStreamStatus"] if stream else "gone"
        if status != "ACTIVE":
            yield critical(f"The Firehose stream {name} is {status}: no events reach the archive.", RESTORE)


def judge_ages(ages: Mapping[str, float | None]) -> Iterator[Finding]:
    """Judge how many seconds the oldest record has waited, by the name of the queue or function."""
    for name, seconds in ages.items():
        if seconds is not None and seconds > LATE_SECONDS:
            fix = "Check whether its function fails or is throttled (checks functions, function-errors)."
            yield warning(f"The oldest record of {name} has waited for {seconds / 60:.0f} minutes.", fix)


def judge_dead_letters(counts: Mapping[FailureKind, int]) -> Iterator[Finding]:
    for kind, count in counts.items():
        if count:
            yield warning(f"{quantity(count, 'message')} in a dead-letter queue ({kind}).", _failures(kind))


def judge_stored_failures(kind: FailureKind, objects: list[StoredObject]) -> Iterator[Finding]:
    if objects:
        at_least = "At least " if len(objects) >= MAX_COUNTED else ""
        oldest = min(stored.since for stored in objects)
        problem = (
            f"{at_least}{quantity(len(objects), 'object')} of the kind {kind}, the oldest of {format_time(oldest)}."
        )
        yield warning(problem, _failures(kind))


def _failures(kind: FailureKind) -> str:
    if kind is FailureKind.BATCH:
        return "Read them: `aftersend failures list --env $env`. Count them: `aftersend recount --env $env`."
    return "Read why: `aftersend failures list --env $env`. Remove the cause, then `failures redrive`."


class Activity(NamedTuple):
    """The number of messages sent, and the newest results of their events."""

    sent: int
    """Messages of the whole account within the window, without the grace."""
    newest_object: datetime | None
    newest_counters: datetime | None
    """The newest hour in which counted messages were sent."""


def judge_activity(activity: Activity, now: datetime, *, is_archived: bool) -> Iterator[Finding]:
    """Judge whether events of the mail that was sent arrive and are counted."""
    start = now - WINDOW
    hour = start.replace(minute=0, second=0, microsecond=0)
    has_objects = activity.newest_object is not None and activity.newest_object >= start
    has_counters = activity.newest_counters is not None and activity.newest_counters >= hour
    hours = f"within {WINDOW.seconds // 3600} hours"
    sent = f"SES sent {quantity(activity.sent, 'message')} {hours}, but"
    if not activity.sent or (has_counters and (has_objects or not is_archived)):
        return
    if not has_objects and not has_counters:
        fix = "Does the mail name a configuration set of this environment? If so, see the other findings."
        yield warning(f"{sent} no event arrived.", fix)
    elif not has_counters:
        yield warning(f"{sent} none is counted.", "Read the logs of count_tags; see the alarm CountingLate.")
    else:
        yield warning(f"{sent} the archive received nothing.", "Look at the Firehose stream and its log group.")
