"""Implement `aftersend inspect`: show how Aftersend parses records and whether they would suppress."""

import io
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from aftersend.aws.archive import MAX_LINE_BYTES, decompress, lines
from aftersend.cli.failure_output import printable
from aftersend.cli.text_files import STANDARD_INPUT
from aftersend.events import Event, Preferences
from aftersend.operations.failures import quarantined_record
from aftersend.parsing import MAX_INVOCATION_BYTES, Ignored, Options, ParseResult, Unreadable, parse
from aftersend.parsing.reasons import IGNORED_REASONS, UNREADABLE_REASONS
from aftersend.recorder import rejection_reason
from aftersend.suppression import EARLIEST, Policy, decide, rule_for_feedback

DEFAULT_POLICY = Policy()
OPTIONS = Options(keep_subject=True)


EVENT_FIELDS = [
    name
    for name in Event.__struct_fields__
    if name not in ("recipient_raw", "coerced_fields", "operator", "scope", "list_reason", "note")
]
"""Fields of an event that are shown under their own name. Records are about neither operators' acts nor SES's account
suppression list."""
LINE_FIELDS = ["file", "record", "outcome", "reason", *EVENT_FIELDS, "rule", "suppresses", "coerced_fields"]

Line = dict[str, Any]
"""One line of `--json`: an event, or a record without events (`reason` is an id from docs/events.md). It has all of
LINE_FIELDS; those that do not apply are null."""


def inspect(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            help="Files with one payload each: a record in any envelope, the event of a Lambda invocation, or an "
            "object of the archive or of its quarantine (plain or gzip). `-`, or no file, reads standard input.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print a line of JSON for each event (one per recipient) or record without events."
        ),
    ] = False,
) -> None:
    """Show how Aftersend parses SES records, and whether they would suppress a recipient.

    For each record: its kind, recipients, tags and times, the fields that were coerced to the expected type, the
    suppression rule that applies to the record by itself and whether it would suppress. For a record without events:
    the reason. This command sends nothing anywhere. The exit code is 1 if a file cannot be read; unreadable records do
    not change it. Names that a terminal cannot show are quoted as in a shell: `$'caf\\xe9.json'`.

    Examples:

    - `aftersend inspect bounce.json`

    - `pbpaste | aftersend inspect`

    - `aftersend inspect --json archive/*.gz | jq -r 'select(.suppresses) | .recipient'`
    """
    results = [_inspect_file(file, as_json=as_json) for file in files or [STANDARD_INPUT]]
    sys.stdout.flush()
    if not all(results):
        raise typer.Exit(1)


def _inspect_file(file: Path, *, as_json: bool) -> bool:
    """Print the records of a file, and return whether it could be read."""
    console = Console(highlight=False, soft_wrap=True)
    name = _quote(str(file))
    try:
        for number, result in enumerate(_parse_file(file)):
            if as_json:
                for line in _lines(name, number, result):
                    values = {name: _json_value(value) for name, value in line.items()}
                    sys.stdout.write(msgspec.json.encode(values).decode() + "\n")
            else:
                console.print(_format_record(name, number, result))
    except BrokenPipeError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        typer.echo(f"{name}: {getattr(error, 'strerror', None) or error}", err=True)
        return False
    return True


def _parse_file(file: Path) -> Iterator[ParseResult]:
    """Parse a file as one payload or, if it is too long for one, line by line."""
    with _open(file) as raw:
        if quarantined_record(decompress(raw).readline(MAX_LINE_BYTES)) is not None:
            raw.seek(0)
            for _, line in lines(decompress(raw)):
                record = quarantined_record(line)
                yield from parse(line if record is None else record, OPTIONS)
            return
        raw.seek(0)
        payload = decompress(raw).read(MAX_INVOCATION_BYTES + 1)
        if len(payload) <= MAX_INVOCATION_BYTES:
            yield from parse(payload, OPTIONS, max_bytes=MAX_INVOCATION_BYTES)
            return
        raw.seek(0)
        for _, line in lines(decompress(raw)):
            yield from parse(line, OPTIONS)


def _open(file: Path) -> io.BufferedReader | io.BufferedRandom:
    """Open a regular file, or a seekable copy of standard input. Opening any other file, such as a FIFO, may block."""
    if file != STANDARD_INPUT:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            raise OSError("This is a directory: name the files in it.")
        if not stat.S_ISREG(mode):
            raise OSError("This is not a regular file: pipe its content into `aftersend inspect -`.")
        return file.open("rb")
    if sys.stdin.isatty():
        typer.echo("Reading from the terminal: paste a payload, then press Ctrl-D on an empty line.", err=True)
    copy = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    shutil.copyfileobj(sys.stdin.buffer, copy)
    copy.seek(0)
    return copy


