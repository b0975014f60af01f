"""Judge tables, functions and alarms by the responses of their services."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from aftersend.config import Environment
from aftersend.contract import EXPIRES, FEEDBACK_INDEXES
from aftersend.operations.findings import (
    DEPLOY,
    RESTORE,
    Answer,
    Answers,
    Finding,
    critical,
    format_time,
    quantity,
    warning,
)
from aftersend.operations.pipeline_findings import is_of_stream

INSUFFICIENT_AFTER = timedelta(hours=2)
"""How long a new alarm may be without data: the longest period of an alarm is an hour."""


def judge_tables(tables: Answers) -> Iterator[Finding]:
    for name, table in tables.items():
        status = table["Table"]["TableStatus"] if table else "gone"
        if status not in ("ACTIVE", "UPDATING"):
            yield critical(f"The table {name} is {status}.", "Restore it (docs/operations.md), then replay.")


def judge_stream(name: str, reader: str, table: Answer | None, mappings: Answers) -> Iterator[Finding]:
    """Judge the stream of a table, by the mappings of the functions."""
    described = table["Table"] if table else {}
    stream = described.get("StreamSpecification", {})
    if not stream.get("StreamEnabled") or stream.get("StreamViewType") != "NEW_AND_OLD_IMAGES":
        yield critical(f"The {name} has no stream with both images: {reader} gets no changes.", RESTORE)
        return
    sources = [each["EventSourceArn"] for each in mappings.values() if each and is_of_stream(each)]
    if sources and described["LatestStreamArn"] not in sources:
        yield critical(f"{reader} reads another stream than that of the {name}: it gets no changes.", RESTORE)


def judge_indexes(table: Answer | None) -> Iterator[Finding]:
    present = table["Table"].get("GlobalSecondaryIndexes", ()) if table else ()
    # AWS always states the status; the emulator, whose indexes are built at once, never does.
    statuses = {each["IndexName"]: each.get("IndexStatus", "ACTIVE") for each in present}
    for name in FEEDBACK_INDEXES:
        status = statuses.get(name, "missing")
        if status not in ("ACTIVE", "UPDATING"):
            fix = "Create it (docs/operations.md, section Feedback), or wait until it is ACTIVE."
            yield warning(f"The index {name} of the ledger is {status}: `aftersend feedback` cannot read it.", fix)


def judge_time_to_live(tables: Answers) -> Iterator[Finding]:
    for name, answer in tables.items():
        description = answer["TimeToLiveDescription"] if answer else {}
        enabled = description.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
        if answer and (not enabled or description.get("AttributeName") != EXPIRES):
            setting = f"--time-to-live-specification Enabled=true,AttributeName={EXPIRES}"
            fix = f"Switch it on: `aws dynamodb update-time-to-live --table-name {name} {setting}`."
            yield warning(f"Items of {name} do not expire: its time to live on `{EXPIRES}` is off.", fix)


def judge_recovery(tables: Answers) -> Iterator[Finding]:
    """Judge the tables that should have point-in-time recovery."""
    for name, answer in tables.items():
        backups = answer["ContinuousBackupsDescription"] if answer else {}
        status = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        if answer and status != "ENABLED":
            setting = "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
            fix = f"Switch it on: `aws dynamodb update-continuous-backups --table-name {name} {setting}`."
            yield warning(f"{name} cannot be restored: point-in-time recovery is off.", fix)


def judge_functions(functions: Answers) -> Iterator[Finding]:
    for name, function in functions.items():
        if function is None:
            yield critical(f"The function {name} is gone.", RESTORE)
        elif function.get("State") == "Failed":
            yield critical(f"The function {name} cannot run: {function.get('StateReason', '')}", DEPLOY)
        elif function.get("LastUpdateStatus") == "Failed":
            reason = function.get("LastUpdateStatusReason", "")
            yield warning(f"{name} still runs its former code: its update failed: {reason}", DEPLOY)


def judge_function_errors(errors: Mapping[str, float | None], functions: Answers) -> Iterator[Finding]:
    """Judge how often each function failed within the last hour."""
    for name, count in errors.items():
        if count:
            group = (functions.get(name) or {}).get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{name}")
            fix = f"Read its logs: `aws logs tail {group} --since 1h`."
            yield warning(f"{name} failed {quantity(int(count), 'time')} within the last hour.", fix)


def judge_alarms(alarms: Answers, now: datetime, *, is_emulated: bool) -> Iterator[Finding]:
    """Judge alarms. The emulator leaves those without data in their first state; CloudWatch does not."""
    for name, alarm in alarms.items():
        if alarm is None:
            yield warning(f"The alarm {name} is gone.", RESTORE)
            continue
        since, fix = alarm["StateUpdatedTimestamp"], alarm.get("AlarmDescription", "")
        if alarm["StateValue"] == "ALARM":
            yield warning(f"The alarm {name} has been in ALARM since {format_time(since)}: {alarm['StateReason']}", fix)
        elif alarm["StateValue"] == "INSUFFICIENT_DATA" and not is_emulated and now - since > INSUFFICIENT_AFTER:
            problem = f"The alarm {name} has had no data since {format_time(since)}: {alarm['StateReason']}"
            yield warning(problem, "Check in CloudWatch whether its metric is still published.")
        if not alarm["ActionsEnabled"]:
            fix = f"Enable them: `aws cloudwatch enable-alarm-actions --alarm-names {name}`."
            yield warning(f"The actions of the alarm {name} are disabled: it notifies nobody.", fix)


def judge_alarm_recipients(topics: Mapping[str, list[Answer]], environment: Environment | None) -> Iterator[Finding]:
    """Judge the subscriptions of the topics that alarms notify."""
    may_be_nobody = environment and (environment.is_emulated or "no-alarm-recipients" in environment.accepted_findings)
    for topic, subscriptions in topics.items():
        confirmed = [each for each in subscriptions if each["SubscriptionArn"].startswith("arn:")]
        for each in subscriptions:
            if each["SubscriptionArn"] == "PendingConfirmation":
                fix = "Open the link in the mail from AWS Notifications. To get a new mail, subscribe again."
                yield warning(f"{each['Endpoint']} has not confirmed its subscription to alarms.", fix)
        if not confirmed and not may_be_nobody:
            name = topic.rpartition(":")[2]
            yield warning(f"Nobody is notified of alarms through {name}.", "Set `alarm_addresses`, deploy, confirm.")
