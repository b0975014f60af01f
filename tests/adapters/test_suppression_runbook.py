"""Run the commands of the section "Suppression" of docs/operations.md in order: each must print what the page shows."""

import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aftersend.cli.main import app
from aftersend.suppression import Policy
from tests.adapters.suppression_shop import SuppressionShop, shop
from tests.event_factory import a_bounce, a_complaint, an_event

__all__ = ["shop"]

PAGE = Path(__file__).parent.parent.parent / "docs" / "operations.md"
SECTION = PAGE.read_text().partition("\n## Suppression\n")[2].partition("\n## ")[0]
EXAMPLES = re.findall(
    r"^    \$ (aftersend suppressions .*)\n((?:    (?!\$).*\n|\n(?=    [^$\n]))*)", SECTION, re.MULTILINE
)

TIME = re.compile(r"\d\d \w{3} \d{4} \d\d:\d\d UTC")
ANSWER = re.compile(r"(?<=\[y/N\] )y\n")

DAYS_AGO = datetime.now(UTC) - timedelta(days=7)
OUTAGE = [f"{name}@provider.example" for name in ("ada", "ben", "cem", "dee", "eve", "fay")]


def record_events(shop: SuppressionShop) -> None:
    shop.set_policy(Policy(account_list="sync"))
    now, raw, diagnosis = datetime.now(UTC), "Reader@mail.example", "smtp; 550 5.1.1 user unknown"
    bounces = [a_bounce(recipient=each, message=each, sent_at=now - timedelta(hours=2)) for each in OUTAGE]
    shop.record(
        an_event("Send", sent_at=DAYS_AGO, minutes=0),
        a_bounce(sent_at=DAYS_AGO, recipient_raw=raw, diagnostic_code=diagnosis),
        a_complaint(recipient="ann@mail.example", sent_at=DAYS_AGO),
        *bounces,
    )
    shop.put_on_account_list("Reader@mail.example")


def comparable(output: str) -> list[str]:
    """Return lines without times, indentation and blank lines."""
    lines = (" ".join(TIME.sub("TIME", line).split()) for line in ANSWER.sub("\n", output).splitlines())
    return [line for line in lines if line]


BOUNCES = """email,created,reason,status
old-1@mail.example,1773480413,550 5.1.1 unknown,5.1.1
old-2@mail.example,1773480413,550 5.1.1 unknown,5.1.1
no address,1773480413,,
caller@mail.example,1773480413,,
reader@mail.example,1773480413,550 5.1.1 unknown,5.1.1
"""


def write_files() -> None:
    Path("readers.csv").write_text("email\nREADER@mail.example\nann@mail.example\nnew@mail.example\nno address\n")
    Path("bounces.csv").write_text(BOUNCES)
    Path("changed.toml").write_text('[suppression.effects]\ncomplaint = "none"\n')


def printed(command: str, answer: str) -> str:
    words = shlex.split(command)[1:]
    words = [DAYS_AGO.isoformat() if word == "2026-11-24" else word for word in words]
    result = CliRunner().invoke(app, words, input=answer)
    assert result.exit_code in (0, 1), result.output
    return result.output


@pytest.mark.slow
@pytest.mark.usefixtures("moto_dynamodb")
def test_commands_print_what_the_page_shows(shop: SuppressionShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write_files()
    record_events(shop)
    assert len(EXAMPLES) > 6
    for command, shown in EXAMPLES:
        if " rebuild " in command:  # deployed meanwhile
            shop.set_policy(Policy(account_list="sync", effects={"complaint": "none"}))
        answer = "y\n" if ANSWER.search(shown) else ""
        output = printed(command.replace("--env prod", "--env shop"), answer).replace("of shop", "of prod")
        assert comparable(output) == comparable(shown), f"{command}\n{output}"


def test_every_task_of_the_section_shows_a_command():
    tasks = SECTION.split("\n### ")[1:]
    assert all("    $ aftersend suppressions " in task for task in tasks)
