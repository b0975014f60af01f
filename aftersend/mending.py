"""What has another type than SES's documentation says, made into what it should be; and what was mended, by name.

Used for records that do not fit the types of aftersend/wire.py as they are. All of these occur: numbers as strings, tag
values that are no lists, recipients that are no objects, an object in the place of a list, addresses joined by commas,
times in many formats. What nobody could mend is taken for missing: it costs the field, never the record.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from aftersend.addresses import joined
from aftersend.wire import AffectedRecipient, Record

Mended = list[str]
"""Paths of the fields that were not as they should be, as in `bounce.bouncedRecipients`."""

TIME = re.compile(
    r"(\d{4}) ?- ?(\d{1,2}) ?- ?(\d{1,2})[T ] ?(\d{1,2}) ?: ?(\d{2})(?: ?: ?(\d{2})(?: ?[.,] ?(\d+))?)?"
    r" ?(?:(Z|UTC|GMT)|([+-]) ?(\d{2}) ?:? ?(\d{2})?)?",
    re.IGNORECASE,
)
EPOCH_MILLISECONDS_FROM = 100_000_000_000
"""A number this large is milliseconds: as seconds it would be the year 5138."""


def mended_record(found: dict[str, Any]) -> tuple[Record, Mended]:
    """The record, and which of its fields were mended or given up."""
    mended: Mended = []
    return _struct(Record)(found, "", mended), mended


def moment(found: object) -> datetime | None:
    """A time in one of the formats it may come in; without an offset it is UTC. None if it is none."""
    if isinstance(found, bool):
        return None
    if isinstance(found, str):
        text = " ".join(found.split())
        if not text.replace(".", "", 1).isdecimal():
            return _written(text)
        found = float(text) if text.isascii() else None
    if not isinstance(found, int | float):
        return None
    try:
        return datetime.fromtimestamp(found / 1000 if abs(found) >= EPOCH_MILLISECONDS_FROM else found, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _written(text: str) -> datetime | None:
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


Mender = Callable[[Any, str, Mended], Any]
"""Makes a value into one of its type, noting at which path it had to be mended. None if it cannot."""


@cache
def _mender(kind: Any) -> Mender:
    """The mender for a field's type."""
    arguments = [argument for argument in get_args(kind) if argument is not NoneType]
    if get_origin(kind) is list:
        return _list(arguments[0])
    if get_origin(kind) is dict:
        return _tags
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(kind)
    return _SCALARS[kind] if kind in _SCALARS else _mender(arguments[0])


@cache
def _struct(kind: type[msgspec.Struct]) -> Mender:
    hints = get_type_hints(kind)
    fields = [(field.name, field.encode_name, hints[field.name]) for field in msgspec.structs.fields(kind)]

    def mend(found: Any, path: str, mended: Mended) -> Any:
        if isinstance(found, str) and kind is AffectedRecipient:
            mended.append(path)
            return AffectedRecipient(found)
        if isinstance(found, list) and len(found) == 1:
            mended.append(path)
            [found] = found
        if not isinstance(found, dict):
            mended.append(path)
            return None
        prefix = f"{path}." if path else ""
        present = [(name, spelled, of) for name, spelled, of in fields if found.get(spelled) is not None]
        return kind(**{name: _mender(of)(found[spelled], prefix + spelled, mended) for name, spelled, of in present})

    return mend


def _list(of: Any) -> Mender:
    def mend(found: Any, path: str, mended: Mended) -> list[Any]:
        if not isinstance(found, list):
            mended.append(path)
            found = [found]
        made = []
        for element in found:
            together = joined(element) if of is str else []
            if together or element is None:
                mended.append(path)
            made += together or [_mender(of)(element, path, mended)]
        return [element for element in made if element is not None]

    return mend


def _tags(found: Any, path: str, mended: Mended) -> dict[str, list[str]]:
    """Message tags or link tags: each name with a list of values."""
    if isinstance(found, list):
        mended.append(path)
        pairs = [tag for tag in found if isinstance(tag, dict) and isinstance(tag.get("name"), str)]
        found = {tag["name"]: tag.get("value") for tag in pairs}
    if not isinstance(found, dict):
        mended.append(path)
        return {}
    made = {}
    for name, values in found.items():
        if values is None:
            continue
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            mended.append(f"{path}.{name}")
        listed = values if isinstance(values, list) else [values]
        made[str(name)] = [text for value in listed if (text := _plain(value)) is not None]
    return made


def _plain(found: Any) -> str | None:
    """A scalar as text."""
    if isinstance(found, bool):
        return str(found).lower()
    return str(found) if isinstance(found, str | int | float) else None


def _text(found: Any, path: str, mended: Mended) -> str | None:
    if isinstance(found, str):
        return found
    mended.append(path)
    return _plain(found[0] if isinstance(found, list) and len(found) == 1 else found)


def _whole_number(found: Any, path: str, mended: Mended) -> int | None:
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    mended.append(path)
    try:
        return int(float(found))
    except (TypeError, ValueError, OverflowError):
        return None


def _truth(found: Any, path: str, mended: Mended) -> bool | None:
    if isinstance(found, bool):
        return found
    mended.append(path)
    return {"true": True, "1": True, "false": False, "0": False}.get(str(found).strip().lower())


def _time(found: Any, path: str, mended: Mended) -> datetime | None:
    """A time in another format is no mistake; one that cannot be read is given up."""
    read = moment(found)
    if read is None:
        mended.append(path)
    return read


_SCALARS: dict[Any, Mender] = {str: _text, int: _whole_number, bool: _truth, datetime: _time}
