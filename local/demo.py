"""Run the whole pipeline on this machine: deploy it to an AWS emulator, send a bookshop's mail and show the results."""

import argparse
import contextlib
import random
import sys
import threading
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

from rich import box
from rich.console import Console
from rich.table import Table

from aftersend.cli.dashboard_server import served
from aftersend.cli.dashboard_site import DashboardSite
from aftersend.cli.tags import DEFAULT_RANGE, tag_rows, tag_table
from aftersend.counting import CONFIGURATION_SET
from aftersend.metrics.reputation import Level
from aftersend.metrics.tag_table import Order, sort_rows
from aftersend.suppression import Entry
from local.deployment import deployed_pipeline
from local.emulator import ProcessFailed
from local.interrupts import raise_on_signals
from local.mailer import send_command
from local.pipeline import LocalPipeline, PipelineResult, Stalled
from local.ses import EVENT_BODIES
from local.traffic import Mail, plan_mails, plan_week, predict
from local.verification import differences, rule_occurrences, undercovered

DEFAULT_MESSAGES = 600
SEEDS = 100_000
EXIT_INTERRUPTED = 130
"""128 + SIGINT, the shells' exit code of an interrupted command."""

SENT_BEFORE = timedelta(days=2)
"""How much earlier the messages with every kind of event are sent than they are planned for: so much of them bounces
that they would change the verdicts, which are on the last 24 hours."""

JUDGED_TAGS = (CONFIGURATION_SET, "campaign")

MAX_ENTRIES, MAX_LIFTED_ENTRIES, MAX_DIFFERENCES = 15, 3, 20
"""Rows shown of each kind."""

MAX_MESSAGE_ID_CHARACTERS = 25
WIDTH_WITHOUT_TERMINAL = 120
ROUTES = ("SNS", "Firehose", "identity notification")

console = Console(highlight=False, markup=False)
if not console.is_terminal:
    console.width = WIDTH_WITHOUT_TERMINAL


def main() -> int:
    arguments = _parse_arguments()
    raise_on_signals()
    try:
        return run(arguments.messages, arguments.seed, arguments.once)
    except (ProcessFailed, Stalled) as error:
        console.print(str(error), style="red")
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted. The emulator and all other processes have been stopped.")
        return EXIT_INTERRUPTED


def run(messages: int, seed: int, once: bool) -> int:
    """Run the demo and return its exit code. With `once` it compares the results and does not wait for Ctrl-C."""
    started = time.monotonic()
    print_step(f"Running Aftersend on this machine with seed {seed} (SEED={seed} repeats this run)")
    print_step("Starting the AWS emulator and deploying all stacks with the CDK CLI (takes about 30 seconds)")
    with deployed_pipeline(seed) as pipeline, served_dashboard(pipeline) as page_url:
        print_step(f"Deployed after {_elapsed(started)}. Follow the results in a browser: {page_url}")
        pipeline.apply_settings_again()
        now = datetime.now(UTC)
        week = _store(pipeline, plan_week(seed, now))
        mails = _send(pipeline, plan_mails(messages, seed, now - SENT_BEFORE))
        print_step("Waiting until all events are recorded and counted")
        result = _wait(pipeline)
        console.print()
        _show_results(pipeline, mails, result)
        _show_verdicts(pipeline)
        print_step(f"All events recorded and counted after {_elapsed(started)}")
        if once:
            return _compare(mails, week, result, pipeline)
        pipeline.sweep_suppressions()
        print_step(f"The page shows these results and all that follow: {page_url}")
        print_step("To send a message of your own, with two message tags:")
        print(send_command())  # in one line, to be copied
        return _wait_for_interrupt()


@contextlib.contextmanager
def served_dashboard(pipeline: LocalPipeline) -> Generator[str]:
    """Serve the deployed dashboard, with changes allowed, and yield the URL that shows the week in the archive."""
    with served(DashboardSite(pipeline.deployment(), allow_changes=True)) as url:
        yield f"{url}&range=7d"


def print_step(text: str) -> None:
    console.print("==>", style="bold", end=" ")
    console.print(text)


def _elapsed(started: float) -> str:
    return f"{time.monotonic() - started:.0f} seconds"


def _wait_for_interrupt() -> int:
    print_step("Press Ctrl-C to stop")
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    console.print()
    print_step("Stopping the emulator, which takes some seconds")
    return 0


def _store(pipeline: LocalPipeline, week: list[Mail]) -> list[Mail]:
    pipeline.store_past(week)
    events = sum(len(mail.events) for mail in week)
    print_step(f"{len(week):,} messages of the last week with {events:,} events stored in the archive")
    return week


def _send(pipeline: LocalPipeline, mails: list[Mail]) -> list[Mail]:
    sent = []
    with console.status("") as status:
        for mail in pipeline.send(mails):
            sent.append(mail)
            status.update(f"{len(sent)} of {len(mails)} messages sent")
    print_step(f"{len(sent)} messages sent with SendEmail (SES API v1 and v2) and SendRawEmail (v1)")
    return sent


