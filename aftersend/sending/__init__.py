"""Give messages their configuration set and tags, through every sending interface of SES (docs/sending.md). Pure.

Others import from here. Lambda functions never import this package.
"""

from aftersend.sending.interfaces import (
    OPERATIONS,
    Interface,
    Operation,
    SendingOptions,
    entry_parameters,
    headers,
    own_headers,
    parameters,
)
from aftersend.sending.message import COMPOSED, HEADER_POLICY, OutgoingMessage, request, smtp_message
from aftersend.sending.message_tags import InvalidMessage, link_tags, message_tags_value
from aftersend.sending.tag_check import Outcome, TagCheck, check_headers, check_parameters

__all__ = [
    "COMPOSED",
    "HEADER_POLICY",
    "OPERATIONS",
    "Interface",
    "InvalidMessage",
    "Operation",
    "Outcome",
    "OutgoingMessage",
    "SendingOptions",
    "TagCheck",
    "check_headers",
    "check_parameters",
    "entry_parameters",
    "headers",
    "link_tags",
    "message_tags_value",
    "own_headers",
    "parameters",
    "request",
    "smtp_message",
]
