"""Implement `aftersend suppressions explain`: why a recipient is suppressed, and what would lift it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import msgspec
import typer

from aftersend.aws.account_list import AccountList, Unavailable
from aftersend.aws.deployed_recorder import deployed_hash_key, deployed_ledger, deployed_settings, deployed_suppressions
from aftersend.aws.deployment import AWS_ERRORS, Deployment, describe_error
from aftersend.aws.listed_spellings import Spelling, listed_spellings
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.cli.deployment import EnvironmentOption, JsonOption, Target, connected
from aftersend.cli.failure_output import print_json, printable
from aftersend.cli.suppression_options import SUPPRESSED, AddressArgument
from aftersend.recipient_hash import keyed_hash
from aftersend.suppression import Entry
from aftersend.suppression.explanation import (
    FORGOTTEN,
    Moment,
    describe_event,
    format_time,
    lifted_when,
    spellings,
    timeline,
    verdict,
)

MAX_MOMENTS = 100
"""Events of the timeline that are printed by default."""


class Explanation(NamedTuple):
    """Everything that is known about a recipient."""

    entries: list[Entry]
    moments: list[Moment]
    is_forgotten: bool | None
    """None if it cannot be determined."""
    problem: str | None
    """Why it cannot be determined."""
    listed: list[Spelling]
    is_sandbox: bool | None
    now: datetime

    @property
    def is_suppressed(self) -> bool:
        return bool(self.is_forgotten) or any(entry.is_in_force(self.now) for entry in self.entries)


def add_commands(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command()(explain)


def explain(
    address: AddressArgument,
    env: EnvironmentOption,
    events: Annotated[int, typer.Option(min=0, help="How many events are printed, the newest.")] = MAX_MOMENTS,
    as_json: JsonOption = False,
) -> None:
    """Explain why an address is suppressed, or is not.

    Prints a verdict for each scope, what would lift it, what SES's account suppression list has, and the recipient's
    events, the newest last, each with the rule that it matches. `*` marks the events that an entry is based on.
    `--json` has every event with all its fields.

    Exit codes: 0 not suppressed, 1 suppressed in a scope, 2 the deployment cannot be queried.

    Example:

    - `aftersend suppressions explain reader@mail.example --env prod`
    """
    with connected(env) as target:
        explanation = _explanation(target, address)
    if as_json:
        print_json(_values(address, explanation))
    else:
        _print(address, explanation, events)
    if explanation.is_suppressed:
        raise typer.Exit(SUPPRESSED)


def _explanation(target: Target, address: str) -> Explanation:
    deployment, recipient, now = target.deployment, address.lower(), datetime.now(UTC)
    settings, suppressions = deployed_settings(deployment), deployed_suppressions(deployment)
    entries = [*suppressions.entries_of(recipient).values()]
    events = deployed_ledger(deployment, settings).events_for(recipient)
    is_forgotten, problem = _is_forgotten(deployment, suppressions, recipient)
    account_list = target.account_list()
    return Explanation(
        entries=sorted(entries, key=lambda entry: (not entry.is_in_force(now), entry.scope)),
        moments=timeline(events, entries, settings.policy),
        is_forgotten=is_forgotten,
        problem=problem,
        listed=list(listed_spellings(account_list, spellings(address, entries, events))),
        is_sandbox=_is_sandbox(account_list),
        now=now,
    )


def _is_forgotten(
    deployment: Deployment, suppressions: SuppressionsTable, recipient: str
) -> tuple[bool | None, str | None]:
    try:
        key = deployed_hash_key(deployment)
    except AWS_ERRORS as error:
        return None, describe_error(error)
    return bool(suppressions.forgotten_among([keyed_hash(recipient, key)])), None


def _is_sandbox(account_list: AccountList) -> bool | None:
    try:
        return not account_list.can_be_changed()
    except (Unavailable, *AWS_ERRORS):
        return None


def _values(address: str, explanation: Explanation) -> dict[str, Any]:
    """Return the explanation as values of JSON."""
    scopes = [
        {
            "scope": entry.scope,
            "in_force": entry.is_in_force(explanation.now),
            "verdict": verdict(entry, explanation.now),
            "lifted_when": lifted_when(entry) if entry.is_in_force(explanation.now) else None,
            "entry": msgspec.to_builtins(entry),
        }
        for entry in explanation.entries
    ]
    account_list = {
        "sandbox": explanation.is_sandbox,
        "spellings": [
            {
                "address": each.address,
                "listed": each.listed is not None if each.problem is None else None,
                "reason": each.listed and each.listed.reason,
                "since": each.listed and each.listed.updated_at,
                "problem": each.problem,
            }
            for each in explanation.listed
        ],
    }
    return {
        "address": address,
        "suppressed": explanation.is_suppressed,
        "forgotten": explanation.is_forgotten,
        "scopes": scopes,
        "account_list": account_list,
        "events": [msgspec.to_builtins(moment) for moment in explanation.moments],
    }


def _print(address: str, explanation: Explanation, limit: int) -> None:
    typer.echo(printable(address))
    for line in (*_verdicts(explanation), *_account_list(explanation)):
        typer.echo(printable(line))
    moments = explanation.moments
    if not moments:
        typer.echo("\nNo events of this address are recorded.")
        return
    shown = moments[len(moments) - limit :] if limit < len(moments) else moments
    left_out = f", of which the newest {len(shown):,} are shown" if len(shown) < len(moments) else ""
    typer.echo(f"\n{len(moments):,} event{'s' * (len(moments) != 1)}{left_out}:")
    for line in map(_moment, shown):
        typer.echo(printable(line))


def _verdicts(explanation: Explanation) -> Iterable[str]:
    if explanation.is_forgotten:
        yield FORGOTTEN
    if not explanation.is_suppressed:
        yield f"Not suppressed: there is no entry {'in force' if explanation.entries else 'for this address'}."
    if explanation.problem:
        yield f"Whether the recipient was forgotten cannot be determined: {explanation.problem}"
    for entry in explanation.entries:
        yield verdict(entry, explanation.now)
        if entry.is_in_force(explanation.now):
            yield f"  Lifted by: {lifted_when(entry)}"
        if entry.who:
            yield f"  By {entry.who}: {entry.note or 'no note'}"


def _account_list(explanation: Explanation) -> Iterable[str]:
    yield from map(_listed, explanation.listed)
    if explanation.is_sandbox:
        yield "The account is in the SES sandbox: nothing can be added to SES's account list."


def _listed(spelling: Spelling) -> str:
    if spelling.problem:
        return f"SES's account list cannot be read: {spelling.problem}"
    if spelling.listed is None:
        return f"SES's account list does not have {spelling.address}."
    reason, since = spelling.listed.reason, format_time(spelling.listed.updated_at)
    return f"SES's account list has {spelling.address}: {reason} since {since}."


def _moment(moment: Moment) -> str:
    event, mark = moment.event, "*" if moment.is_evidence else " "
    rule = f"[{moment.rule}: {moment.effect}]" if moment.rule else ""
    words = (f"{mark} {format_time(event.occurred_at)}", event.kind, describe_event(event), rule)
    return "  ".join(filter(None, words))
