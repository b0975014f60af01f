"""Parse Amazon SES events, record each once, decide who is suppressed, and count message tags.

For senders: `check` tells which addresses may be sent to (docs/suppression.md).
"""

from importlib import import_module
from typing import Any

__all__ = ["CheckResult", "Suppression", "SuppressionUnknown", "check"]


def __getattr__(name: str) -> Any:
    """Import what senders use on first access: `import aftersend` alone stays quick and imports no AWS SDK.

    By name, not by an import statement: functions are bundled with what the files they import mention.
    """
    if name in __all__:
        return getattr(import_module("aftersend.aws.suppression_check"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
