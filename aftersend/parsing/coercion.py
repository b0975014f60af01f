"""Coerce values of other types than SES documents into those of ses_schema.py, and name what was coerced.

Used for records that do not fit the types as they are. All of these occur: numbers as strings, tag values that are no
lists, recipients that are no objects, an object instead of a list, addresses joined by commas, times in many formats.
A value that cannot be coerced counts as missing: it costs the field, never the record.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from aftersend.parsing.addresses import split_joined_addresses
from aftersend.parsing.ses_schema import AffectedRecipient, HeadedRecord, Name, Record

RecordType = TypeVar("RecordType", Record, HeadedRecord)

CoercedFields = list[str]
"""Paths of the fields that had another type than documented, as in `bounce.bouncedRecipients`."""

Coercer = Callable[[Any, str, CoercedFields], Any]
"""Turns a value into one of its type, or None, and adds its path to the list where it had to be coerced."""

TIME = re.compile(
    r"(\d{4}) ?- ?(\d{1,2}) ?- ?(\d{1,2})[T ] ?(\d{1,2}) ?: ?(\d{2})(?: ?: ?(\d{2})(?: ?[.,] ?(\d+))?)?"
    r" ?(?:(Z|UTC|GMT)|([+-]) ?(\d{2}) ?:? ?(\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)
PRESENT = msgspec.Raw(b"{}")
"""Stands for a value that is not decoded where it is."""

EPOCH_MILLISECONDS_FROM = 100_000_000_000
"""A number this large is milliseconds: as seconds it would be the year 5138."""


def coerce_record(value: dict[str, Any], record_type: type[RecordType]) -> tuple[RecordType, CoercedFields]:
    """Return the record, and which of its fields were coerced or dropped."""
    coerced: CoercedFields = []
    return _struct_coercer(record_type)(value, "", coerced), coerced


def parse_time(value: object) -> datetime | None:
    """Parse a time in any of the formats that occur. None if it is no time."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = " ".join(value.split())
        if not text.replace(".", "", 1).isdecimal():
            return _parse_written_time(text)
        value = float(text) if text.isascii() else None
    if not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value / 1000 if abs(value) >= EPOCH_MILLISECONDS_FROM else value, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _parse_written_time(text: str) -> datetime | None:
    """Write a time as RFC 3339 has it, and leave the rest to msgspec, so that both paths round alike."""
    match = TIME.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, _, sign, hours, minutes = match.groups()
    offset = f"{sign}{hours}:{minutes or '00'}" if sign else "Z"
    try:
        return msgspec.convert(
            f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute}:{second or '00'}.{fraction or '0'}{offset}", datetime
        )
    except msgspec.ValidationError:
        return None


@cache
def _coercer(field_type: Any) -> Coercer:
    """Return the coercer for a field's type."""
    arguments = [argument for argument in get_args(field_type) if argument is not NoneType]
    if get_origin(field_type) is Annotated:
        return _bounded_coercer(field_type)
    if get_origin(field_type) is list:
        return _list_coercer(arguments[0])
    if get_origin(field_type) is dict:
        return _coerce_tags
    if isinstance(field_type, type) and issubclass(field_type, msgspec.Struct):
        return _struct_coercer(field_type)
    return _SCALAR_COERCERS[field_type] if field_type in _SCALAR_COERCERS else _coercer(arguments[0])


@cache
def _struct_coercer(struct: type[msgspec.Struct]) -> Coercer:
    hints = get_type_hints(struct, include_extras=True)
    fields = [(field.name, field.encode_name, hints[field.name]) for field in msgspec.structs.fields(struct)]

    def coerce_struct(value: Any, path: str, coerced: CoercedFields) -> Any:
        if isinstance(value, str) and struct is AffectedRecipient:
            coerced.append(path)
            return AffectedRecipient(value)
        if isinstance(value, list) and len(value) == 1:
            coerced.append(path)
            [value] = value
        if not isinstance(value, dict):
            coerced.append(path)
            return None
        prefix = f"{path}." if path else ""
        present = [field for field in fields if value.get(field[1]) is not None]
        return struct(**{name: _coercer(kind)(value[key], prefix + key, coerced) for name, key, kind in present})

    return coerce_struct


def _bounded_coercer(field_type: Any) -> Coercer:
    """Return the coercer for a type with bounds: a value outside them counts as missing."""
    coerce = _coercer(get_args(field_type)[0])

    def coerce_bounded(value: Any, path: str, coerced: CoercedFields) -> Any:
        value = coerce(value, path, coerced)
        try:
            return None if value is None else msgspec.convert(value, field_type)
        except msgspec.ValidationError:
            coerced.append(path)
            return None

    return coerce_bounded


def _list_coercer(element_type: Any) -> Coercer:
    def coerce_list(value: Any, path: str, coerced: CoercedFields) -> list[Any]:
        if not isinstance(value, list):
            coerced.append(path)
            value = [value]
        elements = []
        for element in value:
            addresses = split_joined_addresses(element) if element_type is str else []
            if addresses or element is None:
                coerced.append(path)
            elements += addresses or [_coercer(element_type)(element, path, coerced)]
        return [element for element in elements if element is not None]

    return coerce_list


def _coerce_tags(value: Any, path: str, coerced: CoercedFields) -> dict[str, list[str]]:
    """Coerce message tags or link tags: each name has a list of values."""
    if isinstance(value, list):
        coerced.append(path)
        pairs = [tag for tag in value if isinstance(tag, dict) and isinstance(tag.get("name"), str)]
        value = {tag["name"]: tag.get("value") for tag in pairs}
    if not isinstance(value, dict):
        coerced.append(path)
        return {}
    tags = {}
    for name, values in value.items():
        if values is None or _coercer(Name)(name, path, coerced) is None:
            continue
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            coerced.append(f"{path}.{name}")
        texts = [_scalar_text(each) for each in (values if isinstance(values, list) else [values])]
        tags[name] = [text for text in texts if text is not None]
    return tags


def _scalar_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _coerce_text(value: Any, path: str, coerced: CoercedFields) -> str | None:
    if isinstance(value, str):
        return value
    coerced.append(path)
    return _scalar_text(value[0] if isinstance(value, list) and len(value) == 1 else value)


def _coerce_integer(value: Any, path: str, coerced: CoercedFields) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    coerced.append(path)
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _coerce_boolean(value: Any, path: str, coerced: CoercedFields) -> bool | None:
    if isinstance(value, bool):
        return value
    coerced.append(path)
    return {"true": True, "1": True, "false": False, "0": False}.get((_scalar_text(value) or "").strip().lower())


def _coerce_time(value: Any, path: str, coerced: CoercedFields) -> datetime | None:
    """Parse a time. One in another format does not count as coerced, only one that cannot be parsed."""
    time = parse_time(value)
    if time is None:
        coerced.append(path)
    return time


_SCALAR_COERCERS: dict[Any, Coercer] = {
    str: _coerce_text,
    int: _coerce_integer,
    bool: _coerce_boolean,
    datetime: _coerce_time,
    msgspec.Raw: lambda *_: PRESENT,
}
