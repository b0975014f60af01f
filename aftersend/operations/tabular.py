"""Read CSV and JSON lines as records, one at a time. A line that cannot be read costs only itself. Pure."""

import csv
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

DELIMITERS = ",;\t|"

MAX_RECORD_LINES = 50
"""Lines that a quoted value may span. A quotation mark that is never closed must not swallow the rest of the file."""

NAME_SEPARATORS = re.compile(r"[\s_\-.\"]+")


class NotTabular(Exception):
    """The text is neither CSV with addresses nor JSON lines; the message says what to do."""


class Record(NamedTuple):
    """One record: the line where it begins, and its values by column name, in lower case and without separators."""

    line: int
    values: dict[str, str]
    """Empty if the record cannot be read."""


def records(lines: Iterable[str], key_columns: Sequence[str], unnamed: Sequence[str]) -> Iterator[Record]:
    """Yield the records of CSV or JSON lines. Blank lines are left out.

    A file without a header, whose first line has an `@`, has the unnamed columns.

    Raises:
        NotTabular: if the first line is neither JSON nor a header with one of the key columns nor has an `@`.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip("\ufeff\r\n\t ,;"))
    first = next(numbered, None)
    if first is None:
        return
    number, line = first[0], first[1].lstrip("\ufeff")
    if line.lstrip().startswith("{"):
        yield from map(_json_record, chain([(number, line)], numbered))
        return
    delimiter = max(DELIMITERS, key=line.count)
    names = [_plain(name) for name in _cells(line, delimiter)]
    if set(names) & set(key_columns):
        yield from _csv_records(numbered, names, delimiter)
    elif "@" in line:
        yield from _csv_records(chain([(number, line)], numbered), unnamed, delimiter)
    else:
        raise NotTabular(_explanation(line, key_columns))


def _explanation(line: str, key_columns: Sequence[str]) -> str:
    if line.lstrip().startswith("["):
        return "It is one JSON document. Write one object per line, for example with `jq -c '.[]'`."
    columns = ", ".join(f"`{name}`" for name in key_columns)
    return f"Line 1 has no column of addresses: name it {columns}, or remove the header."


Numbered = tuple[int, str]


def _json_record(numbered: Numbered) -> Record:
    number, line = numbered
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        document = None
    values = document if isinstance(document, dict) else {}
    return Record(number, {_plain(name): _text(value) for name, value in values.items()})


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _csv_records(lines: Iterator[Numbered], names: Sequence[str], delimiter: str) -> Iterator[Record]:
    """Yield the records of lines. While a quotation mark is open, the next line is joined; if the result is no record,
    the first line is one by itself."""
    returned: deque[Numbered] = deque()

    def take() -> Numbered | None:
        return returned.popleft() if returned else next(lines, None)

    while first := take():
        joined = [first]
        is_open = _has_open_quote(first[1])
        while is_open and len(joined) < MAX_RECORD_LINES and (following := take()):
            joined.append(following)
            is_open = not _has_open_quote(following[1])
        cells = _cells("".join(text for _, text in joined), delimiter)
        if len(joined) > 1 and (is_open or len(cells) != len(names)):
            returned.extendleft(reversed(joined[1:]))
            cells = _cells(first[1], delimiter)
        yield Record(first[0], dict(zip(names, map(str.strip, cells), strict=False)))


def _has_open_quote(text: str) -> bool:
    return text.count('"') % 2 == 1


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text.rstrip("\r\n")], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:  # a value of more than 131,072 characters
        return []


def _plain(name: str) -> str:
    return NAME_SEPARATORS.sub("", name).lower()
