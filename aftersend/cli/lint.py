"""Implement `aftersend lint`: find mistakes in environments and estimate their cost."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from aftersend.config import (
    ENVIRONMENTS_FOLDER,
    Environment,
    Finding,
    InvalidEnvironment,
    display_path,
    environment_names,
    estimate_cost,
    findings,
    format_estimate,
    load,
)

Messages = Annotated[
    int | None, typer.Option(min=0, help="Messages a month to estimate the cost of, instead of `monthly_messages`.")
]


class Report(msgspec.Struct):
    """Hold the findings and the cost of an environment: a line of `--json`."""

    environment: str
    file: str
    errors: list[str] = []
    """Mistakes because of which the file cannot be loaded, each with the file, the key and the fix."""
    findings: list[Finding] = []
    cost: dict[str, Any] | None = None
    """Null for an environment of the emulator and one that cannot be loaded."""


def lint(
    environments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ENV", help="Names of environments. Default: all in the folder.", show_default=False),
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="The folder with the environment files.", show_default="environments/")
    ] = ENVIRONMENTS_FOLDER,
    messages: Messages = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each environment.")] = False,
) -> None:
    """Find mistakes in environments, and estimate their monthly cost.

    Reports what would go wrong in production. `cdk synth` reports the same. This command deploys nothing and does not
    call AWS. The exit code is 1 if there are findings.

    To accept a warning, add it with a reason to the table `[accepted_findings]` of the environment file, for example
    `tracking-enabled = "readers gave their consent"`.
    """
    console = Console(highlight=False, soft_wrap=True)
    has_findings = False
    for name in environments or environment_names(folder) or [""]:
        report, environment = _check(name, folder, messages)
        has_findings |= bool(report.errors or report.findings)
        if as_json:
            typer.echo(msgspec.json.encode(report))
        else:
            _print(report, environment, console)
    if has_findings:
        raise typer.Exit(1)


def _check(name: str, folder: Path, messages: int | None) -> tuple[Report, Environment | None]:
    report = Report(name, display_path(folder / f"{name}.toml"))
    try:
        environment = load(name, folder)
    except InvalidEnvironment as error:
        report.errors = str(error).splitlines()
        return report, None
    if messages is not None:
        environment = msgspec.structs.replace(environment, monthly_messages=messages)
    report.findings = findings(environment)
    if not environment.is_emulated:
        report.cost = estimate_cost(environment)
    return report, environment


def _print(report: Report, environment: Environment | None, console: Console) -> None:
    """Print the findings and the cost of an environment for people."""
    console.print(Text(report.environment, "bold"))
    for error in report.errors:
        console.print(Text.assemble(("  error ", "bold red"), error))
    for finding in report.findings:
        console.print(_format_finding(report.file, finding))
    if not report.errors and not report.findings:
        console.print(Text("  no findings", "green"))
    if not all(finding.is_error for finding in report.findings):
        hint = "  To accept a warning, add it with a reason to [accepted_findings] in the environment file."
        console.print(Text(hint, "dim"))
    if environment and report.cost:
        lines = format_estimate(environment).splitlines()
        console.print(Text("".join(f"  {line}\n" for line in lines), "dim"))


def _format_finding(file: str, finding: Finding) -> Text:
    severity, style = ("  error ", "bold red") if finding.is_error else ("  warning ", "bold yellow")
    text = f"{file}: {finding.key}: {finding.problem}\n          {finding.fix} "
    return Text.assemble((severity, style), text, (f"[{finding.id}]", "dim"))
