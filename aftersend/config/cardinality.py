"""Recognize names of tags and headers that usually have a different value for each message or person."""

import re

HIGH_CARDINALITY_NAME = re.compile(
    r"(^|[-_:.])(id|ids|uid|uuid|guid|user|users|subscriber|recipient|customer|contact|email|mail|address|token|session"
    r"|hash|timestamp|date|time|order|invoice|ip|source-ip|outgoing-ip|subject|list-unsubscribe)$",
    re.IGNORECASE,
)
"""Names of tags and headers that usually have as many values as there are messages or people."""

GROUPING_NAME = re.compile(r"(campaign|template|list|segment|brand|variant|tenant)", re.IGNORECASE)
"""Beginnings of names that group messages, even where the name ends in "id"."""


def has_many_values(name: str) -> bool:
    """Return whether a tag or header of this name usually has as many values as there are messages or people."""
    return bool(HIGH_CARDINALITY_NAME.search(name)) and not GROUPING_NAME.match(name)
