"""Define the suppression entry: the state of one recipient in one scope, as senders and operators read it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from aftersend.events import Event
from aftersend.ledger import checked

EVERYWHERE = "*"
"""The scope of an entry that applies to every message."""

SCOPE = re.compile(r"\*|(?:stream|list)#[^/#]{1,256}|topic#[^/#]{1,256}/[^/#]{1,256}")
"""How scopes are spelled: every message, a stream, a contact list, a topic of one."""

REASONS = ("operator", "bounce", "complaint", "subscription")
"""Why an entry is in force. Where several apply, the one named first is stored: it is harder to lift."""

ENDED, WITHDRAWN = "ended", "withdrawn"
"""What lifts an entry where no event does: its time has passed, or the events no longer call for it, because the policy
has changed or a better copy of an event belongs to another scope."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Describe whether and why a recipient is suppressed in one scope.

    A lifted entry stays in the table with an end, so that its history and its version stay too.
    """

    recipient: str
    scope: str = EVERYWHERE
    reason: str
    """One of REASONS."""
    rule: str
    """The id of the rule that suppressed."""
    since: datetime | None = None
    """When the event that suppressed occurred, if that is known."""
    until: datetime | None = None
    """When the entry ended or will end; None while it is in force until lifted."""
    lifted_by: str | None = None
    """The id of the rule that lifted it, ENDED or WITHDRAWN."""
    who: str | None = None
    """The operator who suppressed or lifted, where one did."""
    note: str | None = None
    """Why they did."""
    recipient_raw: str | None = None
    """The address as SES spelled it: the account suppression list is case-sensitive."""
    evidence: list[Event] = []
    """The events the entry is based on, enough to decide again when the ledger has expired them."""
    decided_from: str = ""
    """Digest of every event that was decided from. Without it, of two concurrent decisions the one that saw fewer
    events could equal the other and be taken for it."""
    version: int = 0
    """How many times the entry was written; the condition of the next write."""

    def is_equivalent(self, other: "Entry") -> bool:
        """Tell whether two entries are equal but for their versions."""
        return msgspec.structs.replace(self, version=0) == msgspec.structs.replace(other, version=0)

    @property
    def is_temporary(self) -> bool:
        """Tell whether time alone ends the entry, or has ended it without a decision since."""
        return self.until is not None and self.lifted_by is None

    def is_in_force(self, now: datetime) -> bool:
        """Tell whether the recipient is suppressed at a moment."""
        return self.lifted_by is None and (self.until is None or now < self.until)


def entry_from_attributes(item: Mapping[str, Any]) -> Entry:
    """Return the entry of an item.

    Raises:
        NewerSchema: if its layout is not known.
    """
    return msgspec.convert(checked(item), Entry)
