"""Implement `aftersend tags check`: what SES and an environment do with the tags of a message."""

import sys
from collections.abc import Iterator
from email import message_from_binary_file, message_from_string
from email.message import Message
from pathlib import Path
from typing import Annotated

import typer

from aftersend.cli.deployment import CANNOT_QUERY, one_sentence
from aftersend.cli.failure_output import printable
from aftersend.cli.text_files import STANDARD_INPUT
from aftersend.config import Environment, InvalidEnvironment, load
from aftersend.sending import Outcome, TagCheck, check_headers, check_parameters

NOT_ACCEPTED = 1
"""Exit code: SES would refuse or drop a tag."""


def check(
    pairs: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Tags given to an operation.", show_default=False)
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(metavar="LINE", help="A header, as `X-SES-MESSAGE-TAGS: a=b, c=d`. Repeatable.")
    ] = None,
    message: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file with a MIME message; - is standard input.")
    ] = None,
    env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Say what environments/NAME.toml counts, and read its headers.")
    ] = None,
) -> None:
    """Check which message tags SES accepts, refuses or silently drops, and which of them are counted.

    Calls nothing of AWS. Tags in a parameter replace those of the header X-SES-MESSAGE-TAGS altogether. With `--env`,
    headers in its `tag_headers` are checked too: they become tags where a message has no tag of that name.

    Exit codes: 0 SES accepts every tag, 1 it refuses or drops some, 2 there is no tag, or a file cannot be read.

    Examples:

    - `aftersend tags check campaign=spring-catalogue genre=sci-fi --env prod`

    - `aftersend tags check --message message.eml`
    """
    with one_sentence(InvalidEnvironment, code=CANNOT_QUERY):
        environment = load(env) if env else None
    results = check_parameters((name, value if is_pair else None) for name, is_pair, value in map(_split, pairs or ()))
    tag_headers = environment.tag_headers if environment else {}
    results += check_headers([*_headers(header or [], message)], tag_headers, has_parameters=bool(pairs))
    if not results:
        raise typer.BadParameter("There is no tag: name NAME=VALUE, or a message or header that has some.")
    for result in results:
        typer.echo(printable(_line(result, environment)))
    if any(result.outcome is not Outcome.ACCEPTED for result in results):
        raise typer.Exit(NOT_ACCEPTED)


def _split(pair: str) -> tuple[str, bool, str]:
    name, separator, value = pair.partition("=")
    return name, bool(separator), value


def _headers(lines: list[str], file: Path | None) -> Iterator[tuple[str, str]]:
    """Yield the headers of lines and of a file, as they are written."""
    for line in lines:
        if ":" not in line:
            raise typer.BadParameter(f"{line!r} is no header: write NAME: VALUE.")
        yield from _unfolded(message_from_string(line))
    if file == STANDARD_INPUT:
        yield from _unfolded(message_from_binary_file(sys.stdin.buffer))
    elif file:
        try:
            with file.open("rb") as content:
                yield from _unfolded(message_from_binary_file(content))
        except OSError as error:
            raise typer.BadParameter(f"{file} cannot be read: {error.strerror}.") from None


def _unfolded(message: Message) -> Iterator[tuple[str, str]]:
    for name, value in message.raw_items():
        text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        yield name, "".join(text.splitlines()).strip()


def _line(result: TagCheck, environment: Environment | None) -> str:
    """Return what becomes of a tag."""
    if result.outcome is not Outcome.ACCEPTED:
        becomes = f": {result.reason}"
    elif environment is None:
        becomes = ""
    else:
        becomes = (
            ", counted" if result.name in environment.counted_tags else f", not in counted_tags of {environment.name}"
        )
    tag = f"{result.name}={result.value}" if result.name else result.value
    return f"{result.source}: {tag} {result.outcome}{becomes}"
