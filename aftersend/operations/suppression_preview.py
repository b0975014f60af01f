"""Summarize what a policy would change, or has changed, in the suppression list. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from aftersend.operations.masking import mask_addresses
from aftersend.suppression import Entry

SUPPRESSED, LIFTED, CHANGED = "suppressed", "lifted", "changed"
"""What happens to an entry: it comes into force, it is no longer in force, or another rule or end applies."""

EXAMPLES = 5
"""Masked addresses that are shown of each kind and rule."""


class Difference(NamedTuple):
    """What happens to one entry."""

    kind: str
    rule: str
    """The rule that suppresses; for a changed entry, both."""
    scope: str
    recipient: str


def differences(current: Mapping[str, Entry], changes: Mapping[str, Entry], now: datetime) -> Iterator[Difference]:
    """Yield what the changes of a recipient's entries mean for senders. Entries that stay out of force mean nothing."""
    for scope, new in changes.items():
        old = current.get(scope)
        was_in_force, is_in_force = old is not None and old.is_in_force(now), new.is_in_force(now)
        if is_in_force and not was_in_force:
            yield Difference(SUPPRESSED, new.rule, scope, new.recipient)
        elif old and was_in_force and not is_in_force:
            yield Difference(LIFTED, old.rule, scope, new.recipient)
        elif old and is_in_force and (old.rule, old.until) != (new.rule, new.until):
            rule = new.rule if old.rule == new.rule else f"{old.rule} → {new.rule}"
            yield Difference(CHANGED, rule, scope, new.recipient)


class Summary:
    """Count differences by kind and rule, and keep a few examples of each. Memory does not grow with the list."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[str, str], list[str]] = {}

    def add(self, difference: Difference) -> None:
        row = difference.kind, difference.rule
        self.counts[row] += 1
        examples = self.examples.setdefault(row, [])
        if len(examples) < EXAMPLES:
            examples.append(mask_addresses(difference.recipient))

    def total(self, kind: str) -> int:
        """Return the number of differences of a kind."""
        return sum(count for (each, _), count in self.counts.items() if each == kind)
