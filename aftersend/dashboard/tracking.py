"""Tell apart what nobody opened and what is not tracked: some configuration sets do not publish it."""

from collections.abc import Mapping, Sequence

from aftersend.counting import CONFIGURATION_SET
from aftersend.dashboard.numbers import UNKNOWN, percent

OPEN, CLICK = "Open", "Click"
NOT_TRACKED = "not tracked"

Tracked = Mapping[str, Sequence[str]]
"""Which of the kinds above each configuration set publishes."""


def tracked_share(kind: str, number: int, whole: int, tag: str, value: str, tracked: Tracked) -> str:
    """Return the share of people who opened or clicked, or why there is none.

    Which configuration set the mail of another tag's value names is not counted: if only some sets publish the kind,
    none may mean both.
    """
    if number:
        return percent(number, whole)
    sets = [tracked[value]] if tag == CONFIGURATION_SET and value in tracked else [*tracked.values()]
    publishing = [kind in kinds for kinds in sets]
    if not any(publishing):
        return NOT_TRACKED
    return percent(number, whole) if all(publishing) else UNKNOWN
