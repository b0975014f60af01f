"""Remove many suppression entries at once: count them, ask, remove each."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import islice

import typer
from rich.progress import Progress

from aftersend.aws.deployment import AWS_ERRORS, describe_error
from aftersend.aws.suppression_editor import REFUSALS, Editor
from aftersend.cli.deployment import confirm
from aftersend.cli.failure_output import print_json, printable
from aftersend.cli.suppression_options import INTERRUPTED, REFUSED, advance, progress, watched
from aftersend.events import REMOVED
from aftersend.operations.masking import mask_addresses
from aftersend.suppression import EVERYWHERE, Entry
from aftersend.suppression.selection import Selection, is_suppressed_otherwise

CONCURRENT_REMOVALS = 8
"""Each removal is some requests, one after the other. boto3 keeps ten connections."""

CHUNK = 100
"""Entries that are removed before the next ones are read."""

EXAMPLES = 5


def remove_selected(
    editor: Editor, selection: Selection, env: str, *, account_list: bool, yes: bool, as_json: bool
) -> int:
    """Count the selected entries, remove them after a confirmation, and return the exit code."""
    number = _count(editor, selection, as_json=as_json)
    outcomes: list[str | None] = []
    status = 0
    if number and (yes or confirm(f"Remove {number:,} entries of {env}?")):
        try:
            _remove(editor, selection, outcomes, number, account_list=account_list)
        except KeyboardInterrupt:
            status = INTERRUPTED
    removed, problems = outcomes.count(None), [problem for problem in outcomes if problem]
    if as_json:
        print_json({"selected": number, "removed": removed, "failed": len(problems)})
    else:
        typer.echo(f"Removed {removed:,} of {number:,} entries.")
    if problems:
        typer.echo(f"{len(problems):,} entries could not be removed; the first: {problems[0]}", err=True)
    if outcomes and removed < number:
        typer.echo("To remove the rest, run the same command again.", err=True)
    return status or REFUSED * (removed < number)


def _count(editor: Editor, selection: Selection, *, as_json: bool) -> int:
    """Count the selected entries and print some of them, masked, and how many stay."""
    number, staying, examples = 0, 0, []
    for entry, stays in watched(_selected(editor, selection), "counting"):
        staying += stays
        number += not stays
        if not stays and number <= EXAMPLES:
            examples.append(printable(mask_addresses(entry.recipient)))
    if number:
        typer.echo(f"{number:,} entries, for example {', '.join(examples)}.", err=as_json)
    if staying:
        stay = "1 entry stays" if staying == 1 else f"{staying:,} entries stay"
        typer.echo(f"{stay}: other events than those of {selection.rule} suppress as well.", err=True)
    return number


def _selected(editor: Editor, selection: Selection) -> Iterator[tuple[Entry, bool]]:
    """Yield the selected entries, and whether each stays: a removal would lift also what another rule has decided."""
    now, policy, rule = datetime.now(UTC), editor.recorder.policy, selection.rule
    for entry in editor.suppressions.entries():
        if selection.includes(entry, now):
            yield entry, rule is not None and is_suppressed_otherwise(entry, rule, policy, now)


def _remove(
    editor: Editor, selection: Selection, outcomes: list[str | None], number: int, *, account_list: bool
) -> None:
    """Remove the selected entries, and append to `outcomes` None, or what prevented it, for each.

    Where every entry of a chunk fails, the rest would fail too: the removal ends.
    """
    entries = (entry for entry, stays in _selected(editor, selection) if not stays)
    with progress("removing", number) as bar, ThreadPoolExecutor(CONCURRENT_REMOVALS) as pool:
        remove_one = partial(_remove_one, editor, outcomes, bar, account_list=account_list)
        while chunk := list(islice(entries, CHUNK)):
            list(pool.map(remove_one, chunk))
            if None not in outcomes[-len(chunk) :]:
                return


def _remove_one(editor: Editor, outcomes: list[str | None], bar: Progress, entry: Entry, *, account_list: bool) -> None:
    address = entry.recipient_raw or entry.recipient
    try:
        editor.record(REMOVED, address, entry.scope)
        listed = editor.spellings(address) if account_list and entry.scope == EVERYWHERE else []
        problems = editor.delete_listed(listed, is_deleted=True).problems
        outcomes.append(problems[0] if problems else None)
    except REFUSALS as error:
        outcomes.append(str(error))
    except AWS_ERRORS as error:
        outcomes.append(describe_error(error))
    advance(bar)
