"""Read the suppression lists that other providers, SES and Aftersend export, and decide what to import. Pure.

A row that cannot be imported costs only itself. Rows are read one at a time, so that a file may have any size.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from aftersend import ledger
from aftersend.events import ADDED, Event
from aftersend.operations.tabular import Record, records
from aftersend.parsing.addresses import bare_address
from aftersend.recorder import OPERATOR_ID
from aftersend.suppression import EVERYWHERE, Entry
from aftersend.suppression.entry import SCOPE

ADDRESS_COLUMNS = ("email", "address", "emailaddress", "recipient")
REASON_COLUMNS = ("suppressionreason", "rule", "error", "reason", "code", "status")
TIME_COLUMNS = ("created", "createdat", "lastupdatetime", "since", "date", "timestamp")
TAG_COLUMNS = ("tag", "tags")
"""Names of columns and JSON keys, without spaces, underscores and case. Of several in one file, the first counts."""

SOURCES: Mapping[frozenset[str], str] = {
    frozenset({"recipient", "scope", "rule"}): "Aftersend",
    frozenset({"emailaddress", "suppressionreason"}): "Postmark",
    frozenset({"emailaddress", "lastupdatetime"}): "Amazon SES",
    frozenset({"address", "createdat"}): "Mailgun",
    frozenset({"email", "created"}): "SendGrid",
}
"""Columns by which the exports of providers are recognized, for the note of the entries; the first match counts."""

UNKNOWN_SOURCE = "a list"

UNNAMED_COLUMNS = ("emailaddress", "reason")
"""The columns of a CSV file without a header, as SES's import jobs take it."""

EVERY_TAG = ("", "*", '["*"]')
"""Values of Mailgun's column `tag` for an unsubscribe from everything."""

MAX_REASON_CHARACTERS = 400
"""Reasons can be whole SMTP answers; the event has this much of one, and the entry what fits into its note."""

MILLISECONDS_FROM = 10**11
"""A time that is a larger number is in milliseconds: in seconds it would be in the year 5138."""

SKIPPED: Mapping[str, str] = {
    "unreadable": "the row cannot be read",
    "no-address": "the row has no single e-mail address",
    "no-scope": "the row's scope does not exist",
    "temporary": "the entry was temporary or lifted where it was exported",
    "one-tag": "unsubscribed from mail with one tag only: import these rows with --scope",
    "already-suppressed": "suppressed here already, or repeated in the file",
    "removed-here": "removed here by an operator after it was listed there (--force adds it)",
    "forgotten": "the recipient's data was erased here; they stay suppressed",
    "failed": "could not be recorded: import the file again",
}
"""Why rows are skipped, for people."""

INVALID = frozenset({"unreadable", "no-address", "no-scope", "failed"})
"""Reasons that somebody should look at."""


class Row(NamedTuple):
    """A row that names a recipient to suppress."""

    line: int
    recipient: str
    address: str
    """As the file spells it, without display name."""
    scope: str
    reason: str
    """Why the source suppressed the recipient, in its words."""
    listed_at: datetime | None
    source: str


class Skipped(NamedTuple):
    """A row that is not imported."""

    line: int
    reason: str
    """A key of SKIPPED."""


RecipientOf = Callable[[str], str | None]
"""Return the recipient that an address stands for; None if it is not one address."""


def parse_rows(
    lines: Iterable[str], recipient_of: RecipientOf, now: datetime, scope: str | None = None
) -> Iterator[Row | Skipped]:
    """Yield the rows of a file: CSV with or without header, or JSON lines.

    Rows without a scope of their own get the one given, by default all mail.

    Raises:
        NotTabular: if the file is in another format; the message says what to do.
    """
    for record in records(lines, ADDRESS_COLUMNS, UNNAMED_COLUMNS):
        yield _row(record, recipient_of, now, scope) if record.values else Skipped(record.line, "unreadable")


