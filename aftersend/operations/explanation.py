"""Hold everything that is known about a recipient, for those who ask why mail to them is suppressed. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from aftersend.account_list import Spelling
from aftersend.suppression import Entry
from aftersend.suppression.explanation import Moment, format_time


class Explanation(NamedTuple):
    """Everything that is known about a recipient."""

    entries: Sequence[Entry]
    """Those in force first."""
    moments: Sequence[Moment]
    """The newest last."""
    is_forgotten: bool | None
    """None if it cannot be determined."""
    problem: str | None
    """Why it cannot be determined."""
    listed: Sequence[Spelling]
    now: datetime
    is_sandbox: bool | None = None
    """None if it is not known."""

    @property
    def is_suppressed(self) -> bool:
        return bool(self.is_forgotten) or any(entry.is_in_force(self.now) for entry in self.entries)

    @property
    def in_force(self) -> Sequence[Entry]:
        return [entry for entry in self.entries if entry.is_in_force(self.now)]


def describe_spelling(spelling: Spelling) -> str:
    """Return what SES's account list has about a spelling, as a sentence."""
    if spelling.problem:
        return f"SES's account list cannot be read: {spelling.problem}"
    if spelling.listed is None:
        return f"SES's account list does not have {spelling.address}."
    reason, since = spelling.listed.reason, format_time(spelling.listed.updated_at)
    return f"SES's account list has {spelling.address}: {reason} since {since}."