def _wait(pipeline: LocalPipeline) -> PipelineResult:
    result = None
    with console.status("The local SES publishes the last records") as status:
        for waiting, result in pipeline.wait_until_processed():
            counts, entries = sum(result.counts.values()), len(result.entries)
            status.update(f"{waiting} messages wait in the queues; counters add up to {counts}; {entries} entries")
    assert result is not None, "wait_until_processed yields at least once"
    return result


def _show_results(pipeline: LocalPipeline, mails: list[Mail], result: PipelineResult) -> None:
    _show_published(pipeline)
    _show_rules(mails)
    _show_suppressions(result)


def _show_published(pipeline: LocalPipeline) -> None:
    publisher = pipeline.ses.publisher
    records = _number_table("Records that the local SES published", "event type", *ROUTES)
    for event_type in EVENT_BODIES:
        records.add_row(event_type, *(str(publisher.published[route, event_type] or "") for route in ROUTES))
    setup_messages = _number_table("Setup messages of SES and S3", "message", "number")
    for (route, name), count in sorted(publisher.published.items()):
        if route == "setup message":
            setup_messages.add_row(name, str(count))
    console.print(records)
    console.print(
        f"Of the records for Firehose, {publisher.records_through_firehose} went through the emulator's Firehose; "
        f"{publisher.records_in_objects} were stored in S3 as Firehose stores them.\n"
    )
    console.print(setup_messages)


def _show_rules(mails: list[Mail]) -> None:
    table = _number_table("Bounces and complaints by suppression rule", "rule", "events")
    for rule, count in sorted(rule_occurrences(mails).items()):
        table.add_row(rule, str(count))
    console.print(table)


def _show_verdicts(pipeline: LocalPipeline) -> None:
    """Print the table of `aftersend tags`, the verdicts on it, and what the guard does about them."""
    now, deployment = datetime.now(UTC), pipeline.deployment()
    begin = now.replace(minute=0, second=0, microsecond=0) - DEFAULT_RANGE
    rows = [row for row in tag_rows(deployment, JUDGED_TAGS, begin, now) if row.sends]
    console.print(tag_table(sort_rows(rows, Order.WORST), begin))
    counts = pipeline.watch_rates()
    for tag in JUDGED_TAGS:
        for sentence, level in pipeline.verdicts(tag, now):
            if tag == CONFIGURATION_SET or level >= Level.WARNING:
                console.print(sentence, style="red" if level is Level.CRITICAL else None)
    guard = pipeline.environment.reputation.guard
    console.print(
        f"Guard ({guard}): configuration sets that it would pause: {counts.get('guard_would_pause', 0)}; "
        f"that it has paused: {counts.get('guard_paused', 0)}.\n"
    )


def _show_suppressions(result: PipelineResult) -> None:
    entries = sorted(result.entries.values(), key=lambda entry: entry.recipient)
    in_force = [entry for entry in entries if not entry.lifted_by]
    lifted = [entry for entry in entries if entry.lifted_by]
    title = f"Suppression list: {len(in_force)} recipients are suppressed, {len(lifted)} no longer are"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("recipient", "reason", "rule", "since (UTC)", "message ID", "lifted by"):
        table.add_column(name)
    for entry in in_force[:MAX_ENTRIES] + lifted[:MAX_LIFTED_ENTRIES]:
        table.add_row(*_cells(entry))
    console.print(table)
    if omitted := len(entries) - table.row_count:
        console.print(f"… and {omitted} more.\n")


def _cells(entry: Entry) -> tuple[str, ...]:
    message_id = (entry.evidence[0].message_id or "")[:MAX_MESSAGE_ID_CHARACTERS] + "…"
    since = f"{entry.since:%d %b %H:%M}" if entry.since else "unknown"
    return entry.recipient, entry.reason, entry.rule, since, message_id, entry.lifted_by or ""


def _number_table(title: str, first_column: str, *number_columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column(first_column)
    for name in number_columns:
        table.add_column(name, justify="right")
    return table


def _compare(mails: list[Mail], week: list[Mail], result: PipelineResult, pipeline: LocalPipeline) -> int:
    """Print the differences between result and expectation and return the exit code."""
    expectation = predict(mails + week)
    problems = differences(expectation, result)
    problems += undercovered(pipeline.ses.publisher.published, rule_occurrences(mails))
    subjects = (
        f"{len(mails + week):,} messages, {len(expectation.counts)} counters, {len(result.entries)} suppression entries"
    )
    if not problems:
        console.print(f"The results are as expected ({subjects}).", style="green")
        return 0
    console.print(f"The results are not as expected ({subjects}). {len(problems)} differences:", style="red")
    for problem in problems[:MAX_DIFFERENCES]:
        console.print(f"  {problem}")
    if omitted := len(problems[MAX_DIFFERENCES:]):
        console.print(f"  … and {omitted} more")
    return 1


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="compare the results with the expectation and exit")
    parser.add_argument("--seed", type=int, default=random.randrange(SEEDS), help="repeat the run with this seed")
    parser.add_argument(
        "--messages", type=int, default=DEFAULT_MESSAGES, help="how many to send (default: %(default)s)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
