"""Group measures into the few numbers that metrics, tables and rates are made of."""

from collections import Counter
from collections.abc import Mapping

from aftersend.counting import (
    COMPLAINT,
    ECHO,
    ENGAGEMENT_MEASURES,
    HARD_BOUNCES,
    MACHINE_CLICKS,
    MACHINE_OPENS,
    MEASURES,
    NOT_SPAM,
    OTHER,
    OTHER_BOUNCES,
    SOFT_BOUNCES,
    TIME_MEASURES,
)
from aftersend.events import Kind

REFUSED = "sender_refused"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "send": (MEASURES[Kind.SEND],),
    "delivery": (MEASURES[Kind.DELIVERY],),
    "hard_bounce": HARD_BOUNCES,
    "soft_bounce": SOFT_BOUNCES,
    REFUSED: (REFUSED,),
    "other_bounce": tuple(name for name in OTHER_BOUNCES if name != REFUSED),
    ECHO: (ECHO,),
    COMPLAINT: (COMPLAINT,),
    NOT_SPAM: (NOT_SPAM,),
    "delivery_delay": (MEASURES[Kind.DELIVERY_DELAY],),
    "reject": (MEASURES[Kind.REJECT],),
    "rendering_failure": (MEASURES[Kind.RENDERING_FAILURE],),
    "subscription": (MEASURES[Kind.SUBSCRIPTION],),
    "open": (ENGAGEMENT_MEASURES[Kind.OPEN][None],),
    "click": (ENGAGEMENT_MEASURES[Kind.CLICK][None],),
    "unique_opens": ("unique_opens",),
    "unique_clicks": ("unique_clicks",),
    "machine_open": MACHINE_OPENS,
    "machine_click": MACHINE_CLICKS,
}
"""Each group with its measures. Opens and clicks are those of people, machines' are apart."""

_GROUP = {measure: group for group, measures in GROUPS.items() for measure in measures}

UNGROUPED = frozenset({OTHER, *TIME_MEASURES})
"""Measures that belong to no group, as all of simulated events do."""


def summarize(measures: Mapping[str, int]) -> Counter[str]:
    """Return the sums of the groups that have any of these measures."""
    groups: Counter[str] = Counter()
    for measure, count in measures.items():
        if group := _GROUP.get(measure):
            groups[group] = groups.get(group, 0) + count  # in half the time that += takes
    return groups
