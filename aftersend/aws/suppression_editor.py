"""Change the suppression list of a deployment, and SES's account list with it, in the name of an operator."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from aftersend.aws.account_list import AccountList, Unavailable
from aftersend.aws.deployment import AWS_ERRORS, describe_error
from aftersend.aws.listed_spellings import listed_spellings
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.events import ADDED, REMOVED
from aftersend.recorder import Incomplete, RecipientForgotten, Recorder, Undecided
from aftersend.suppression import EVERYWHERE, Entry
from aftersend.suppression.explanation import spellings

REFUSALS = (Incomplete, RecipientForgotten, Undecided, ValueError)
"""What the recorder raises about one recipient. The messages have no address."""


def describe_refusal(error: Exception) -> str:
    """Return what became of an act about which the recorder raised one of REFUSALS, as a sentence."""
    if isinstance(error, Incomplete):  # of one act, the event is written before its recipient is decided about
        return f"It may be recorded, and the suppression list was not changed: {error} Repeat it."
    return f"It was not recorded: {error}"


class Deletion(NamedTuple):
    """What became of the spellings of an address that SES's account list has."""

    deleted: list[str]
    kept: list[str]
    problems: list[str]


class Removal(NamedTuple):
    """What an operator's removal lifted, and what became of the address on SES's account list."""

    removed: list[Entry]
    deletion: Deletion


class Editor(NamedTuple):
    """Record operators' acts, and delete addresses from SES's account list."""

    recorder: Recorder
    suppressions: SuppressionsTable
    account_list: AccountList
    operator: str
    note: str

    def record(self, kind: str, address: str, scope: str) -> None:
        """Record that the operator adds or removes an address."""
        self.recorder.record_operator_act(kind, address, self.operator, self.note, scope)

    def add(self, address: str, scope: str) -> bool:
        """Add an address; return False if an operator has added it before, so that nothing changes."""
        is_added = not any(entry.reason == "operator" for entry in self.in_force(address, scope))
        if is_added:
            self.record(ADDED, address, scope)
        return is_added

    def remove(self, address: str, scope: str | None, *, is_deleted: bool) -> Removal:
        """Remove an address from one scope or all; delete it from SES's account list where that is wanted."""
        known = self.spellings(address)
        removed = self.in_force(address, scope)
        for entry in removed:
            self.record(REMOVED, address, entry.scope)
        listed = known if scope in (None, EVERYWHERE) else []
        return Removal(removed, self.delete_listed(listed, is_deleted=is_deleted))

    def in_force(self, address: str, scope: str | None) -> list[Entry]:
        """Return the entries of an address that are in force: that of one scope, or all."""
        now, entries = datetime.now(UTC), self.suppressions.entries_of(address.lower())
        return [each for each in entries.values() if each.is_in_force(now) and scope in (None, each.scope)]

    def spellings(self, address: str) -> list[str]:
        """Return every known spelling of an address, the one given first."""
        recipient = address.lower()
        entries = [*self.suppressions.entries_of(recipient).values()]
        events = self.recorder.ledger.feedback_for(recipient).events
        return spellings(address, entries, events)

    def delete_listed(self, addresses: Iterable[str], *, is_deleted: bool) -> Deletion:
        """Delete those addresses that SES's account list has, or only return which it has."""
        deletion = Deletion([], [], [])
        for spelling in listed_spellings(self.account_list, addresses):
            problem = spelling.problem
            if spelling.listed and is_deleted:
                problem = self._delete(spelling.address)
            if problem and problem not in deletion.problems:
                deletion.problems.append(problem)
            elif spelling.listed and not problem:
                (deletion.deleted if is_deleted else deletion.kept).append(spelling.address)
        return deletion

    def _delete(self, address: str) -> str | None:
        """Delete an address from SES's account list; return what prevents it."""
        try:
            self.account_list.delete(address)
        except Unavailable as error:
            return str(error)
        except AWS_ERRORS as error:
            return describe_error(error)
        return None
