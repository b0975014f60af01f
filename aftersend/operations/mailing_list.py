"""Read the addresses of a mailing list: one per line, or a column of a CSV file. Pure.

Each line is read by itself, so that a quotation mark that is never closed costs one line.
"""

import csv
from collections.abc import Iterable, Iterator
from typing import NamedTuple

ADDRESS_COLUMNS = ("email", "e-mail", "email address", "emailaddress", "email_address", "address")
"""Names of the column with the addresses, in lower case. Without such a header it is the first column."""

DELIMITERS = ",;\t"


class Row(NamedTuple):
    """The address of one line."""

    line: int
    address: str


def rows(lines: Iterable[str]) -> Iterator[Row]:
    """Yield the address of every line that is not blank, the header left out."""
    delimiter, column, is_first = ",", 0, True
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if is_first:
            is_first, delimiter = False, max(DELIMITERS, key=line.count)
            names = [cell.strip().lower() for cell in _cells(line.removeprefix("\ufeff"), delimiter)]
            header = next((names.index(name) for name in ADDRESS_COLUMNS if name in names), None)
            if header is not None:
                column = header
                continue
        cells = _cells(line.removeprefix("\ufeff"), delimiter)
        yield Row(number, cells[column].strip() if column < len(cells) else "")


def _cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line; none if it is not CSV."""
    try:
        return next(csv.reader([line.strip("\r\n")], delimiter=delimiter), [])
    except csv.Error:
        return []
