"""Implement `aftersend suppressions preview` and `rebuild`: what a policy changes in the suppression list."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from aftersend.aws.deployed_recorder import deployed_ledger, deployed_recorder, deployed_suppressions
from aftersend.aws.deployment import Deployment, affects_all
from aftersend.cli.deployment import EnvironmentOption, JsonOption, Target, YesOption, confirm, connected
from aftersend.cli.failure_output import print_json, printable
from aftersend.cli.suppression_options import INTERRUPTED, REFUSED, advance, progress
from aftersend.config import load_policy
from aftersend.config.prices import PRICES, price_region
from aftersend.operations.parallel import in_parallel
from aftersend.operations.suppression_preview import CHANGED, LIFTED, SUPPRESSED, Summary, differences
from aftersend.recorder import PendingChanges

DIFFERS = 1
"""Exit code of `preview`: something would change."""

ASK_FROM_BYTES = 10**9
"""Size of the ledger from which reading it is confirmed: about two cents, and two minutes."""

BYTES_PER_SECOND = 10**7
"""A scan reads pages of 1 MB, one after the other."""

BYTES_PER_READ_UNIT = 8_192
"""What a read that need not be consistent reads with one unit."""

LABELS = {
    SUPPRESSED: ("Would be suppressed", "Suppressed"),
    LIFTED: ("Would be lifted", "Lifted"),
    CHANGED: ("Would have another rule or end", "Rule or end changed"),
}
"""What differences are called, before and after they are applied."""

Action = Callable[[str], PendingChanges]


PolicyOption = Annotated[
    Path, typer.Option("--policy", metavar="FILE", help="An environment file; only its section [suppression] is read.")
]
LedgerOption = Annotated[
    bool,
    typer.Option("--from-ledger", help="Also recipients without an entry, but with feedback: reads the whole ledger."),
]


def preview(
    env: EnvironmentOption,
    policy: PolicyOption,
    from_ledger: LedgerOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a policy would change in the suppression list. Nothing is written.

    Decides about each recipient again, from the recorded events, and compares the result with the present list. A rule
    that suppresses now and did not before concerns recipients without an entry: add `--from-ledger` to include them.

    Exit codes: 0 nothing would change, 1 something would, 2 the deployment cannot be queried, 130 interrupted.

    Example:

    - `aftersend suppressions preview --env prod --policy environments/prod.toml`
    """
    with connected(env) as target:
        recorder = deployed_recorder(target.deployment)._replace(policy=load_policy(policy))
        _confirm_ledger(target, from_ledger=from_ledger, yes=yes)
        run = _Run(recorder.pending_changes)
        run.over(_sources(target.deployment, from_ledger=from_ledger), "previewing")
    run.print(as_json, is_applied=False)
    if run.status or run.summary.counts:
        raise typer.Exit(run.status or DIFFERS)


def rebuild(
    env: EnvironmentOption, from_ledger: LedgerOption = False, yes: YesOption = False, as_json: JsonOption = False
) -> None:
    """Decide about every recipient again, under the deployed policy, and write the entries that differ.

    Do this after a policy was changed and deployed. With `--from-ledger`, entries that were deleted return. You can
    stop it at any time and run it again: what is done is read again, and not written.

    Exit codes: 0 done; 1 refused, or some recipients failed; 2 the deployment cannot be queried; 130 interrupted.

    Example:

    - `aftersend suppressions rebuild --env prod`
    """
    with connected(env) as target:
        recorder = deployed_recorder(target.deployment)
        _confirm_ledger(target, from_ledger=from_ledger, yes=yes)
        if not (yes or confirm(f"Decide about all recipients of {env} again, and write what differs?")):
            typer.echo("Nothing was written.", err=True)
            raise typer.Exit(REFUSED)
        run = _Run(recorder.apply_changes)
        run.over(_sources(target.deployment, from_ledger=from_ledger), "rebuilding")
    run.print(as_json, is_applied=True)
    if run.status:
        raise typer.Exit(run.status)


