"""Describe an error to whoever looks at a panel, and log it: CloudWatch would show Lambda's message in its place."""

import traceback

from aftersend.aws.deployment import AWS_ERRORS, Unavailable, describe_error
from aftersend.aws.ledger_table import Throttled
from aftersend.ledger import NewerSchema
from lambdas.dependencies import logger

DESCRIBED = (Unavailable, Throttled, NewerSchema)
"""Their messages are sentences for people, without a recipient's address."""


def describe_failure(error: Exception, message: str, **details: str) -> str:
    """Log a message with the type and the place of an error, and return a sentence about the error.

    Other exceptions' own messages are neither logged nor shown, because they may quote a recipient's address.
    """
    place = traceback.format_tb(error.__traceback__)
    logger.error(message, extra=details | {"reason": type(error).__name__, "place": place})
    if isinstance(error, AWS_ERRORS):
        return describe_error(error)
    if isinstance(error, DESCRIBED):
        return str(error)
    return f"The function failed with {type(error).__name__}. Its log has the place in the code: report it."
