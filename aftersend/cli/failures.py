"""Implement `aftersend failures`: list, show and redrive failed records."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from aftersend.aws.dead_letters import DeadLetters
from aftersend.aws.deployment import Deployment
from aftersend.aws.failure_sources import count_records, sources, stored_failures, unpublished_batches
from aftersend.aws.stored_objects import StoredFailures
from aftersend.cli.deployment import DryRunOption, EnvironmentOption, JsonOption, YesOption, confirm, connected
from aftersend.cli.failure_output import print_failure, print_json, print_lines, print_plan, print_redriven, print_table
from aftersend.operations.failures import Failure, FailureKind, kind_of_key, split_id
from aftersend.parsing import Unreadable
from aftersend.recorder import parse_recordable

FAILURES_EXIST = 1
"""Exit code: there are failed records, or some were refused."""

MAX_OPENED = 1_000
"""Messages and objects of each kind that are opened for their reasons by default: this takes some seconds."""

MAX_SEARCHED = 10_000
"""Dead letters that are searched for one id: more would take longer than they stay hidden."""

app = typer.Typer(help="List, show and redrive failed records.", no_args_is_help=True, rich_markup_mode="markdown")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `failures list` prints it.", show_default=False)]


@app.command("list")
def list_failures(
    env: EnvironmentOption,
    as_json: JsonOption = False,
    limit: Annotated[
        int, typer.Option(min=0, help="How many messages and objects of each kind are opened for their reasons.")
    ] = MAX_OPENED,
) -> None:
    """List all failed records, by reason, with count and age.

    These are: dead letters of both queues and of the topic's subscription, lines of the archive that could not be
    parsed, batches that could not be counted or published, and records that Firehose could not deliver. `--json` prints
    a line for each record, without its content.

    Exit codes: 0 no failed records, 1 failed records, 2 the deployment cannot be queried.

    Examples:

    - `aftersend failures list --env prod`

    - `aftersend failures list --env prod --json | jq -r 'select(.reason == "not-json") | .id'`
    """
    with connected(env) as target:
        failures = (failure for source in sources(target.deployment) for failure in source.failures(limit))
        total = print_lines(failures) if as_json else print_table(failures, env)
    if total:
        raise typer.Exit(FAILURES_EXIST)


@app.command()
def show(
    id: IdArgument,
    env: EnvironmentOption,
    addresses: Annotated[bool, typer.Option("--addresses", help="Do not mask addresses.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show a failed record, with its addresses masked (`a***@mail.example`).

    Names and subjects are not masked. For an object's key without a line, all its records are shown.

    Exit codes: 0 shown, 1 there is no such record, 2 the deployment cannot be queried.

    Examples:

    - `aftersend failures show 'quarantine/events/2026/03/14/09/stream-1.gz.jsonl#1' --env prod`

    - `aftersend failures show KEY --env prod --addresses --json | jq -r .record > repaired.jsonl`
    """
    shown = 0
    with connected(env) as target:
        for failure in _find(target.deployment, id):
            print_failure(failure, addresses, as_json)
            shown += 1
    if not shown:
        typer.echo(
            f"There is no {id}: it was redriven, or has expired. `aftersend failures list` lists all failed records.",
            err=True,
        )
        raise typer.Exit(FAILURES_EXIST)


KeyArgument = Annotated[
    str | None,
    typer.Argument(metavar="KEY", help="The key of one object. Default: all failed records.", show_default=False),
]
KindOption = Annotated[list[FailureKind] | None, typer.Option(help="Only this kind. May be repeated.")]
RepairedOption = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="FILE", help="Repaired records, one per line, that replace those of the object KEY."
    ),
]


