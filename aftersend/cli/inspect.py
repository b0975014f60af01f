"""`aftersend inspect`: what the pipeline makes of a record."""

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

from aftersend.aws.archive import LINE_BYTES, lines, unpacked
from aftersend.events import Event, Preferences
from aftersend.operations.failures import quarantined_record
from aftersend.parsing.parser import MAX_PAYLOAD_BYTES, Ignored, ParseResult, Unreadable, parse
from aftersend.parsing.reasons import IGNORED_REASONS, UNREADABLE_REASONS
from aftersend.recorder import rejection_reason
from aftersend.suppression import Policy, decide, rule_for_feedback

STANDARD_INPUT = Path("-")
POLICY = Policy()
"""As an environment has it that sets none."""


class Line(msgspec.Struct):
    """One line of `--json`: an event, or a record that came to none. What does not apply is null."""

    file: str
    record: int
    """From 0 within the file."""
    outcome: str
    """event, ignored or unreadable"""
    reason: str | None = None
    """A word of the table in docs/events.md."""
    kind: str | None = None
    message_id: str | None = None
    recipient: str | None = None
    """As given, without the display name."""
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


SHARED = [name for name in Line.__struct_fields__ if name in Event.__struct_fields__]
"""What a line says of an event by the event's own names."""


def inspect(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            help="Files with a payload each, as it arrived: a record, in whatever envelope; a Lambda invocation; an "
            "object of the archive or of its quarantine, plain or gzip. `-`, or none, is standard input.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="One line of JSON for each event (so for each recipient), or for a record without one."
        ),
    ] = False,
) -> None:
    """Tell what the pipeline makes of records.

    For each record: its kind, recipients, tags and times, which of its fields were coerced, which rule of the
    suppression policy applies to it alone and whether it would suppress; or why it holds no event. Nothing is sent
    anywhere. The exit code is 0 also for records nobody can read, and 1 if a file cannot be opened.

    Examples:

    - `aftersend inspect bounce.json`

    - `pbpaste | aftersend inspect`

    - `aftersend inspect --json archive/*.gz | jq -r 'select(.suppresses) | .recipient'`
    """
    console = Console(highlight=False, soft_wrap=True)
    failed = False
    for file in files or [STANDARD_INPUT]:
        try:
            for number, outcome in enumerate(_outcomes(file)):
                if as_json:
                    for line in _lines(str(file), number, outcome):
                        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
                else:
                    console.print(_told(str(file), number, outcome))
        except (OSError, EOFError, zlib.error) as error:
            if isinstance(error, BrokenPipeError):
                raise
            typer.echo(f"{file}: {getattr(error, 'strerror', None) or error}", err=True)
            failed = True
    sys.stdout.flush()
    if failed:
        raise typer.Exit(1)


def _outcomes(file: Path) -> Iterator[ParseResult]:
    """What the records of a file became: of a payload, or, where it is longer than any, of each of its lines."""
    with _opened(file) as raw:
        if quarantined_record(unpacked(raw).readline(LINE_BYTES)) is not None:
            raw.seek(0)
            for _, line in lines(unpacked(raw)):
                record = quarantined_record(line)
                yield from parse(line if record is None else record)
            return
        raw.seek(0)
        payload = unpacked(raw).read(MAX_PAYLOAD_BYTES + 1)
        if len(payload) <= MAX_PAYLOAD_BYTES:
            yield from parse(payload)
            return
        raw.seek(0)
        for _, line in lines(unpacked(raw)):
            yield from parse(line)


def _opened(file: Path) -> io.BufferedReader | io.BufferedRandom:
    """The file, or what came over standard input, to be read more than once."""
    if file != STANDARD_INPUT:
        return file.open("rb")
    if sys.stdin.isatty():
        typer.echo("Reading from the terminal: paste a payload, end it with Ctrl-D on a line of its own.", err=True)
    kept = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    shutil.copyfileobj(sys.stdin.buffer, kept)
    kept.seek(0)
    return kept


