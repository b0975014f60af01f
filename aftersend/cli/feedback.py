"""Implement `aftersend feedback`: list who bounced, complained or unsubscribed, and why."""

import re
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import typer

from aftersend.aws.deployed_recorder import deployed_settings
from aftersend.aws.feedback_indexes import FeedbackIndexes
from aftersend.cli.deployment import CsvOption, EnvironmentOption, JsonOption, connected
from aftersend.cli.failure_output import print_json, printable
from aftersend.cli.replay import parse_time
from aftersend.cli.suppression_options import watched
from aftersend.events import Event, Kind
from aftersend.operations.feedback_listing import COLUMNS, FeedbackSelection, feedback_values, flat_values
from aftersend.operations.findings import quantity
from aftersend.operations.suppression_export import csv_line
from aftersend.suppression import Policy
from aftersend.suppression.explanation import format_time

DEFAULT_RANGE = timedelta(days=7)

AGE = re.compile(r"(\d{1,4})([dh])")

ROW = "{:21}  {:12}  {:22}  {:7}  {:22}  {:30}  {}  {}  {}"
"""Fixed widths: a row is printed as soon as it is read. SES's message ids are equally long."""
HEADINGS = ("sent", "kind", "type", "status", "rule", "address", "message", "tags", "diagnostic")
DIAGNOSTIC_CHARACTERS = 60


class FeedbackKind(StrEnum):
    """Name the values of `--kind`."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    SUBSCRIPTION = "subscription"


def parse_moment(text: str) -> datetime:
    """Parse a time in ISO 8601, or an age in days or hours, to the second: `7d`, `24h`."""
    if age := AGE.fullmatch(text):
        hours = int(age[1]) * (24 if age[2] == "d" else 1)
        return (datetime.now(UTC) - timedelta(hours=hours)).replace(microsecond=0)
    try:
        return parse_time(text).replace(microsecond=0)
    except typer.BadParameter as error:
        raise typer.BadParameter(f"{error.message} Or an age: 7d, 24h.") from None


def parse_tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise typer.BadParameter(f"{text!r} is no tag. Valid tags: NAME=VALUE, such as campaign=spring.")
    return name, value


MessageOption = Annotated[
    str | None, typer.Option(metavar="ID", help="Only about this message; the id that the sending call returned.")
]
TagOption = Annotated[
    list[Any] | None,
    typer.Option(
        "--tag", metavar="NAME=VALUE", parser=parse_tag, help="Only about messages with this tag. Repeatable."
    ),
]
SinceOption = Annotated[
    datetime | None,
    typer.Option(metavar="TIME", parser=parse_moment, help="Messages sent since a time, or 7d, 24h. Default: 7d."),
]
UntilOption = Annotated[
    datetime | None, typer.Option(metavar="TIME", parser=parse_moment, help="Messages sent before a time.")
]
KindOption = Annotated[list[FeedbackKind] | None, typer.Option("--kind", help="Only of this kind. Repeatable.")]


def feedback(
    env: EnvironmentOption,
    message: MessageOption = None,
    tag: TagOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    kind: KindOption = None,
    as_csv: CsvOption = False,
    as_json: JsonOption = False,
) -> None:
    """List bounces, complaints and subscriptions: who, about which message, and why.

    By default all about messages of the last seven days, in the order in which these were sent. The rule is the one of
    the deployed policy that applies to the event. Feedback is read page by page: memory does not grow with it.
    `--json` prints a line for each event, with all tags of the message.

    Exit codes: 0 done, 2 the deployment cannot be queried.

    Examples:

    - `aftersend feedback --env prod --tag campaign=spring --kind complaint --since 30d`

    - `aftersend feedback --env prod --tag campaign=spring --csv > spring.csv`

    - `aftersend feedback --env prod --message 0100018f3b6a2c10-5c8e0f3a-7e0c-4a68-9d3c-0b7a5f0e1d2c-000000`
    """
    if as_csv and as_json:
        raise typer.BadParameter("--csv and --json exclude each other.")
    kinds = frozenset(Kind[each.name].value for each in kind or ())
    selection = _selection(message, FeedbackSelection(tags=tuple(tag or ()), kinds=kinds, since=since, until=until))
    with connected(env) as target:
        deployment = target.deployment
        policy = deployed_settings(deployment).policy
        indexes = FeedbackIndexes(deployment.client("dynamodb"), deployment.output("LedgerTableName"))
        events, where = _read(indexes, message, selection)
        read = events if sys.stdout.isatty() else watched(events, "reading")
        looked_through = _print_selected(read, selection, policy, _printer(as_csv=as_csv, as_json=as_json))
    typer.echo(f"{looked_through} about {where}.", err=True)


def _selection(message: str | None, wanted: FeedbackSelection) -> FeedbackSelection:
    """Return what is wanted, within the default range if neither a message nor a range is named."""
    since, until = wanted.since, wanted.until
    if message is None:
        until = until or (datetime.now(UTC) + timedelta(seconds=1)).replace(microsecond=0)  # this second included
        since = since or until - DEFAULT_RANGE
    elif not message:
        raise typer.BadParameter("--message is empty: name the id that the sending call returned.")
    if since and until and since >= until:
        raise typer.BadParameter("--until must be later than --since.")
    return msgspec.structs.replace(wanted, since=since, until=until)


def _read(indexes: FeedbackIndexes, message: str | None, selection: FeedbackSelection) -> tuple[Iterable[Event], str]:
    """Return the events to select from, and what they are about, in words."""
    if message is None and selection.since and selection.until:
        times = f"from {format_time(selection.since)} to {format_time(selection.until)}"
        return indexes.sent_within(selection.since, selection.until), f"messages sent {times}"
    return indexes.of_message(message or ""), f"the message {printable(message or '')}"


def _print_selected(
    events: Iterable[Event], selection: FeedbackSelection, policy: Policy, show: Callable[[int, dict[str, Any]], None]
) -> str:
    """Print the events that are wanted, and return their number and that of all, in words."""
    number = selected = 0
    for event in events:
        number += 1
        if selection.includes(event):
            selected += 1
            show(selected, feedback_values(event, policy))
    return f"{quantity(selected, 'event') if selected else 'No events'}. Looked through: {quantity(number, 'event')}"


def _printer(*, as_csv: bool, as_json: bool) -> Callable[[int, dict[str, Any]], None]:
    """Return the function that prints an event, given its number and values. CSV has its header even without events."""
    if as_json:
        return lambda _, values: print_json(values)
    if as_csv:
        typer.echo(csv_line(COLUMNS), nl=False)
        return lambda _, values: typer.echo(csv_line(map(flat_values(values).get, COLUMNS)), nl=False)
    return _print_row


def _print_row(number: int, values: dict[str, Any]) -> None:
    if number == 1:
        typer.echo(ROW.format(*HEADINGS))
    flat = flat_values(values)
    kind = "/".join(filter(None, (flat["type"], flat["subtype"])))
    diagnostic = " ".join(flat["diagnostic_code"].split())
    if len(diagnostic) > DIAGNOSTIC_CHARACTERS:
        diagnostic = f"{diagnostic[:DIAGNOSTIC_CHARACTERS]}…"
    cells = (flat["kind"], kind, flat["status"], flat["rule"], flat["recipient"], flat["message_id"], flat["tags"])
    typer.echo(ROW.format(format_time(values["sent_at"]), *map(printable, (*cells, diagnostic))).rstrip())