def _confirm_ledger(target: Target, *, from_ledger: bool, yes: bool) -> None:
    """Print what reading the ledger costs, and ask if it is large."""
    if not from_ledger:
        return
    size = deployed_ledger(target.deployment).size_bytes()
    price = PRICES[price_region(target.deployment.region)].read_unit
    minutes, dollars = max(1, round(size / BYTES_PER_SECOND / 60)), max(0.01, size / BYTES_PER_READ_UNIT * price)
    typer.echo(
        f"The ledger has {size / 1e6:,.1f} MB: reading it takes about {minutes:,} min and costs about ${dollars:,.2f}.",
        err=True,
    )
    if size >= ASK_FROM_BYTES and not (yes or confirm("Read it?")):
        raise typer.Exit(REFUSED)


class Source(NamedTuple):
    """Recipients to decide about."""

    recipients: Iterator[str]
    is_ledger: bool = False


def _sources(deployment: Deployment, *, from_ledger: bool) -> Iterator[Source]:
    """Yield the recipients with an entry and, if wanted, then those with feedback in the ledger."""
    entries = deployed_suppressions(deployment).entries()
    yield Source(recipient for recipient, _ in groupby(entry.recipient for entry in entries))
    if from_ledger:
        yield Source(deployed_ledger(deployment).recipients_with_feedback(), is_ledger=True)


class _Run:
    """Do the same for many recipients, and summarize the differences."""

    def __init__(self, action: Action) -> None:
        self._action = action
        self.summary = Summary()
        self.recipients, self.status = 0, 0
        self.failures = Counter[str]()

    def over(self, sources: Iterable[Source], label: str) -> None:
        """Decide about recipients, one source after the other; each recipient fails alone."""
        now = datetime.now(UTC)
        try:
            with progress(label) as bar:
                for recipients, is_ledger in sources:
                    for result in in_parallel(self._decide, recipients):
                        advance(bar)
                        self._add(result, now, is_ledger=is_ledger)
        except KeyboardInterrupt:
            self.status = INTERRUPTED

    def _decide(self, recipient: str) -> PendingChanges | Exception:
        try:
            return self._action(recipient)
        except Exception as error:  # each recipient fails alone
            if affects_all(error):
                raise
            return error

    def _add(self, result: PendingChanges | Exception, now: datetime, *, is_ledger: bool) -> None:
        if isinstance(result, Exception):
            self.failures[type(result).__name__] += 1
            self.status = REFUSED
        elif not (is_ledger and result.current):  # those with an entry were decided about before
            self.recipients += 1
            for difference in differences(result.current, result.changes, now):
                self.summary.add(difference)

    def print(self, as_json: bool, *, is_applied: bool) -> None:
        """Print the differences by kind and rule, with masked examples."""
        counts, examples = self.summary.counts, self.summary.examples
        if as_json:
            rows = [
                {"kind": kind, "rule": rule, "count": counts[kind, rule], "examples": examples[kind, rule]}
                for kind, rule in sorted(counts)
            ]
            print_json({"recipients": self.recipients, "differences": rows, "failed": sum(self.failures.values())})
        else:
            typer.echo(f"{self.recipients:,} recipients.")
            for kind, labels in LABELS.items():
                typer.echo(f"{labels[is_applied]}: {self.summary.total(kind):,}")
                for row in sorted(row for row in counts if row[0] == kind):
                    shown = ", ".join(map(printable, examples[row]))
                    typer.echo(f"    {row[1]}: {counts[row]:,}, for example {shown}")
        for name, number in self.failures.items():
            typer.echo(f"{number:,} recipients failed ({name}): run the command again.", err=True)
        if self.status == INTERRUPTED:
            typer.echo("Interrupted: the numbers are of a part. Run the command again.", err=True)
