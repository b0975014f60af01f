"""Implement `aftersend suppressions explain`: why a recipient is suppressed, and what would lift it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer

from aftersend.aws.account_list import AccountList, Unavailable
from aftersend.aws.deployment import AWS_ERRORS
from aftersend.aws.recipient_explanation import explain_deployed
from aftersend.cli.deployment import EnvironmentOption, JsonOption, Target, connected
from aftersend.cli.failure_output import print_json, printable
from aftersend.cli.suppression_options import SUPPRESSED, AddressArgument
from aftersend.operations.explanation import Explanation, describe_spelling
from aftersend.operations.findings import quantity
from aftersend.suppression.explanation import FORGOTTEN, Moment, describe_event, format_time, lifted_when, verdict

MAX_MOMENTS = 100
"""Events of the timeline that are printed by default."""


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
    account_list = target.account_list()
    explanation = explain_deployed(target.deployment, address, account_list, datetime.now(UTC))
    return explanation._replace(is_sandbox=_is_sandbox(account_list))


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
    typer.echo(f"\n{quantity(len(moments), 'event')}{left_out}:")
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
    yield from map(describe_spelling, explanation.listed)
    if explanation.is_sandbox:
        yield "The account is in the SES sandbox: nothing can be added to SES's account list."


def _moment(moment: Moment) -> str:
    event, mark = moment.event, "*" if moment.is_evidence else " "
    rule = f"[{moment.rule}: {moment.effect}]" if moment.rule else ""
    words = (f"{mark} {format_time(event.occurred_at)}", event.kind, describe_event(event), rule)
    return "  ".join(filter(None, words))
