"""Count the suppression list: how many entries are in force, and how many began on each of the last days. Pure."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import msgspec

from aftersend.suppression.entry import Entry

SWEEP_EVERY_HOURS, LARGE_LIST_SWEEP_HOURS, LARGE_LIST_ENTRIES = 6, 24, 1_000_000
"""How often sweep_suppressions reads every entry: a large one once a day, because its sweeps cost most."""

GROWTH_DAYS = 30
"""Days whose new entries are counted one by one, the present one included."""


def sweep_hours(in_force: float) -> int:
    """Return after how many hours a list with so many entries in force is swept and counted again."""
    return LARGE_LIST_SWEEP_HOURS if in_force >= LARGE_LIST_ENTRIES else SWEEP_EVERY_HOURS


class ListSize(msgspec.Struct, frozen=True):
    """How large the suppression list was."""

    counted_at: datetime
    by_rule: dict[str, int] = {}
    """Entries in force, by the rule that suppressed."""
    by_scope: dict[str, int] = {}
    """Entries in force, by scope."""
    growth: dict[date, dict[str, int]] = {}
    """Day in UTC on which entries began → rule → entries, in force or not. An entry of which no begin is known, or
    which began again later, is not among those of its first day."""

    @property
    def in_force(self) -> int:
        return sum(self.by_rule.values())


class SizeCount:
    """Count entries one by one."""

    def __init__(self, now: datetime) -> None:
        self._now, self._first_day = now, now.astimezone(UTC).date() - timedelta(days=GROWTH_DAYS - 1)
        self._by_rule, self._by_scope = Counter[str](), Counter[str]()
        self._growth: dict[date, Counter[str]] = {}

    def add(self, entry: Entry) -> None:
        if entry.is_in_force(self._now):
            self._by_rule[entry.rule] += 1
            self._by_scope[entry.scope] += 1
        if entry.since and (day := entry.since.astimezone(UTC).date()) >= self._first_day:
            self._growth.setdefault(day, Counter())[entry.rule] += 1

    def size(self) -> ListSize:
        return ListSize(self._now, self._by_rule, self._by_scope, {day: self._growth[day] for day in self._growth})
