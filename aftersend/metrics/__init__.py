"""Format counts as CloudWatch metrics. Others import from here."""

from aftersend.metrics.emf import (
    Changes,
    add_increases,
    decreases,
    emf_document,
    emf_documents,
    metric_changes,
)
from aftersend.metrics.published_values import OTHER_VALUES, Published, choose_values
from aftersend.metrics.summary import GROUPS, summarize
