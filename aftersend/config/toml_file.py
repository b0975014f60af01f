"""Read TOML files, and explain in words what is wrong with one and in which line."""

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

KeyPath = list[str | int]

POSITION = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
"""How tomllib ends its messages."""

EXPLANATIONS = (
    (
        re.compile(r"Cannot declare \((?P<names>.*?),?\) twice"),
        "the section [{section}] stands in the file twice. Put all its keys into one.",
    ),
    (
        re.compile("Cannot overwrite a value"),
        "a key is given twice, or a section has the name of a key. Keep one of the two.",
    ),
)
"""Messages of tomllib that are hard to understand, and what they mean."""


class InvalidToml(Exception):
    """Raised for a file that is not valid TOML. The message names the line."""


def display_path(path: Path) -> str:
    """Return a path as people type it: relative to the working folder if it is below it, else absolute."""
    absolute, folder = Path(os.path.abspath(path)), Path.cwd()
    return str(absolute.relative_to(folder) if folder in absolute.parents else absolute)


def read_toml(file: Path) -> dict[str, Any]:
    """Return the content of a file in UTF-8, with or without a byte order mark.

    Raises:
        InvalidToml: if it cannot be parsed.
    """
    content = file.read_bytes()
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidToml(f"line {line}: the file is not valid TOML: it is not encoded in UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidToml(_explain(str(error), last_line=content.rstrip().count(b"\n") + 1)) from error


def _explain(message: str, last_line: int) -> str:
    position = POSITION.search(message)
    line = int(position["line"]) if position and position["line"] else last_line
    problem = message[: position.start()] if position else message
    for pattern, explanation in EXPLANATIONS:
        if match := pattern.fullmatch(problem):
            section = ".".join(re.findall(r"'([^']*)'", match.groupdict().get("names") or ""))
            return f"line {line}: {explanation.format(section=section)}"
    return f"line {line}: the file is not valid TOML: {problem}."


def format_path(path: KeyPath) -> str:
    """Format a key as TOML writes it, for example `identities."bookshop.example".notifications[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            is_bare = part.replace("_", "").replace("-", "").isalnum() and part.isascii()
            text += f"{'.' if text else ''}{part if is_bare else json.dumps(part, ensure_ascii=False)}"
    return text
