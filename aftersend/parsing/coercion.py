"""Coerce values of other types than SES documents into those of ses_schema.py, and name what was coerced.

Used for records that do not fit the types as they are. All of these occur: numbers as strings, tag values that are no
lists, recipients that are no objects, an object instead of a list, addresses joined by commas, times in many formats.
A value that cannot be coerced counts as missing: it costs the field, never the record.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from aftersend.parsing.addresses import split_joined_addresses
from aftersend.parsing.ses_schema import AffectedRecipient, Record

CoercedFields = list[str]
"""Paths of the fields that were not as they should be, as in `bounce.bouncedRecipients`."""

TIME = re.compile(
    r"(\d{4}) ?- ?(\d{1,2}) ?- ?(\d{1,2})[T ] ?(\d{1,2}) ?: ?(\d{2})(?: ?: ?(\d{2})(?: ?[.,] ?(\d+))?)?"
    r" ?(?:(Z|UTC|GMT)|([+-]) ?(\d{2}) ?:? ?(\d{2})?)?",
    re.IGNORECASE,
)
EPOCH_MILLISECONDS_FROM = 100_000_000_000
"""A number this large is milliseconds: as seconds it would be the year 5138."""


def coerce_record(found: dict[str, Any]) -> tuple[Record, CoercedFields]:
    """The record, and which of its fields were coerced or given up."""
    coerced_fields: CoercedFields = []
    return _struct(Record)(found, "", coerced_fields), coerced_fields


def parse_time(found: object) -> datetime | None:
    """A time in one of the formats it may come in; without an offset it is UTC. None if it is none."""
    if isinstance(found, bool):
        return None
    if isinstance(found, str):
        text = " ".join(found.split())
        if not text.replace(".", "", 1).isdecimal():
            return _parse_written_time(text)
        found = float(text) if text.isascii() else None
    if not isinstance(found, int | float):
        return None
    try:
        return datetime.fromtimestamp(found / 1000 if abs(found) >= EPOCH_MILLISECONDS_FROM else found, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _parse_written_time(text: str) -> datetime | None:
    matched = TIME.fullmatch(text)
    if not matched:
        return None
    *date, second, fraction, _, sign, hours, minutes = matched.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    numbers = [int(number) for number in (*date, second or 0)]
    microseconds = int((fraction or "")[:6].ljust(6, "0"))
    try:
        written = datetime(*numbers, microsecond=microseconds, tzinfo=timezone(offset))
        return written.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


Coercer = Callable[[Any, str, CoercedFields], Any]
"""Makes a value into one of its type, noting at which path it had to be coerced. None if it cannot."""


@cache
def _coercer(kind: Any) -> Coercer:
    """The mender for a field's type."""
    arguments = [argument for argument in get_args(kind) if argument is not NoneType]
    if get_origin(kind) is list:
        return _list(arguments[0])
    if get_origin(kind) is dict:
        return _tags
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(kind)
    return _SCALARS[kind] if kind in _SCALARS else _coercer(arguments[0])


@cache
def _struct(kind: type[msgspec.Struct]) -> Coercer:
    hints = get_type_hints(kind)
    fields = [(field.name, field.encode_name, hints[field.name]) for field in msgspec.structs.fields(kind)]

    def coerce(found: Any, path: str, coerced_fields: CoercedFields) -> Any:
        if isinstance(found, str) and kind is AffectedRecipient:
            coerced_fields.append(path)
            return AffectedRecipient(found)
        if isinstance(found, list) and len(found) == 1:
            coerced_fields.append(path)
            [found] = found
        if not isinstance(found, dict):
            coerced_fields.append(path)
            return None
        prefix = f"{path}." if path else ""
        present = [(name, spelled, of) for name, spelled, of in fields if found.get(spelled) is not None]
        return kind(
            **{name: _coercer(of)(found[spelled], prefix + spelled, coerced_fields) for name, spelled, of in present}
        )

    return coerce


def _list(of: Any) -> Coercer:
    def coerce(found: Any, path: str, coerced_fields: CoercedFields) -> list[Any]:
        if not isinstance(found, list):
            coerced_fields.append(path)
            found = [found]
        made = []
        for element in found:
            together = split_joined_addresses(element) if of is str else []
            if together or element is None:
                coerced_fields.append(path)
            made += together or [_coercer(of)(element, path, coerced_fields)]
        return [element for element in made if element is not None]

    return coerce


def _tags(found: Any, path: str, coerced_fields: CoercedFields) -> dict[str, list[str]]:
    """Message tags or link tags: each name with a list of values."""
    if isinstance(found, list):
        coerced_fields.append(path)
        pairs = [tag for tag in found if isinstance(tag, dict) and isinstance(tag.get("name"), str)]
        found = {tag["name"]: tag.get("value") for tag in pairs}
    if not isinstance(found, dict):
        coerced_fields.append(path)
        return {}
    made = {}
    for name, values in found.items():
        if values is None:
            continue
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            coerced_fields.append(f"{path}.{name}")
        listed = values if isinstance(values, list) else [values]
        made[str(name)] = [text for value in listed if (text := _plain(value)) is not None]
    return made


def _plain(found: Any) -> str | None:
    """A scalar as text."""
    if isinstance(found, bool):
        return str(found).lower()
    return str(found) if isinstance(found, str | int | float) else None


def _text(found: Any, path: str, coerced_fields: CoercedFields) -> str | None:
    if isinstance(found, str):
        return found
    coerced_fields.append(path)
    return _plain(found[0] if isinstance(found, list) and len(found) == 1 else found)


def _integer(found: Any, path: str, coerced_fields: CoercedFields) -> int | None:
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    coerced_fields.append(path)
    try:
        return int(float(found))
    except (TypeError, ValueError, OverflowError):
        return None


def _boolean(found: Any, path: str, coerced_fields: CoercedFields) -> bool | None:
    if isinstance(found, bool):
        return found
    coerced_fields.append(path)
    return {"true": True, "1": True, "false": False, "0": False}.get(str(found).strip().lower())


def _time(found: Any, path: str, coerced_fields: CoercedFields) -> datetime | None:
    """A time in another format is no mistake; one that cannot be read is given up."""
    read = parse_time(found)
    if read is None:
        coerced_fields.append(path)
    return read


_SCALARS: dict[Any, Coercer] = {str: _text, int: _integer, bool: _boolean, datetime: _time}
