"""Implement `aftersend lint`: find mistakes in environments and estimate what they cost."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from aftersend.config import (
    ENVIRONMENTS_FOLDER,
    Finding,
    InvalidEnvironment,
    environment_names,
    findings,
    format_estimate,
    load,
)


def lint(
    environments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ENV", help="Names of environments. Default: all in the folder.", show_default=False),
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="The folder with the environment files.", show_default="environments/")
    ] = ENVIRONMENTS_FOLDER,
) -> None:
    """Find mistakes in environments, and estimate what they cost a month.

    Reports what would go wrong in production. `cdk synth` reports the same. This command deploys nothing and does not
    call AWS. The exit code is 1 if it finds any.

    To accept a warning, add it with a reason to the table `[accepted_findings]` of the environment file, for example
    `tracking-enabled = "readers gave their consent"`.
    """
    console = Console(highlight=False, soft_wrap=True)
    results = [_lint_environment(name, folder, console) for name in environments or environment_names(folder) or [""]]
    if not all(results):
        raise typer.Exit(1)


def _lint_environment(name: str, folder: Path, console: Console) -> bool:
    """Print the findings and the cost of an environment, and tell whether it has no findings."""
    console.print(Text(name, "bold"))
    try:
        environment = load(name, folder)
    except InvalidEnvironment as error:
        for line in str(error).splitlines():
            console.print(Text.assemble(("  error ", "bold red"), line))
        return False
    reported = findings(environment)
    for finding in reported:
        console.print(_format_finding(finding))
    if not reported:
        console.print(Text("  no findings", "green"))
    if not all(finding.is_error for finding in reported):
        hint = "  To accept a warning, add it with a reason to [accepted_findings] in the environment file."
        console.print(Text(hint, "dim"))
    if not environment.is_emulated:
        lines = format_estimate(environment).splitlines()
        console.print(Text("".join(f"  {line}\n" for line in lines), "dim"))
    return not reported


def _format_finding(finding: Finding) -> Text:
    severity, style = ("  error ", "bold red") if finding.is_error else ("  warning ", "bold yellow")
    text = f"{finding.key}: {finding.problem}\n          {finding.fix} "
    return Text.assemble((severity, style), text, (f"[{finding.id}]", "dim"))
