"""Decide from events who is mailed no more, and why.

Others import from here: the policy and its rules, the entry, and the decision.
"""

from aftersend.suppression.decision import decide
from aftersend.suppression.entry import ENDED, EVERYWHERE, WITHDRAWN, Entry, entry_from_attributes
from aftersend.suppression.ladder import is_outdated, needs_deliveries
from aftersend.suppression.rules import (
    EARLIEST,
    RULES,
    SIMULATOR,
    Effect,
    Policy,
    Rule,
    is_not_spam,
    is_out_of_office,
    is_suppression_list_echo,
    rule_for,
    rule_for_feedback,
)

__all__ = [
    "EARLIEST",
    "ENDED",
    "EVERYWHERE",
    "RULES",
    "SIMULATOR",
    "WITHDRAWN",
    "Effect",
    "Entry",
    "Policy",
    "Rule",
    "decide",
    "entry_from_attributes",
    "is_not_spam",
    "is_out_of_office",
    "is_outdated",
    "is_suppression_list_echo",
    "needs_deliveries",
    "rule_for",
    "rule_for_feedback",
]
