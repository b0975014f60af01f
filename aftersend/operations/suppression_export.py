"""Write suppression entries in the formats of `aftersend suppressions export`. Pure."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from aftersend.account_list import addition
from aftersend.suppression import Entry

COLUMNS = ("recipient", "scope", "reason", "rule", "since", "until", "lifted_by", "recipient_raw", "who", "note")
"""The columns of the CSV format; `import` reads them."""

NOT_EXPORTED = ("evidence", "decided_from", "version")


def csv_lines(entries: Iterable[Entry], _now: datetime) -> Iterator[str]:
    """Yield a header and a line for each entry."""
    yield csv_line(COLUMNS)
    for entry in entries:
        values = entry_values(entry)
        yield csv_line(values.get(column, "") for column in COLUMNS)


def json_lines(entries: Iterable[Entry], _now: datetime) -> Iterator[str]:
    for entry in entries:
        yield f"{msgspec.json.encode(entry_values(entry)).decode()}\n"


def ses_lines(entries: Iterable[Entry], now: datetime) -> Iterator[str]:
    """Yield the lines of an import job of SES: entries for all mail that have no end."""
    for entry in entries:
        if listed := addition(entry, now):
            yield csv_line([listed.address, listed.reason])


FORMATS: Mapping[str, Callable[[Iterable[Entry], datetime], Iterator[str]]] = {
    "csv": csv_lines,
    "json": json_lines,
    "ses": ses_lines,
}


def entry_values(entry: Entry) -> dict[str, str]:
    """Return what an entry states, without its evidence."""
    values = msgspec.to_builtins(entry)
    return {"scope": entry.scope} | {name: value for name, value in values.items() if name not in NOT_EXPORTED}


def csv_line(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()
