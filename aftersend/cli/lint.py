"""`aftersend lint`: what would go wrong with environments, and what they would cost."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from aftersend.config import cost
from aftersend.config.lint import Finding, findings
from aftersend.config.loader import FOLDER, InvalidEnvironment, load, names


def lint(
    environments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ENV", help="Names of environments; all there are, if none.", show_default=False),
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where their files are.", show_default="environments/")] = FOLDER,
) -> None:
    """Tell what would go wrong with an environment in production, and what it would cost a month.

    The same is told whenever `cdk` synthesises it; nothing is deployed or asked of AWS here. The exit code is 1 where
    anything is found. What is meant so is accepted in the file, with a reason: below `[accepted_findings]` a line as in
    `tracking-enabled = "readers are asked first"`.
    """
    console = Console(highlight=False, soft_wrap=True)
    found_any = False
    for name in environments or names(folder) or [""]:
        console.print(Text(name, "bold"))
        try:
            environment = load(name, folder)
        except InvalidEnvironment as error:
            found_any = True
            for line in str(error).splitlines():
                console.print(Text.assemble(("  error ", "bold red"), line))
            continue
        for finding in (found := findings(environment)):
            console.print(_shown(finding))
        if not all(finding.is_error for finding in found):
            console.print(Text("  What is meant so is accepted in the file, below [accepted_findings].", "dim"))
        found_any |= bool(found)
        if not found:
            console.print(Text("  nothing found", "green"))
        if not environment.is_emulated:
            console.print(
                Text("".join(f"  {line}\n" for line in cost.format_estimate(environment).splitlines()), "dim")
            )
    if found_any:
        raise typer.Exit(1)


def _shown(finding: Finding) -> Text:
    word, style = ("  error ", "bold red") if finding.is_error else ("  warning ", "bold yellow")
    said = f"{finding.key}: {finding.problem}\n          {finding.fix} "
    return Text.assemble((word, style), said, (f"[{finding.id}]", "dim"))
