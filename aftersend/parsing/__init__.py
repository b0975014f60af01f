"""Parse payloads into events.

Others import from here. What the reasons of ignored and unreadable records mean is in reasons.py: only people need it.
"""

from aftersend.parsing.headers import DEFAULT_OPTIONS, Options
from aftersend.parsing.object_notifications import ArchivedObject, parse_object_notification
from aftersend.parsing.parser import MAX_INVOCATION_BYTES, MAX_PAYLOAD_BYTES, Ignored, ParseResult, Unreadable, parse
