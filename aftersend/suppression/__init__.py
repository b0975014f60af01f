"""Decide from events who is mailed no more, and why.

Others import from here: the policy and its rules, the entry, the decision, and its changes.
"""

from aftersend.suppression.changes import LIFTED, SUPPRESSED, change_detail, detail_type
from aftersend.suppression.decision import decide
from aftersend.suppression.entry import ENDED, EVERYWHERE, WITHDRAWN, Entry, entry_from_attributes
from aftersend.suppression.ladder import is_outdated, needs_deliveries
from aftersend.suppression.mass_suppression import mass_suppression_percent, watched_hours
from aftersend.suppression.rules import (
    EARLIEST,
    LIFTING_RULES,
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
