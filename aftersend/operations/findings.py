"""Describe what is wrong with a deployed environment."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any

import msgspec

Answer = Mapping[str, Any]
"""A response of a service, as boto3 returns it."""
Answers = Mapping[str, Answer | None]
"""Responses by the name of the resource; None if it no longer exists."""


class Weight(StrEnum):
    """Name how severe a finding is, the most severe first."""

    CRITICAL = "critical"
    """Mail is not sent, or events do not arrive."""
    WARNING = "warning"
    """There are failed records, something is about to fail, or a failure would stay unnoticed."""
    NOTICE = "notice"
    """It ends by itself, or may be intended."""


class Finding(msgspec.Struct, frozen=True):
    """A problem of a deployed environment, with its fix."""

    weight: Weight
    problem: str
    fix: str
    """Its `$env` stands for the name of the environment."""
    check: str = ""
    """The id of the check that found it."""


class SkippedCheck(msgspec.Struct, frozen=True):
    """A check that was not made, with the reason."""

    check: str
    reason: str
    is_refused: bool
    """Whether the query failed; otherwise the check does not apply here."""


critical = partial(Finding, Weight.CRITICAL)
warning = partial(Finding, Weight.WARNING)
notice = partial(Finding, Weight.NOTICE)

DEPLOY = "Deploy the environment: `make deploy ENV=$env`."
RESTORE = "It was changed outside the stacks. Restore it: `cdk deploy --all --revert-drift -c env=$env`."
"""CloudFormation changes nothing while the template stays the same, unless it looks for drift."""
DEPLOY_OR_RESTORE = f"{DEPLOY} If that changes nothing: {RESTORE[0].lower()}{RESTORE[1:]}"


def by_weight(findings: list[Finding]) -> list[Finding]:
    """Sort findings, the most severe first; those of one weight stay in the order of their checks."""
    return sorted(findings, key=lambda finding: list(Weight).index(finding.weight))


def quantity(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def format_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