def _lines(file: str, record: int, result: ParseResult) -> list[Line]:
    common = dict.fromkeys(LINE_FIELDS) | {"file": file, "record": record}
    if isinstance(result, Ignored | Unreadable):
        return [common | {"outcome": type(result).__name__.lower(), "reason": result.reason}]
    return [common | {"outcome": "event"} | _event_values(event) for event in result]


def _event_values(event: Event) -> dict[str, Any]:
    """Return every field of an event, its rule and whether it suppresses; the recipient is spelled as in the record."""
    rule, now = rule_for_feedback(event, DEFAULT_POLICY), event.occurred_at or EARLIEST
    entries = decide([event], DEFAULT_POLICY, now).values()
    return {name: getattr(event, name) for name in EVENT_FIELDS} | {
        "recipient": event.recipient_raw or event.recipient,
        "source": event.source or None,
        "rule": rule.id if rule else None,
        "suppresses": any(entry.is_in_force(now) for entry in entries),
        "coerced_fields": list(event.coerced_fields),
    }


def _json_value(value: Any) -> Any:
    if isinstance(value, Preferences):
        return msgspec.structs.asdict(value)
    return _format_time(value) if isinstance(value, datetime) else value


def _format_time(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


TITLE_FIELDS = ("file", "record", "outcome", "kind")
"""Fields that are shown in the title of a record."""
COLOURS = {"event": "green", "ignored": "yellow", "unreadable": "red"}
INDENT = "  "
NAME_WIDTH = max(len(name) for name in LINE_FIELDS) + 2


def _format_record(file: str, record: int, result: ParseResult) -> Text:
    """Format a record for people: the values that all its events share, then each event's own."""
    record_lines = _lines(file, record, result)
    outcome = record_lines[0]["outcome"]
    title = f"{printable(record_lines[0]['kind'] or outcome)}\n"
    text = Text().append(f"{file}, record {record}: ").append(title, f"bold {COLOURS[outcome]}")
    if isinstance(result, Ignored | Unreadable):
        rows = {"reason": f"{result.reason}: {(IGNORED_REASONS | UNREADABLE_REASONS)[result.reason]}"}
        if isinstance(result, Unreadable):
            rows["detail"] = result.detail
        return text.append(_format_rows(rows))
    events = [_event_rows(line) for line in record_lines]
    shared = {name: value for name, value in events[0].items() if all(rows.get(name) == value for rows in events)}
    rejection = rejection_reason(result)
    not_recorded = {"not recorded": f"{rejection.reason}: {UNREADABLE_REASONS[rejection.reason]}"} if rejection else {}
    text.append(_format_rows(shared | not_recorded))
    for rows in events if len(events) > 1 else ():
        own = {name: value for name, value in rows.items() if name not in shared}
        text.append(_format_rows(own, bullet="- "))
    return text


def _event_rows(line: Line) -> dict[str, Any]:
    """Return all values of an event that are not empty, in the order of `--json`, by the names that are shown."""
    return {
        name.replace("_", " "): value
        for name, value in line.items()
        if name not in TITLE_FIELDS and value not in (None, "", [], {})
    }


def _format_rows(values: dict[str, Any], bullet: str = "") -> str:
    rows = [(name, text) for name, value in values.items() for text in _format_value(value)]
    formatted, previous = "", None
    for name, text in rows:
        lead = bullet if previous is None else INDENT if bullet else ""
        shown_name = "" if name == previous else name
        formatted += f"{INDENT}{lead}{shown_name:<{NAME_WIDTH - len(lead)}}{printable(text)}\n"
        previous = name
    return formatted


def _format_value(value: Any) -> list[str]:
    """Format a value as one or more lines."""
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, dict):
        return [f"{name} = {', '.join(values)}" for name, values in value.items()]
    if isinstance(value, Preferences):
        topics = [f"{topic}: {status}" for topic, status in value.topics.items()]
        return ["unsubscribed from all"] * value.unsubscribe_all + topics
    if isinstance(value, datetime):
        return [_format_time(value)]
    return [", ".join(value)] if isinstance(value, list) else [str(value)]


def _quote(name: str) -> str:
    """Quote a file's name as a shell reads it, unless it can be printed as it is."""
    if name.isprintable():
        return name
    return "$'" + "".join(c if c.isprintable() and c not in "'\\" else _hexadecimal(c) for c in name) + "'"


def _hexadecimal(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))
