"""Render counts, the suppression list, timelines and the state of the pipeline as HTML.

Others import from here: `sections` renders, the other names are its input and its columns.
"""

from aftersend.dashboard import sections
from aftersend.dashboard.sections import COUNT_COLUMNS, PipelineState, QueueState

__all__ = ["COUNT_COLUMNS", "PipelineState", "QueueState", "sections"]
