"""Implement `aftersend forget`: erase a recipient's data, and keep them suppressed."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from aftersend.aws.account_list import Unavailable
from aftersend.aws.deployed_recorder import deployed_tombstones
from aftersend.aws.erasure import Erased, Erasure, days_until_removed
from aftersend.aws.tombstones import Tombstones
from aftersend.cli.deployment import EnvironmentOption, JsonOption, Target, YesOption, confirm, connected, one_sentence
from aftersend.cli.failure_output import print_json
from aftersend.cli.suppression_options import INTERRUPTED, REFUSED, AddressArgument
from aftersend.contract import FUNCTIONS
from aftersend.operations.erasure import Remains, remains

SETTLED = timedelta(seconds=max(size.timeout_seconds for size in FUNCTIONS.values()) + 60)
"""After so long no function runs that has not read a tombstone. The minute is for clocks that differ."""

AccountListOption = Annotated[
    bool, typer.Option("--account-list", help="Remove them from SES's account suppression list as well.")
]
NoteOption = Annotated[str, typer.Option(metavar="TEXT", help="Why; it is stored, and must not name the person.")]
UndoOption = Annotated[
    bool, typer.Option("--undo", help="Delete the tombstone, so that the recipient can get mail again.")
]


def forget(
    address: AddressArgument,
    env: EnvironmentOption,
    account_list: AccountListOption = False,
    note: NoteOption = "",
    undo: UndoOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Erase a recipient's events and suppression entries, and keep them suppressed.

    A tombstone, which is a keyed hash of the address, suppresses the recipient at once and keeps anything about them
    from being recorded, as by a replay. What is stored is erased after all functions that may not know the tombstone
    have ended: 16 minutes later. It is safe to interrupt the command, and to run it again. Counters stay: they name
    nobody. What cannot be erased is listed, with the day on which it is gone.

    Exit codes: 0 erased; 1 refused; 2 the deployment cannot be queried; 130 interrupted.

    Examples:

    - `aftersend forget reader@mail.example --env prod`

    - `aftersend forget reader@mail.example --env prod --account-list --note "request 4711"`

    - `aftersend forget reader@mail.example --env prod --undo`
    """
    recipient = address.lower()
    if recipient in note.lower():
        raise typer.BadParameter("--note must not contain the address: it is stored beside the tombstone.")
    with connected(env) as target:
        tombstones = deployed_tombstones(target.deployment)
        if undo:
            _undo(tombstones, recipient, env, yes)
            return
        if not yes and not confirm(f"Erase all data about {recipient} in {env}? It cannot be undone."):
            typer.echo("Nothing was erased.", err=True)
            raise typer.Exit(REFUSED)
        since = _suppress(tombstones, recipient, note)
        _wait_until(since if target.is_local else since + SETTLED)
        listed, erased = _erase(target, address, recipient, account_list)
        bucket = target.deployment.output("ArchiveBucketName")
        archive_days = days_until_removed(target.deployment.client("s3"), bucket)
    _print(erased, listed, remains(archive_days, datetime.now(UTC).date()), as_json)


def _suppress(tombstones: Tombstones, recipient: str, note: str) -> datetime:
    """Write the recipient's tombstone, unless there is one, and return since when there is."""
    if since := tombstones.since(recipient):
        return since
    now = datetime.now(UTC)
    tombstones.put(recipient, now, note)
    return now


def _undo(tombstones: Tombstones, recipient: str, env: str, yes: bool) -> None:
    if not tombstones.since(recipient):
        typer.echo("There is no tombstone of this recipient.", err=True)
        raise typer.Exit(REFUSED)
    if not yes and not confirm(f"Delete the tombstone of {recipient} in {env}, so that they can get mail again?"):
        raise typer.Exit(REFUSED)
    tombstones.delete(recipient)
    typer.echo("The tombstone was deleted. A replay of earlier events would record and count them again.")


def _wait_until(moment: datetime) -> None:
    seconds = (moment - datetime.now(UTC)).total_seconds()
    if seconds <= 0:
        return
    typer.echo(
        f"The recipient is suppressed. Their data is erased at {moment:%H:%M} UTC, when every function that may not "
        "know it has ended. If you interrupt this command, run it again later.",
        err=True,
    )
    try:
        time.sleep(seconds)
    except KeyboardInterrupt:
        typer.echo("Interrupted: nothing was erased. Run the command again.", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _erase(target: Target, address: str, recipient: str, account_list: bool) -> tuple[int, Erased]:
    """Erase at SES first: the tables have the spellings of the address that SES may have."""
    deployment = target.deployment
    tables = (deployment.output(f"{name}TableName") for name in ("Ledger", "Suppressions"))
    erasure = Erasure(deployment.client("dynamodb"), *tables)
    listed = 0
    if account_list:
        ses = target.account_list()
        with one_sentence(Unavailable, code=REFUSED, describe=lambda error: f"Nothing was erased yet. {error}"):
            for spelling in sorted({address} | erasure.spellings(recipient)):
                if ses.get(spelling):
                    ses.delete(spelling)
                    listed += 1
    return listed, erasure.erase(recipient)


def _print(erased: Erased, listed: int, kept: list[Remains], as_json: bool) -> None:
    if as_json:
        print_json({**erased._asdict(), "account_list": listed, "remains": [each._asdict() for each in kept]})
        return
    typer.echo(
        f"Erased: {erased.events:,} events, {erased.entries:,} suppression entries, {listed:,} addresses of SES's "
        "account suppression list. The recipient stays suppressed.\n\nThese still name them, and cannot be changed:"
    )
    for each in kept:
        typer.echo(f"- {each.place}: {f'gone by {each.gone_by}' if each.gone_by else 'they do not expire'}")
    typer.echo("- copies that you made elsewhere, such as exports and printed reports")
