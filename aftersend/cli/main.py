"""Define the command `aftersend` and its subcommands."""

from importlib.metadata import version
from typing import Annotated

import typer

from aftersend.cli import failures, suppressions, tags, tags_check
from aftersend.cli.dashboard import dashboard
from aftersend.cli.doctor import doctor
from aftersend.cli.feedback import feedback
from aftersend.cli.forget import forget
from aftersend.cli.inspect import inspect
from aftersend.cli.lint import lint
from aftersend.cli.recount import recount
from aftersend.cli.replay import replay
from aftersend.cli.report import report
from aftersend.cli.resume import resume
from aftersend.cli.send import send
from aftersend.cli.status import status

app = typer.Typer(
    name="aftersend",
    help="Turn Amazon SES events into suppression lists and counters per message tag.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
for command in (dashboard, doctor, feedback, forget, inspect, lint, recount, replay, status, resume, send, report):
    app.command()(command)
app.add_typer(failures.app, name="failures")
app.add_typer(suppressions.app, name="suppressions")
app.add_typer(tags.app, name="tags")
tags.app.command()(tags_check.check)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"aftersend {version('aftersend')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass
