"""Parse what a CloudWatch dashboard asks a custom widget for.

The shape of the event is that of "Details about custom widgets in CloudWatch" in the CloudWatch user guide: the
widget's own parameters, or those of the action that was chosen, and beside them `widgetContext`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

DEFAULT_RANGE = timedelta(hours=24)
YEARS = 1970, 9998
"""The first and the last year of a time range: other times are computed from it, which must exist, too."""

MAX_VALUE_CHARACTERS = 400
"""More than any address, tag value or message id has; the rest of a longer value is ignored."""


class Functions(NamedTuple):
    """The ARNs of the functions that actions of a widget call."""

    show: str
    change: str | None
    """None where nothing can be changed."""


class Request(NamedTuple):
    """What a widget is to show."""

    panel: str
    parameters: Mapping[str, str]
    """Those of the widget or the action, and of the fields of the widget's forms those that they do not have."""
    begin: datetime
    end: datetime
    """The time range of the dashboard, in UTC."""
    now: datetime
    is_dark: bool
    functions: Functions

    def get(self, name: str) -> str:
        """Return a parameter without blanks around it; an empty string if there is none."""
        return self.parameters.get(name, "").strip()


def parse_request(event: Mapping[str, Any], now: datetime, functions: Functions) -> Request:
    """Parse an event. What is missing or of another type is as if it was not given."""
    context = _mapping(event.get("widgetContext"))
    # The local page has no place of its own for the runbook, and no parameter, which a link may have, may name another.
    given = {**_form_fields(context), **event, "runbook": context.get("runbook")}
    parameters = {
        name: str(value)[:MAX_VALUE_CHARACTERS] for name, value in given.items() if isinstance(value, str | int)
    }
    begin, end = _time_range(context, now)
    return Request(
        panel=parameters.get("panel", ""),
        parameters=parameters,
        begin=begin,
        end=end,
        now=now,
        is_dark=context.get("theme") == "dark",
        functions=functions,
    )


def _form_fields(context: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(_mapping(context.get("forms")).get("all"))


def _time_range(context: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    """Return the part of the time range that is zoomed into, or all of it; the last day if there is none.

    It ends now if its end is yet to come: its last hours are judged, and all of it is compared with the period before.
    """
    time_range = _mapping(context.get("timeRange"))
    shown = _times(_mapping(time_range.get("zoom"))) or _times(time_range) or (now - DEFAULT_RANGE, now)
    return (shown[0], now) if shown[0] < now < shown[1] else shown


def _times(shown: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    """Return begin and end of a range; None if they are none."""
    try:
        begin, end = (datetime.fromtimestamp(shown[name] / 1_000, UTC) for name in ("start", "end"))
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return (begin, end) if begin < end and YEARS[0] <= begin.year and end.year <= YEARS[1] else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
