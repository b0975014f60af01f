"""Compare the figures of docs/performance.md with what their commands measure. Exit with 1 if one is off.

    python -m benchmarks.figures                      every figure
    python -m benchmarks.figures month cost           those whose command contains one of these words

Each command of the page's table, run with `--figures`, prints a JSON object: the name of each figure it measures, and
the figure. A row of the table is `| figure | value | command | tolerance |`. The tolerance is `exact` or a percentage
of the value. Figures are counts, ratios and simulated seconds, never measured ones, so that they are equal on every
machine.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
ROW = re.compile(r"^\| (?P<name>[^|]+?) \| (?P<value>[^|]+?) \| `(?P<command>[^|`]+)` \| (?P<tolerance>[^|]+?) \|$")
NUMBER = re.compile(r"\d[\d,]*(\.\d+)?")
TABLE_BEGIN, TABLE_END = "<!-- figures -->", "<!-- end of figures -->"
OPTION = "--figures"


class Figure(NamedTuple):
    """Hold one row of the table."""

    name: str
    value: float
    command: str
    tolerance: float
    """By how much the measured figure may differ, as a part of the value."""

    def is_off(self, measured: float | None) -> bool:
        return measured is None or abs(measured - self.value) > self.tolerance * self.value + 1e-9


def read_figures(page: str) -> list[Figure]:
    """Return the rows of the table.

    Raises:
        ValueError: if a row cannot be read.
    """
    _, _, table = page.partition(TABLE_BEGIN)
    rows = [line for line in table.partition(TABLE_END)[0].splitlines() if line.startswith("|")][2:]
    return [_figure(row) for row in rows]


def _figure(row: str) -> Figure:
    match = ROW.match(row)
    number = NUMBER.search(match["value"]) if match else None
    if not match or not number:
        raise ValueError(f"docs/performance.md: not a row `| figure | value | command | tolerance |`: {row}")
    return Figure(match["name"], _number(number[0]), match["command"], _tolerance(match["tolerance"]))


def _tolerance(text: str) -> float:
    return 0.0 if text == "exact" else _number(text.removesuffix("%").strip()) / 100


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def measure(commands: Iterable[str]) -> dict[str, float]:
    """Run each command once and return all figures by name."""
    measured: dict[str, float] = {}
    for command in dict.fromkeys(commands):
        print(f"{command} …", file=sys.stderr, flush=True)
        program, *arguments = shlex.split(command)
        program = sys.executable if program == "python" else program
        result = subprocess.run([program, *arguments, OPTION], stdout=subprocess.PIPE, check=True, text=True)
        measured |= json.loads(result.stdout)
    return measured


def print_figures(figures: Mapping[str, float]) -> None:
    """Print what a command measured, as this program reads it."""
    print(json.dumps(figures))


def is_asked_for(arguments: list[str]) -> bool:
    """Return whether a command is to print its figures and nothing else."""
    return OPTION in arguments


def main(words: list[str]) -> int:
    figures = [each for each in read_figures(PAGE.read_text()) if any(word in each.command for word in words or [""])]
    measured = measure(figure.command for figure in figures)
    off = 0
    for figure in figures:
        value = measured.get(figure.name)
        is_off = figure.is_off(value)
        off += is_off
        shown = "not measured" if value is None else f"{value:,.4g}" if value < 100 else f"{value:,.0f}"
        print(f"{'OFF ' if is_off else 'ok  '} {figure.name}: {figure.value:,g} in the page, {shown}")
    if off:
        print(f"\n{off} of {len(figures)} figures are off: correct docs/performance.md, or what they measure.")
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
