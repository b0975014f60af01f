"""Select suppression entries by what operators ask for. Pure."""

from datetime import datetime

import msgspec

from aftersend.suppression.decision import decide
from aftersend.suppression.entry import Entry
from aftersend.suppression.rules import Policy, rule_for


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Describe the entries that are wanted; what is None is not asked for."""

    reason: str | None = None
    rule: str | None = None
    scope: str | None = None
    since: datetime | None = None
    """Entries whose cause occurred at this time or later. Those without a time are then left out."""
    until: datetime | None = None
    """Entries whose cause occurred before this time."""
    domain: str | None = None
    """The domain of the address, without its subdomains."""
    in_force: bool | None = True
    """True: only entries in force; False: only lifted and ended ones; None: all."""

    def includes(self, entry: Entry, now: datetime) -> bool:
        return (
            self.in_force in (None, entry.is_in_force(now))
            and self.reason in (None, entry.reason)
            and self.rule in (None, entry.rule)
            and self.scope in (None, entry.scope)
            and (self.domain is None or entry.recipient.rpartition("@")[2] == self.domain.lower())
            and self._includes_time(entry.since)
        )

    def _includes_time(self, since: datetime | None) -> bool:
        if since is None:
            return self.since is None and self.until is None
        return (self.since is None or self.since <= since) and (self.until is None or since < self.until)


def is_suppressed_otherwise(entry: Entry, rule: str, policy: Policy, now: datetime) -> bool:
    """Tell whether an entry would stay in force without the events that a rule matches."""
    others = [event for event in entry.evidence if rule_for(event, policy).id != rule]
    remaining = decide(others, policy, now).get(entry.scope)
    return remaining is not None and remaining.is_in_force(now)
