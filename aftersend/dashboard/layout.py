"""Name the panels of the dashboard: what the stack lays out, and what the function show_widgets renders."""

from typing import NamedTuple


class Panel(NamedTuple):
    """A custom widget. CloudWatch's grid has 24 columns; a unit of height is about 45 pixels."""

    name: str
    """As the function gets it."""
    title: str
    width: int
    height: int


STATUS = Panel("status", "Status", 24, 6)
RATES = Panel("rates", "Bounce and complaint rates by configuration set", 24, 7)
TAGS = Panel("tags", "Mail by message tag", 24, 13)
CAMPAIGN = Panel("campaign", "One campaign", 24, 14)
RECIPIENT = Panel("recipient", "Look up a recipient or a message", 24, 13)
SUPPRESSIONS = Panel("suppressions", "Suppression list", 24, 8)
FAILURES = Panel("failures", "Failed records", 24, 8)
COST = Panel("cost", "Cost this month", 24, 11)

PANELS = (STATUS, RATES, TAGS, CAMPAIGN, RECIPIENT, SUPPRESSIONS, FAILURES, COST)
