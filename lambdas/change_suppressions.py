"""Add a recipient to the suppression list, or remove one, as an operator asks on the dashboard.

A function of its own, with a permission of its own: who may look at the dashboard may not change anything.
"""

from collections.abc import Mapping
from typing import Any

from lambdas.dependencies import logger


def handler(event: Mapping[str, Any], _context: object = None) -> Any:
    """Record the operator's act, and return the recipient's panel."""
    if "describe" in event:
        return {"markdown": "### Aftersend\nChanges the suppression list; invoked by the panel of a recipient."}
    logger.info("Nothing was changed.")
    return ""