def parse_addresses(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the line and the address of every row of a mailing list in one of these formats; "" if it has none.

    Raises:
        NotTabular: if the file is in another format; the message says what to do.
    """
    return ((record.line, _address(record)) for record in records(lines, ADDRESS_COLUMNS, UNNAMED_COLUMNS))


def _address(record: Record) -> str:
    address = _first(record.values, ADDRESS_COLUMNS)
    return "" if "\N{REPLACEMENT CHARACTER}" in address else address


def _row(record: Record, recipient_of: RecipientOf, now: datetime, scope: str | None) -> Row | Skipped:
    values = record.values
    address = _address(record)
    recipient = recipient_of(address)
    own_scope = values.get("scope") or scope or EVERYWHERE
    if recipient is None:
        return Skipped(record.line, "no-address")
    if not SCOPE.fullmatch(own_scope):
        return Skipped(record.line, "no-scope")
    if values.get("until") or values.get("liftedby"):
        return Skipped(record.line, "temporary")
    if scope is None and _first(values, TAG_COLUMNS) not in EVERY_TAG:
        return Skipped(record.line, "one-tag")
    reason = " ".join(_first(values, REASON_COLUMNS).split())[:MAX_REASON_CHARACTERS]
    listed_at = parse_time(_first(values, TIME_COLUMNS), now)
    return Row(record.line, recipient, bare_address(address), own_scope, reason, listed_at, source_of(values.keys()))


def source_of(columns: Iterable[str]) -> str:
    """Return whose export has these columns."""
    present = frozenset(columns)
    return next((name for signature, name in SOURCES.items() if signature <= present), UNKNOWN_SOURCE)


def parse_time(text: str, now: datetime) -> datetime | None:
    """Parse a time: ISO 8601, RFC 2822, or seconds or milliseconds since 1970. None if it is none, or in the future.

    A time without an offset is UTC.
    """
    for parse in (_parse_number, datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text.removesuffix(" UTC"))
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError, OSError, TypeError, IndexError):
            continue
        return moment if moment <= now else None
    return None


def _parse_number(text: str) -> datetime:
    number = float(text)
    return datetime.fromtimestamp(number / 1000 if number >= MILLISECONDS_FROM else number, UTC)


def _first(values: Mapping[str, str], columns: Iterable[str]) -> str:
    """Return the first value that is not empty."""
    return next((value for column in columns if (value := values.get(column, ""))), "")


def skip_reason(row: Row, entry: Entry | None, *, is_forgotten: bool = False, force: bool = False) -> str | None:
    """Return why a row changes nothing here, given the recipient's entry in the row's scope; None if it does.

    A temporary entry does not suffice: when it ends, the recipient would no longer be suppressed.
    """
    if is_forgotten:
        return "forgotten"
    if entry is None:
        return None
    if entry.lifted_by is None and entry.until is None:
        return "already-suppressed"
    is_newer = row.listed_at and entry.until and row.listed_at > entry.until
    return "removed-here" if entry.lifted_by == "removed-by-operator" and not is_newer and not force else None


def note_of(row: Row) -> str:
    """Return the note of a row's entry: where it comes from, and the reason there."""
    when = f", listed {row.listed_at:%Y-%m-%d}" if row.listed_at else ""
    return f"Imported from {row.source}{when}{': ' if row.reason else ''}{row.reason}"


def act_of(row: Row, operator: str, now: datetime) -> Event:
    """Return the operator's act that imports a row. A repetition has the same key, so that it changes nothing.

    It occurs now: one of the time when the source listed the address would have expired from the ledger already.
    """
    identity = [row.recipient, row.scope, row.source, row.reason, str(row.listed_at)]
    return Event(
        kind=ADDED,
        message_id=f"{OPERATOR_ID}import-{ledger.digest(identity)}",
        occurred_at=now.replace(microsecond=now.microsecond // 1000 * 1000),
        recipient=row.recipient,
        recipient_raw=row.address if row.address != row.recipient else None,
        operator=operator,
        note=note_of(row),
        scope=None if row.scope == EVERYWHERE else row.scope,
    )
