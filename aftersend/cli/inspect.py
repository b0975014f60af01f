"""Implement `aftersend inspect`: show how Aftersend parses records and whether they would suppress."""

import io
import shutil
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
from aftersend.events import Event, Preferences
from aftersend.operations.failures import quarantined_record
from aftersend.parsing import MAX_PAYLOAD_BYTES, Ignored, ParseResult, Unreadable, parse
from aftersend.parsing.reasons import IGNORED_REASONS, UNREADABLE_REASONS
from aftersend.recorder import rejection_reason
from aftersend.suppression import Policy, decide, rule_for_feedback

STANDARD_INPUT = Path("-")
DEFAULT_POLICY = Policy()


class Line(msgspec.Struct):
    """Hold one line of `--json`: an event, or a record without events. Fields that do not apply are null."""

    file: str
    record: int
    """The number of the record in the file, from 0."""
    outcome: str
    """`event`, `ignored` or `unreadable`."""
    reason: str | None = None
    """Why there is no event: an id from docs/events.md."""
    kind: str | None = None
    message_id: str | None = None
    recipient: str | None = None
    """As the record spells it, without the display name."""
    occurred_at: str | None = None
    sent_at: str | None = None
    source: str | None = None
    tags: dict[str, list[str]] | None = None
    bounce_type: str | None = None
    bounce_subtype: str | None = None
    feedback_type: str | None = None
    complaint_subtype: str | None = None
    feedback_id: str | None = None
    link: str | None = None
    delay_type: str | None = None
    reject_reason: str | None = None
    template_name: str | None = None
    error_message: str | None = None
    contact_list: str | None = None
    rule: str | None = None
    suppresses: bool | None = None
    coerced_fields: list[str] | None = None


SAME_NAMES = [name for name in Line.__struct_fields__ if name in Event.__struct_fields__]
"""Fields of a line with the name and meaning of an event's field."""


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
    the reason. This command sends nothing anywhere. The exit code is 1 if a file cannot be opened; unreadable records
    do not change it.

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
    """Print the records of a file, and tell whether it could be read."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        for number, result in enumerate(_parse_file(file)):
            if as_json:
                for line in _lines(str(file), number, result):
                    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
            else:
                console.print(_format_record(str(file), number, result))
    except BrokenPipeError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        typer.echo(f"{file}: {getattr(error, 'strerror', None) or error}", err=True)
        return False
    return True


def _parse_file(file: Path) -> Iterator[ParseResult]:
    """Parse a file as one payload or, if it is too long for one, line by line."""
    with _open(file) as raw:
        if quarantined_record(decompress(raw).readline(MAX_LINE_BYTES)) is not None:
            raw.seek(0)
            for _, line in lines(decompress(raw)):
                record = quarantined_record(line)
                yield from parse(line if record is None else record)
            return
        raw.seek(0)
        payload = decompress(raw).read(MAX_PAYLOAD_BYTES + 1)
        if len(payload) <= MAX_PAYLOAD_BYTES:
            yield from parse(payload)
            return
        raw.seek(0)
        for _, line in lines(decompress(raw)):
            yield from parse(line)


def _open(file: Path) -> io.BufferedReader | io.BufferedRandom:
    """Open a file, or a seekable copy of standard input."""
    if file != STANDARD_INPUT:
        return file.open("rb")
    if sys.stdin.isatty():
        typer.echo("Reading from the terminal: paste a payload, then press Ctrl-D on an empty line.", err=True)
    copy = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    shutil.copyfileobj(sys.stdin.buffer, copy)
    copy.seek(0)
    return copy


def _lines(file: str, record: int, result: ParseResult) -> list[Line]:
    if isinstance(result, Ignored | Unreadable):
        return [Line(file, record, type(result).__name__.lower(), reason=result.reason)]
    return [_line(file, record, event) for event in result]


def _line(file: str, record: int, event: Event) -> Line:
    rule, entry = rule_for_feedback(event, DEFAULT_POLICY), decide([event], DEFAULT_POLICY)
    values: dict[str, Any] = {name: getattr(event, name) for name in SAME_NAMES}
    values |= {
        "recipient": event.recipient_raw or event.recipient,
        "occurred_at": _format_time(event.occurred_at),
        "sent_at": _format_time(event.sent_at),
        "source": event.source or None,
        "rule": rule.id if rule else None,
        "suppresses": entry is not None and entry.lifted_by is None,
        "coerced_fields": list(event.coerced_fields),
    }
    return Line(file, record, "event", **values)


def _format_time(time: datetime | None) -> str | None:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z") if time else None


TITLE_FIELDS = ("file", "record", "outcome", "kind")
"""Fields that are shown in the title of a record."""
SEPARATE_FIELDS = (*TITLE_FIELDS, "recipient_raw", "rule", "suppresses", "coerced_fields")
"""Fields that are not listed with the others: in the title, last, or as part of another."""
COLOURS = {"event": "green", "ignored": "yellow", "unreadable": "red"}
INDENT = "  "
NAME_WIDTH = max(len(name) for name in Event.__struct_fields__) + 2


def _format_record(file: str, record: int, result: ParseResult) -> Text:
    """Format a record for people: the values that all its events share, then each event's own."""
    record_lines = _lines(file, record, result)
    outcome = record_lines[0].outcome
    title = f"{_escape(record_lines[0].kind or outcome)}\n"
    text = Text().append(f"{file}, record {record}: ").append(title, f"bold {COLOURS[outcome]}")
    if isinstance(result, Ignored | Unreadable):
        rows = {"reason": f"{result.reason}: {(IGNORED_REASONS | UNREADABLE_REASONS)[result.reason]}"}
        if isinstance(result, Unreadable):
            rows["detail"] = result.detail
        return text.append(_format_rows(rows))
    events = [_event_rows(event, line) for event, line in zip(result, record_lines, strict=True)]
    shared = {name: value for name, value in events[0].items() if all(rows.get(name) == value for rows in events)}
    rejection = rejection_reason(result)
    not_recorded = {"not recorded": f"{rejection.reason}: {UNREADABLE_REASONS[rejection.reason]}"} if rejection else {}
    text.append(_format_rows(shared | not_recorded))
    for rows in events if len(events) > 1 else ():
        own = {name: value for name, value in rows.items() if name not in shared}
        text.append(_format_rows(own, bullet="- "))
    return text


def _event_rows(event: Event, line: Line) -> dict[str, Any]:
    """Return all values of an event that are not empty, in the order of `--json`, by the names that are shown."""
    names = dict.fromkeys((*Line.__struct_fields__, *event.__struct_fields__))
    values = {
        name: getattr(line, name, None) or getattr(event, name, None) for name in names if name not in SEPARATE_FIELDS
    }
    values |= {"rule": line.rule, "suppresses": line.suppresses, "coerced_fields": line.coerced_fields}
    return {name.replace("_", " "): value for name, value in values.items() if value not in (None, "", (), [], {})}


def _format_rows(values: dict[str, Any], bullet: str = "") -> str:
    rows = [(name, text) for name, value in values.items() for text in _format_value(value)]
    formatted, previous = "", None
    for name, text in rows:
        lead = bullet if previous is None else INDENT if bullet else ""
        shown_name = "" if name == previous else name
        formatted += f"{INDENT}{lead}{shown_name:<{NAME_WIDTH - len(lead)}}{_escape(text)}\n"
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
        return [str(_format_time(value))]
    return [", ".join(value)] if isinstance(value, list | tuple) else [str(value)]


def _escape(text: str) -> str:
    """Escape characters that would control the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
