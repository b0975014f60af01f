"""Connect a command to a deployment: the option --env, and one sentence for each error that ends the command."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Annotated, NamedTuple

import msgspec
import typer

from aftersend.aws.account_list import AccountList
from aftersend.aws.clients import PACE_SECONDS
from aftersend.aws.connection import find_deployment
from aftersend.aws.deployment import AWS_ERRORS, Deployment, Unavailable, describe_error, find_local_run, local_run_file
from aftersend.aws.ledger_table import Throttled
from aftersend.config import Environment, InvalidEnvironment, environment_names, load
from aftersend.ledger import NewerSchema

CANNOT_QUERY = 2
"""Exit code: the deployment cannot be queried."""

EnvironmentOption = Annotated[
    str, typer.Option("--env", metavar="NAME", help="The environment, as in environments/NAME.toml.")
]
OptionalEnvironmentOption = Annotated[
    str | None, typer.Option("--env", metavar="NAME", help="The environment, as in environments/NAME.toml.")
]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print CSV, for scripts.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print what would be done; do nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


class Target(NamedTuple):
    """A deployment and the environment file that it was deployed from."""

    deployment: Deployment
    environment: Environment | None
    """None if there is no file, as on a machine without the project."""

    @property
    def is_local(self) -> bool:
        return self.environment is not None and self.environment.is_emulated

    @property
    def pace_seconds(self) -> float:
        """Return the pause between calls of SES's API. The SES simulator needs none."""
        return 0.0 if self.is_local else PACE_SECONDS

    def account_list(self) -> AccountList:
        """Return SES's account suppression list."""
        return AccountList(self.deployment.client("sesv2"), pace_seconds=self.pace_seconds)


@contextmanager
def connected(name: str) -> Generator[Target]:
    """Find a deployment. Any error of it or of AWS, then or later, ends the command with one sentence."""
    try:
        yield _find(name)
    except (InvalidEnvironment, Unavailable) as error:
        sentence = str(error)
    except AWS_ERRORS as error:
        sentence = describe_error(error)
    except (msgspec.ValidationError, NewerSchema, Throttled) as error:
        sentence = f"A table cannot be read: {error}"
    else:
        return
    typer.echo(sentence, err=True)
    raise typer.Exit(CANNOT_QUERY)


@contextmanager
def one_sentence(*errors: type[Exception], code: int, describe: Callable[[Exception], str] = str) -> Generator[None]:
    """End the command with one sentence for these errors, which is their message if nothing else describes them."""
    try:
        yield
    except errors as error:
        typer.echo(describe(error), err=True)
        raise typer.Exit(code) from None


def _find(name: str) -> Target:
    if name not in environment_names():
        return Target(find_deployment(name), None)
    environment = load(name)
    local_run = find_local_run() if environment.is_emulated else None
    if environment.is_emulated and local_run is None:
        raise Unavailable(f"No local run is in progress (according to {local_run_file()}): start one with `make demo`.")
    deployment = find_deployment(name, account=environment.account, region=environment.region, local_run=local_run)
    return Target(deployment, environment)


def confirm(question: str) -> bool:
    """Ask on standard error, so that standard output stays JSON. Without an answer, the answer is no."""
    typer.echo(f"{question} [y/N] ", nl=False, err=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        typer.echo(err=True)
    return answer.strip().lower() in ("y", "yes")
