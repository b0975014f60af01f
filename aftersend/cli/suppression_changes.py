"""Implement `aftersend suppressions add` and `remove`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from aftersend.aws.suppression_editor import Deletion, Editor
from aftersend.cli.deployment import EnvironmentOption, JsonOption, YesOption, connected
from aftersend.cli.failure_output import print_json, printable
from aftersend.cli.suppression_editor import editor_of, refusals
from aftersend.cli.suppression_options import (
    REFUSED,
    SCOPE_OPTION,
    AddressArgument,
    DomainOption,
    RuleOption,
    ScopeOption,
    SinceOption,
    UntilOption,
    parse_address,
)
from aftersend.cli.suppression_removal import remove_selected
from aftersend.suppression import EVERYWHERE, Entry
from aftersend.suppression.explanation import describe_scope, verdict
from aftersend.suppression.selection import Selection

OperatorOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who does it. Default: the ARN of the AWS credentials.")
]
AddedScopeOption = Annotated[str, SCOPE_OPTION]
NoteOption = Annotated[str, typer.Option(metavar="TEXT", help="Why, for those who read it later.")]


def add(
    address: AddressArgument,
    env: EnvironmentOption,
    note: NoteOption,
    scope: AddedScopeOption = EVERYWHERE,
    operator: OperatorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Suppress an address until an operator removes it.

    Nothing automatic lifts what an operator has added. If an operator has added the address to the scope already,
    nothing changes.

    Exit codes: 0 suppressed, 1 refused, 2 the deployment cannot be queried.

    Example:

    - `aftersend suppressions add reader@mail.example --env prod --note 'asked by telephone'`
    """
    with connected(env) as target, refusals():
        editor = editor_of(target, operator, note)
        is_added = editor.add(address, scope)
        entries = editor.in_force(address, scope)
    _print_added(address, entries, as_json, is_added=is_added)


def _print_added(address: str, entries: list[Entry], as_json: bool, *, is_added: bool) -> None:
    if as_json:
        print_json({"address": address, "added": is_added, "scopes": [entry.scope for entry in entries]})
        return
    typer.echo(f"{printable(address)}: {'added' if is_added else 'an operator has added it before: nothing changed'}.")
    for entry in entries:
        typer.echo(verdict(entry, datetime.now(UTC)))


AccountListOption = Annotated[
    bool,
    typer.Option(
        "--account-list", help='Remove it from SES\'s account list as well, even if `account_list` is not "sync".'
    ),
]


def remove(
    env: EnvironmentOption,
    address: Annotated[
        str | None,
        typer.Argument(metavar="[ADDRESS]", parser=parse_address, help="An e-mail address.", show_default=False),
    ] = None,
    scope: ScopeOption = None,
    rule: RuleOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    domain: DomainOption = None,
    note: NoteOption = "",
    operator: OperatorOption = None,
    account_list: AccountListOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Remove an address from the suppression list, or all entries that `--rule`, `--since` and `--domain` select.

    Only events that happen after the removal suppress again. Without `--scope`, an address is removed from every scope.
    If `account_list` is "sync", it is also removed from SES's account list, in every known spelling.

    Many entries are counted first, and removed after a confirmation. If you stop it, run the same command again: it
    continues with those that are left. SES's account list follows within hours if `account_list` is "sync".

    Exit codes: 0 removed, or nothing to remove; 1 refused, or something has failed; 2 the deployment cannot be queried;
    130 interrupted.

    Examples:

    - `aftersend suppressions remove reader@mail.example --env prod --note 'mailbox was full'`

    - `aftersend suppressions remove --env prod --rule hard-bounce --since 2026-11-24T09 --domain mail.example`
    """
    selection = Selection(rule=rule, scope=scope, since=since, until=until, domain=domain)
    filters = rule or since or until or domain
    if bool(address) == bool(filters):
        raise typer.BadParameter("Name either an ADDRESS, or the entries with --rule, --since, --until or --domain.")
    with connected(env) as target, refusals():
        editor = editor_of(target, operator, note)
        if address:
            status = _remove_address(editor, address, scope, account_list, as_json)
        else:
            status = remove_selected(editor, selection, env, account_list=account_list, yes=yes, as_json=as_json)
    if status:
        raise typer.Exit(status)


def _remove_address(editor: Editor, address: str, scope: str | None, account_list: bool, as_json: bool) -> int:
    is_deleted = account_list or editor.recorder.policy.account_list == "sync"
    removed, deletion = editor.remove(address, scope, is_deleted=is_deleted)
    if as_json:
        scopes = [entry.scope for entry in removed]
        print_json({"address": address, "removed": scopes, "account_list": deletion._asdict()})
    else:
        _print_removed(address, removed, deletion)
    for problem in deletion.problems:
        typer.echo(f"SES's account list: {problem}", err=True)
    return REFUSED if deletion.problems and is_deleted else 0


def _print_removed(address: str, removed: list[Entry], deletion: Deletion) -> None:
    if not removed:
        typer.echo(f"{printable(address)} is not suppressed: nothing was removed.")
    for entry in removed:
        typer.echo(f"{printable(address)}: removed; it was suppressed {describe_scope(entry.scope)} by {entry.rule}.")
    for spelling in deletion.deleted:
        typer.echo(f"SES's account list: {printable(spelling)} was removed.")
    for spelling in deletion.kept:
        typer.echo(
            f"SES's account list still has {printable(spelling)}: SES does not deliver to it. Remove it with "
            "--account-list."
        )
