"""`make demo`: the whole pipeline on this machine, from mail sent to tags counted and recipients suppressed."""

import argparse
import contextlib
import random
import signal
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.table import Table

from aftersend.dashboard.sections import COUNTS
from aftersend.suppression import Entry
from local.emulator import Failed
from local.page import served
from local.pipeline import LocalPipeline, Outcome, Stalled, deployed, differences, rules_tried, undercovered
from local.ses.records import EVENT_BODIES
from local.traffic import Mail, expected, plan

MESSAGES = 600
INTERRUPTED = 130
ENTRIES_SHOWN, LIFTED_SHOWN, DIFFERENCES_SHOWN, MESSAGE_ID_SHOWN = 15, 3, 20, 25
WIDTH_IN_A_FILE = 120
ROUTES = ("SNS", "Firehose", "identity notification")

console = Console(highlight=False, markup=False)
if not console.is_terminal:
    console.width = WIDTH_IN_A_FILE


def main() -> int:
    arguments = _arguments()
    # To be ended is to be interrupted: whatever was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))
    try:
        return run(arguments.messages, arguments.seed, arguments.once)
    except (Failed, Stalled) as error:
        console.print(str(error), style="red")
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted; everything that was started is stopped.")
        return INTERRUPTED


def run(messages: int, seed: int, once: bool) -> int:
    """Everything from nothing; the exit code."""
    started = time.monotonic()
    say(f"Aftersend on this machine, with seed {seed}: SEED={seed} repeats this run")
    say("Starting emulator and local SES, deploying all stacks with the CDK CLI (half a minute)")
    with deployed(seed) as pipeline, served(pipeline) as page:
        say(f"Deployed after {time.monotonic() - started:.0f} seconds. Watch what comes of the mail: {page}")
        pipeline.apply_settings_again()
        mails = _send(pipeline, plan(messages, seed, datetime.now(UTC)))
        say("Waiting until everything is recorded and counted")
        outcome = _wait(pipeline)
        console.print()
        _show_published(pipeline)
        _show_rules(mails)
        _show_tags(outcome)
        _show_suppressions(outcome)
        say(f"All recorded, decided and counted after {time.monotonic() - started:.0f} seconds")
        if once:
            return _compare(mails, outcome, pipeline)
        say(f"The page: {page}")
        say(f"SES and all else for your own mail: AWS_ENDPOINT_URL={pipeline.ses_url} (any credentials, us-east-1)")
        say("Ctrl-C ends it")
        return _until_interrupted()


def _until_interrupted() -> int:
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    console.print()
    say("Stopped.")
    return 0


def say(what: str) -> None:
    console.print("==>", style="bold", end=" ")
    console.print(what)


def _send(pipeline: LocalPipeline, mails: list[Mail]) -> list[Mail]:
    sent = []
    with console.status("") as status:
        for mail in pipeline.send(mails):
            sent.append(mail)
            status.update(f"{len(sent)} of {len(mails)} messages sent")
    say(f"{len(sent)} messages sent: SendEmail of the API v2 and v1, SendRawEmail")
    return sent


def _wait(pipeline: LocalPipeline) -> Outcome:
    outcome = None
    with console.status("publishing the last records") as status:
        for waiting, outcome in pipeline.until_quiet():
            counted, decided = sum(outcome.counts.values()), len(outcome.entries)
            status.update(f"{waiting} messages wait in the queues; {counted} counts, {decided} entries")
    assert outcome is not None, "it looks at least once before all is quiet"
    return outcome


def _show_published(pipeline: LocalPipeline) -> None:
    published = pipeline.ses.published
    table = _table("Records published", "event type", *ROUTES)
    for kind in EVENT_BODIES:
        table.add_row(kind, *(str(published[route, kind] or "") for route in ROUTES))
    for (route, what), count in sorted(published.items()):
        if route not in ROUTES:
            table.add_row(f"{route}: {what}", str(count))
    console.print(table)
    through, stored = pipeline.ses.through_firehose, pipeline.ses.in_objects
    console.print(f"{through} records went through Firehose itself, {stored} were stored as Firehose stores them.\n")


def _show_rules(mails: list[Mail]) -> None:
    table = _table("Bounces and complaints by rule of the policy", "rule", "how many")
    for name, count in sorted(rules_tried(mails).items()):
        table.add_row(name, str(count))
    console.print(table)


def _show_tags(outcome: Outcome) -> None:
    by_value: dict[tuple[str, str], Counter[str]] = {}
    for key, count in outcome.counts.items():
        by_value.setdefault((key.tag, key.value), Counter())[key.measure] += count
    table = _table("Mail by message tag (opened and clicked: unique)", "message tag", *COUNTS)
    for (tag, value), counts in sorted(by_value.items()):
        table.add_row(f"{tag}={value}", *(str(counts[measure]) for measure in COUNTS.values()))
    console.print(table)


def _show_suppressions(outcome: Outcome) -> None:
    entries = sorted(outcome.entries.values(), key=lambda entry: entry.recipient)
    standing = [entry for entry in entries if not entry.lifted_by]
    lifted = [entry for entry in entries if entry.lifted_by]
    title = f"Suppression list: {len(standing)} recipients; {len(lifted)} were lifted from it"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("recipient", "reason", "rule", "since", "because of message", "lifted by"):
        table.add_column(name)
    for entry in standing[:ENTRIES_SHOWN] + lifted[:LIFTED_SHOWN]:
        table.add_row(*_cells(entry))
    console.print(table)
    if left_out := len(entries) - table.row_count:
        console.print(f"… and {left_out} more.\n")


def _cells(entry: Entry) -> tuple[str, ...]:
    message = (entry.evidence[0].message_id or "")[:MESSAGE_ID_SHOWN] + "…"
    since = f"{entry.since:%d %b %H:%M}" if entry.since else "unknown"
    return entry.recipient, entry.reason, entry.rule, since, message, entry.lifted_by or ""


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _compare(mails: list[Mail], outcome: Outcome, pipeline: LocalPipeline) -> int:
    expectation = expected(mails)
    found = differences(expectation, outcome) + undercovered(pipeline.ses.published, rules_tried(mails))
    compared = f"{len(mails)} messages, {len(expectation.counts)} counters, {len(outcome.entries)} suppression entries"
    if not found:
        console.print(f"Compared with the expectation: {compared}. No difference.", style="green")
        return 0
    console.print(f"Compared with the expectation: {compared}. {len(found)} differences:", style="red")
    for difference in found[:DIFFERENCES_SHOWN]:
        console.print(f"  {difference}")
    if left_out := len(found[DIFFERENCES_SHOWN:]):
        console.print(f"  … and {left_out} more")
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="compare what came of it with what had to, and say so")
    parser.add_argument("--seed", type=int, default=random.randrange(100_000), help="repeats a run")
    parser.add_argument("--messages", type=int, default=MESSAGES, help=f"how many are sent: {MESSAGES} if not said")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