def _lines(file: str, record: int, outcome: ParseResult) -> list[Line]:
    if isinstance(outcome, Ignored | Unreadable):
        return [Line(file, record, type(outcome).__name__.lower(), reason=outcome.reason)]
    return [_line(file, record, event) for event in outcome]


def _line(file: str, record: int, event: Event) -> Line:
    rule, entry = rule_for_feedback(event, POLICY), decide([event], POLICY)
    values: dict[str, Any] = {name: getattr(event, name) for name in SHARED}
    values |= {
        "recipient": event.recipient_raw or event.recipient,
        "occurred_at": _written(event.occurred_at),
        "sent_at": _written(event.sent_at),
        "source": event.source or None,
        "rule": rule.id if rule else None,
        "suppresses": entry is not None and entry.lifted_by is None,
        "coerced_fields": list(event.coerced_fields),
    }
    return Line(file, record, "event", **values)


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


ABOVE = ("file", "record", "outcome", "kind")
"""Told in the line above an event's facts."""
APART = (*ABOVE, "recipient_raw", "rule", "suppresses", "coerced_fields")
COLOURS = {"event": "green", "ignored": "yellow", "unreadable": "red"}
INDENT = "  "
WIDTH = max(len(name) for name in Event.__struct_fields__) + 2


def _told(file: str, record: int, outcome: ParseResult) -> Text:
    """A record for a person: what its events have in common once, then what is each recipient's own."""
    told = Text()
    found = _lines(file, record, outcome)
    title = found[0].kind or found[0].outcome
    told.append(f"{file}, record {record}: ").append(f"{_shown(title)}\n", f"bold {COLOURS[found[0].outcome]}")
    if isinstance(outcome, Ignored | Unreadable):
        told.append(_rows({"reason": f"{outcome.reason}: {(IGNORED_REASONS | UNREADABLE_REASONS)[outcome.reason]}"}))
        if isinstance(outcome, Unreadable):
            told.append(_rows({"detail": outcome.detail}))
        return told
    each = [_facts(event, line) for event, line in zip(outcome, found, strict=True)]
    common = {name: value for name, value in each[0].items() if all(facts.get(name) == value for facts in each)}
    if why := rejection_reason(outcome):
        common["not recorded"] = f"{why.reason}: {UNREADABLE_REASONS[why.reason]}"
    told.append(_rows(common))
    for facts in each if len(each) > 1 else ():
        told.append(_rows({name: value for name, value in facts.items() if name not in common}, first="- "))
    return told


def _facts(event: Event, line: Line) -> dict[str, Any]:
    """All that was read of an event, what `--json` says first."""
    names = dict.fromkeys((*(name for name in Line.__struct_fields__ if name not in ABOVE), *event.__struct_fields__))
    values = {name: getattr(line, name, None) or getattr(event, name, None) for name in names if name not in APART}
    values |= {"rule": line.rule, "suppresses": line.suppresses, "coerced_fields": line.coerced_fields}
    return {name.replace("_", " "): value for name, value in values.items() if value not in (None, "", (), [], {})}


def _rows(facts: dict[str, Any], first: str = "") -> str:
    rows = [(name, text) for name, value in facts.items() for text in _texts(value)]
    told, previous = "", None
    for name, text in rows:
        lead = first if previous is None else INDENT if first else ""
        told += f"{INDENT}{lead}{'' if name == previous else name:<{WIDTH - len(lead)}}{_shown(text)}\n"
        previous = name
    return told


def _texts(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, dict):
        return [f"{name} = {', '.join(values)}" for name, values in value.items()]
    if isinstance(value, Preferences):
        topics = [f"{topic}: {status}" for topic, status in value.topics.items()]
        return ["unsubscribed from all"] * value.unsubscribe_all + topics
    if isinstance(value, datetime):
        return [str(_written(value))]
    return [", ".join(value)] if isinstance(value, list | tuple) else [str(value)]


def _shown(text: str) -> str:
    """The text without what a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
