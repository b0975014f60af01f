"""Implement `aftersend doctor`: check a deployed environment, and print each problem with its fix."""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from aftersend.aws.deployment import AWS_ERRORS, Unavailable, describe_error
from aftersend.aws.observer import NoFile, Observer, is_gone
from aftersend.cli.deployment import CANNOT_QUERY, EnvironmentOption, JsonOption, Target, connected
from aftersend.cli.doctor_checks import CHECKS, Check
from aftersend.cli.failure_output import print_json, printable
from aftersend.operations.findings import RESTORE, Finding, SkippedCheck, by_weight, critical

HAS_FINDINGS = 1
"""Exit code: there are problems."""


def doctor(env: EnvironmentOption, as_json: JsonOption = False) -> None:
    """Check a deployed environment, and print each problem with its fix, the most severe first.

    This changes nothing. If a check fails, its name and the reason are printed, and the others continue. It takes some
    seconds, one more for each identity and two for each configuration set: SES allows one request per second.

    Exit codes: 0 no problems, 1 problems, 2 no problems, but not everything could be queried.

    Examples:

    - `aftersend doctor --env prod`

    - `aftersend doctor --env prod --json | jq -r '.findings[] | select(.weight == "critical").problem'`
    """
    with connected(env) as target:
        findings, skipped = examine(target)
    made = len(CHECKS) - len(skipped)
    if as_json:
        lists = {"findings": findings, "skipped": skipped}
        print_json({"environment": env, "checks": made, **msgspec.to_builtins(lists)})
    else:
        _print(findings, skipped, made)
    if findings or any(each.is_refused for each in skipped):
        raise typer.Exit(HAS_FINDINGS if findings else CANNOT_QUERY)


def examine(target: Target) -> tuple[list[Finding], list[SkippedCheck]]:
    """Make all checks; return their findings, the most severe first, and the checks that were skipped."""
    findings: list[Finding] = []
    skipped: list[SkippedCheck] = []
    observer = Observer(target.deployment, target.environment, datetime.now(UTC))
    columns = (SpinnerColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(CHECKS))
        for check in CHECKS:
            progress.update(task, description=check.question)
            for result in _run_check(check, observer):
                if isinstance(result, SkippedCheck):
                    skipped.append(result)
                else:
                    fix = result.fix.replace("$env", target.deployment.name)
                    findings.append(msgspec.structs.replace(result, check=check.id, fix=fix))
            progress.advance(task)
    return by_weight(findings), skipped


def _run_check(check: Check, observer: Observer) -> Iterable[Finding | SkippedCheck]:
    """Make a check; return its findings, or the reason why it was skipped."""
    if observer.is_local and check.emulator_lacks:
        return [SkippedCheck(check.id, check.emulator_lacks, is_refused=False)]
    try:
        return list(check.examine(observer))
    except Unavailable as error:
        return [SkippedCheck(check.id, str(error), is_refused=not isinstance(error, NoFile))]
    except (*AWS_ERRORS, ValueError) as error:  # msgspec's are ValueErrors: an object of the bucket is damaged
        if is_gone(error):
            return [critical(f"Something that was deployed is gone: {error}", RESTORE)]
        return [SkippedCheck(check.id, describe_error(error), is_refused=True)]


def _print(findings: list[Finding], skipped: list[SkippedCheck], made: int) -> None:
    for finding in findings:
        typer.echo(f"{finding.weight.upper()} {finding.check}: {_line(finding.problem)}\n    {_line(finding.fix)}")
    if not findings:
        typer.echo(f"Nothing found: {made} checks.")
    reasons: dict[str, list[str]] = {}
    for each in skipped:
        reasons.setdefault(each.reason, []).append(each.check)
    for reason, checks in reasons.items():
        typer.echo(f"Skipped ({', '.join(checks)}): {_line(reason)}")


def _line(text: str) -> str:
    return printable(" ".join(text.split()))
