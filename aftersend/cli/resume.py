"""Implement `aftersend resume`: let a configuration set that the guard has paused send again."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from aftersend.aws.guard_states import GuardStates
from aftersend.aws.sending_switch import SendingSwitch
from aftersend.cli.deployment import CANNOT_QUERY, EnvironmentOption, Target, YesOption, confirm, connected
from aftersend.cli.suppression_changes import OperatorOption
from aftersend.cli.suppression_editor import operator_of
from aftersend.cli.suppression_options import REFUSED
from aftersend.metrics.guard import GuardState, resumed

SetArgument = Annotated[str, typer.Argument(metavar="SET", help="The configuration set.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why it may send again; it is stored.")]


def resume(
    configuration_set: SetArgument,
    env: EnvironmentOption,
    reason: ReasonOption,
    operator: OperatorOption = None,
    yes: YesOption = False,
) -> None:
    """Let a configuration set that the guard has paused send again.

    Stores who resumed it and why, then enables sending at SES. Mail sent before the next full hour no longer counts for
    the guard. If it is interrupted, run it again.

    Exit codes: 0 sending is enabled, or the guard has not paused it; 1 refused; 2 the deployment cannot be queried.

    Example:

    - `aftersend resume newsletter --env prod --reason "the bought list is deleted"`
    """
    with connected(env) as target:
        _check_name(target, configuration_set, env)
        states = GuardStates(target.deployment.client("dynamodb"), target.deployment.output("CountersTableName"))
        switch = SendingSwitch(target.deployment.client("sesv2"), pace_seconds=target.pace_seconds)
        state, enabled = states.get(configuration_set), switch.is_enabled(configuration_set)
        if not state.is_paused and not _is_interrupted(target, configuration_set, state, enabled=enabled):
            typer.echo(_not_paused(configuration_set, enabled=enabled))
            return
        typer.echo(f"The guard paused {configuration_set} at {state.paused_at:%Y-%m-%d %H:%M} UTC: {state.reason}")
        if not yes and not confirm(f"Resume sending with {configuration_set} in {env}?"):
            raise typer.Exit(REFUSED)
        # Stored first: a run of the guard in between would pause the set again.
        resumption = resumed(state, datetime.now(UTC), operator_of(target.deployment, operator), reason)
        if not states.replace(configuration_set, state, resumption):
            typer.echo(f"Somebody else has just changed the state of {configuration_set}: run it again.", err=True)
            raise typer.Exit(REFUSED)
        switch.set(configuration_set, enabled=True)
        typer.echo(f"Resumed. Mail sent from {resumption.judged_since:%H:%M} UTC counts for the guard.")
        if _is_stopped_by_file(target, configuration_set):
            typer.echo(
                f"The file of {env} has sending_enabled = false for it: the next deployment that changes it "
                "stops its sending. Remove the key to let it send.",
                err=True,
            )


def _check_name(target: Target, name: str, env: str) -> None:
    """End the command if the environment has no such configuration set."""
    if target.environment and name not in target.environment.configuration_sets:
        names = ", ".join(sorted(target.environment.configuration_sets))
        typer.echo(f"{env} has no configuration set {name}. Valid ones: {names}.", err=True)
        raise typer.Exit(CANNOT_QUERY)


def _is_interrupted(target: Target, name: str, state: GuardState, *, enabled: bool) -> bool:
    """Tell whether an earlier command was killed before it enabled sending."""
    return state.resumed_at is not None and not enabled and not _is_stopped_by_file(target, name)


def _is_stopped_by_file(target: Target, name: str) -> bool:
    return bool(target.environment) and not target.environment.configuration_sets[name].sending_enabled


def _not_paused(name: str, *, enabled: bool) -> str:
    if enabled:
        return f"The guard has not paused {name}, and SES sends with it."
    return (
        f"The guard has not paused {name}: its sending was stopped by sending_enabled = false or at SES. To enable it: "
        f"aws sesv2 put-configuration-set-sending-options --configuration-set-name {name} --sending-enabled"
    )
