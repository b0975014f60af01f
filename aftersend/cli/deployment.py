"""What the commands that ask a deployment share: the option --env, and a sentence for whatever stops them."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, NamedTuple

import typer

from aftersend.aws.deployment import (
    AWS_ERRORS,
    Deployment,
    Unavailable,
    describe_error,
    find_deployment,
    find_local_run,
    local_run_file,
)
from aftersend.config.environment import Environment
from aftersend.config.loader import InvalidEnvironment, environment_names, load

CANNOT_ASK = 2
"""Exit code: the deployment could not be asked."""

EnvironmentOption = Annotated[
    str, typer.Option("--env", metavar="NAME", help="The environment, as in environments/NAME.toml.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


class Target(NamedTuple):
    deployment: Deployment
    environment: Environment | None
    """What its file says; None where there is no file, as on a machine without the project."""


@contextmanager
def connected(name: str) -> Generator[Target]:
    """Find a deployment. Whatever keeps it from being asked, then or later, ends the command with one sentence."""
    try:
        yield _find(name)
    except (InvalidEnvironment, Unavailable) as error:
        sentence = str(error)
    except AWS_ERRORS as error:
        sentence = describe_error(error)
    else:
        return
    typer.echo(sentence, err=True)
    raise typer.Exit(CANNOT_ASK)


def _find(name: str) -> Target:
    if name not in environment_names():
        return Target(find_deployment(name), None)
    environment = load(name)
    local_run = find_local_run() if environment.is_emulated else None
    if environment.is_emulated and local_run is None:
        raise Unavailable(f"There is no local run (by {local_run_file()}): start one with `make demo`.")
    deployment = find_deployment(name, account=environment.account, region=environment.region, local_run=local_run)
    return Target(deployment, environment)


def confirm(question: str) -> bool:
    """Ask on standard error, so that standard output stays JSON; where nobody answers, the answer is no."""
    typer.echo(f"{question} [y/N] ", nl=False, err=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        typer.echo(err=True)
    return answer.strip().lower() in ("y", "yes")
