"""Read and write the text files that commands are given: line by line, with progress on standard error."""

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

import typer

from aftersend.cli.suppression_options import advance, progress

STANDARD_INPUT = Path("-")

MAX_LINE_CHARACTERS = 1_000_000
"""A longer line is read in parts, so that a file without line breaks is never in memory as a whole."""


@contextmanager
def open_lines(file: Path, action: str) -> Generator[Iterator[str]]:
    """Open a file to read its lines, which are counted as they are read. What is not UTF-8 is replaced: it costs its
    row."""
    if file == STANDARD_INPUT:
        yield _counted(TextIOWrapper(sys.stdin.buffer, "utf-8", errors="replace", newline=""), action, None)
        return
    try:
        with file.open(encoding="utf-8", errors="replace", newline="") as text:
            yield _counted(text, action, _count_lines(file))
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}.") from None


def _counted(text: TextIO, action: str, total: int | None) -> Iterator[str]:
    with progress(action, total) as bar:
        while line := text.readline(MAX_LINE_CHARACTERS):
            yield line
            advance(bar)


def _count_lines(file: Path) -> int | None:
    """Count the lines of a file; None of a pipe, which can be read only once."""
    if not file.is_file():
        return None
    with file.open("rb") as content:
        return sum(block.count(b"\n") for block in iter(lambda: content.read(MAX_LINE_CHARACTERS), b""))


@contextmanager
def open_writer(file: Path | None, source: Path | None = None) -> Generator[Callable[[str], object]]:
    """Open a file for writing, and give the function that writes to it; one that does nothing if there is no file.

    The file that is read, the source, is refused: it would be emptied before it is read.
    """
    if file is None:
        yield lambda _: None
        return
    if source and file.exists() and source.exists() and file.samefile(source):
        raise typer.BadParameter(f"{file} is the file that is read: name another one to write to.")
    try:
        with file.open("w", encoding="utf-8", newline="") as output:
            yield output.write
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be written: {error.strerror}.") from None