@app.command()
def redrive(
    env: EnvironmentOption,
    key: KeyArgument = None,
    kind: KindOption = None,
    repaired: RepairedOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Redrive failed records, after the cause was fixed.

    Dead letters go to the queue they failed in. Quarantined lines and Firehose's errors are written as a new object of
    the archive, which is recorded like any other; then the old object is deleted. You can stop this at any time and
    run it again: a record that is redriven twice is recorded once. Unpublished batches of the suppression list are
    published. Failed batches of the ledger cannot be redriven.

    Exit codes: 0 redriven, or no failed records; 1 refused, or failed records (`--dry-run`); 2 the deployment cannot be
    queried.

    Examples:

    - `aftersend failures redrive --env prod --dry-run`

    - `aftersend failures redrive --env prod --kind feedback-dead-letter --yes`

    - `aftersend failures redrive quarantine/events/2026/03/14/09/stream-1.gz.jsonl --env prod --from repaired.jsonl`
    """
    started = datetime.now(UTC)
    lines = _repaired_lines(repaired, key) if repaired else None
    with connected(env) as target:
        selected = _selected(target.deployment, key, kind or list(FailureKind))
        counts = {source.kind: count for source in selected if (count := count_records(source))}
        plan = {kind: count for kind, count in counts.items() if kind is not FailureKind.BATCH}
        if not as_json:
            print_plan(counts)
        if dry_run or not plan or not (yes or confirm(f"Redrive {sum(plan.values())} records of {env}?")):
            redriven, refused = Counter[str](), ["Nothing was redriven."] * bool(plan and not dry_run)
        else:
            redriven, refused = _redrive([source for source in selected if source.kind in plan], started, lines)
    if as_json:
        print_json({"dry_run": dry_run, "there": counts, "redriven": redriven, "refused": refused})
    print_redriven(redriven, refused, as_json)
    if refused or (dry_run and plan):
        raise typer.Exit(FAILURES_EXIST)


def _selected(deployment: Deployment, key: str | None, kinds: list[FailureKind]) -> list[DeadLetters | StoredFailures]:
    """Return the sources of the records to redrive: those of some kinds, or one object."""
    if key is None:
        return [source for source in sources(deployment) if source.kind in kinds]
    if (kind := kind_of_key(key)) is None:
        raise typer.BadParameter(
            f"{key} is not the key of an object with failed records. Choose dead letters by --kind."
        )
    object_key = split_id(key)[0]
    return [*unpublished_batches(deployment, object_key)] or [stored_failures(deployment, kind, object_key)]


def _redrive(
    selected: list[DeadLetters | StoredFailures], started: datetime, lines: list[str] | None
) -> tuple[Counter[str], list[str]]:
    """Redrive records; return their number by kind, and sentences about those that were refused."""
    redriven, refused = Counter[str](), []
    for source in selected:
        steps = source.redrive(started) if isinstance(source, DeadLetters) else source.redrive(started, lines)
        for step in steps:
            redriven[source.kind] += step.records
            refused += [step.refused] * bool(step.refused)
    return redriven, refused


def _repaired_lines(file: Path, key: str | None) -> list[str]:
    """Read repaired records; refuse them if one still cannot be parsed."""
    if key is None:
        raise typer.BadParameter("--from needs the KEY of the object whose records are repaired.")
    try:
        lines = [line for line in file.read_text("utf-8").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        lines, wrong = [], [f"{file} cannot be read: {error}"]
    else:
        wrong = [
            f"{file}, record {number}: {result.reason}: {result.detail}"
            for number, line in enumerate(lines, 1)
            for result in parse_recordable(line)
            if isinstance(result, Unreadable)
        ]
    if wrong or not lines:
        typer.echo("\n".join(wrong) or f"{file} has no records.", err=True)
        raise typer.Exit(FAILURES_EXIST)
    return lines


def _find(deployment: Deployment, id: str) -> Iterator[Failure]:
    key, line = split_id(id)
    if kind := kind_of_key(key):
        [source] = unpublished_batches(deployment, key) or [stored_failures(deployment, kind, key)]
        for stored in source.objects():
            yield from (each for each in source.records(stored) if line is None or each.id == id)
        return
    queues = (source for source in sources(deployment) if isinstance(source, DeadLetters))
    yield from islice((each for queue in queues for each in queue.failures(MAX_SEARCHED) if each.id == id), 1)
