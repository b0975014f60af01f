"""Run `aftersend tags check` as a person or a script does."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from aftersend.cli import tags_check
from aftersend.cli.main import app
from aftersend.config import load

HEADER = "X-SES-MESSAGE-TAGS"


def check(*words: str, exits: int, given: bytes | str = "") -> list[str]:
    result: Result = CliRunner().invoke(app, ["tags", "check", *words], input=given)
    assert result.exit_code == exits, f"{result.output}{result.exception!r}"
    return result.stdout.splitlines()


def test_accepted_tag_says_whether_the_environment_counts_it():
    assert check("campaign=spring", "season=summer", "--env", "prod", exits=0) == [
        "parameter: campaign=spring accepted, counted",
        "parameter: season=summer accepted, not in counted_tags of prod",
    ]
    assert check("campaign=spring", exits=0) == ["parameter: campaign=spring accepted"]


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        ("genre=sci fi", 'The value of the tag "genre" contains " " at position 4'),
        ("genre", '"genre" is no tag: write NAME=VALUE.'),
        ("ses:outgoing-ip=a", "reserved for SES"),
        ("a=b=c", 'contains "=" at position 2'),
        ("a=\x1b", "contains U+001B at position 1"),
    ],
)
def test_refused_tag_has_its_reason(pair: str, reason: str):
    [line] = check(pair, exits=1)
    assert " refused: " in line
    assert reason in line
    assert line.isprintable()


def test_header_is_found_in_any_letter_case():
    lines = check("--header", "x-ses-Message-tags: campaign=spring, genre = sci-fi,", exits=0)
    assert lines == [f"{HEADER}: campaign=spring accepted", f"{HEADER}: genre=sci-fi accepted"]


def test_tags_in_a_parameter_replace_those_of_the_header():
    lines = check("campaign=spring", "--header", f"{HEADER}: genre=sci-fi", exits=1)
    assert lines[0] == "parameter: campaign=spring accepted"
    assert lines[1].startswith(f"{HEADER}: genre=sci-fi dropped: ")


MESSAGE = f"""From: news@bookshop.example
{HEADER}: campaign=spring,
 genre=grün
X-Campaign: früh
x-genre: sci-fi

{HEADER}: text=of-the-body
"""


@pytest.mark.parametrize("is_file", [True, False])
def test_message_is_read_from_a_file_or_from_standard_input(tmp_path: Path, is_file: bool):
    file = tmp_path / "message.eml"
    file.write_text(MESSAGE)
    lines = check("--message", str(file) if is_file else "-", exits=1, given=MESSAGE.encode())
    assert lines[0] == f"{HEADER}: campaign=spring accepted"
    assert lines[1].startswith(f'{HEADER}: genre=grün refused: The value of the tag "genre" contains "ü"')
    assert len(lines) == 2


def test_headers_that_the_environment_reads_are_checked(monkeypatch: pytest.MonkeyPatch):
    changed = replace(load("prod"), tag_headers={"X-Campaign": "campaign", "X-Genre": "kind"})
    monkeypatch.setattr(tags_check, "load", lambda _: changed)
    lines = check("--message", "-", "--env", "prod", exits=1, given=MESSAGE.encode())
    assert lines[2].startswith('X-Campaign: campaign=früh dropped: The header X-Campaign contains "ü"')
    assert lines[3] == "x-genre: kind=sci-fi accepted, not in counted_tags of prod"


def test_encoded_words_have_no_tags():
    [line] = check("--header", f"{HEADER}: =?utf-8?q?campaign=3Dspring?=", exits=1)
    assert "encoded words" in line


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--header", "campaign=spring"),
        ("--header", "Subject: no tags"),
        ("--message", "no/such/file"),
        ("a=b", "--env", "no-such-environment"),
    ],
)
def test_mistake_is_no_result(words: tuple[str, ...]):
    assert check(*words, exits=2) == []
