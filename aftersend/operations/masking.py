"""Mask the e-mail addresses in a record, so that it can be shown to people who do not need them."""

import json
import re
from typing import Any

MASK = "***"

TOKEN = re.compile(r"[^\s\"'<>(),:;|\[\]{}\\]+")
"""What may be an address. Each character is looked at once: a pattern that begins with the local part is quadratic."""

QUOTED_LOCAL_PART = re.compile(r'"([^"@])[^"@]{0,63}"(?=@)')
"""As in `"ada reader"@mail.example`; a local part has at most 64 characters (RFC 5321, 4.5.3.1.1)."""

AT = re.compile(r"@|%(?:25)*40")
"""The sign itself and as URLs have it, encoded once or repeatedly."""

MAX_DEPTH = 8
"""JSON in strings of JSON: as many envelopes as the parser unwraps."""


def mask_record(record: str) -> Any:
    """Return a record with its addresses masked: JSON as values, anything else as text."""
    return _mask_text(record, MAX_DEPTH)


def mask_addresses(text: str) -> str:
    """Mask every address in a text: `ada@mail.example` becomes `a***@mail.example`."""
    return TOKEN.sub(_mask_token, QUOTED_LOCAL_PART.sub(rf"\1{MASK}", text))


def _mask_token(match: re.Match[str]) -> str:
    token = match[0]
    separators = list(AT.finditer(token))
    if not separators or not separators[-1].start():
        return token
    return f"{token[0]}{MASK}{token[separators[-1].start() :]}"


def _mask_text(text: str, depth: int) -> Any:
    """Mask a text; JSON is decoded first, because it may spell an address with escapes."""
    if depth and text.lstrip().startswith(("{", "[")):
        try:
            return _mask_value(json.loads(text), depth - 1)
        except (ValueError, RecursionError):
            pass
    return mask_addresses(text)


def _mask_value(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        masked = _mask_text(value, depth)
        return masked if isinstance(masked, str) else json.dumps(masked)
    if isinstance(value, list):
        return [_mask_value(element, depth) for element in value]
    if isinstance(value, dict):
        return {mask_addresses(name): _mask_value(element, depth) for name, element in value.items()}
    return value
