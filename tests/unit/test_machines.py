"""Hold the table of machines to its documentation, and to the user agents it must not take for machines'."""

import re

import pytest

from aftersend.events import Machine
from aftersend.parsing.machines import (
    APPLE_PROXY,
    AS_OF,
    GMAIL_PREFETCH,
    MAX_USER_AGENT_CHARACTERS,
    SCANNERS,
    Scanner,
    machine,
)
from tests.record_files import EVENTS

PAGE = (EVENTS.parents[1] / "docs" / "events.md").read_text()

PEOPLE = [
    None,
    "",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.16327; Pro)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 "
    "Safari/537.36 Edge/12.246",
    "Mozilla/5.0 (Linux; Android 14; CUBOT NOTE) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0 Mobile",
    "okhttp/4.12.0",
]


@pytest.mark.parametrize("user_agent", PEOPLE)
def test_mail_program_and_proxy_that_loads_for_a_reader_are_a_person(user_agent: str | None):
    assert machine(None, user_agent) is None
    assert machine("Unlikely", user_agent) is None


@pytest.mark.parametrize("user_agent", [*PEOPLE, APPLE_PROXY, "curl/8.5.0"])
def test_mark_of_ses_comes_first(user_agent: str | None):
    assert machine("Likely", user_agent) is Machine.BOT_MARK


def test_proxy_of_apple_and_prefetch_of_gmail_are_recognized_by_their_whole_user_agent():
    assert machine("Unlikely", APPLE_PROXY) is Machine.PROXY
    assert machine("Unlikely", GMAIL_PREFETCH) is Machine.SCANNER
    assert machine(None, f"{APPLE_PROXY} (Macintosh)") is None


@pytest.mark.parametrize("scanner", SCANNERS, ids=lambda scanner: scanner.beginning)
def test_scanner_is_recognized_at_the_beginning_of_any_word(scanner: Scanner):
    for user_agent in (
        scanner.beginning,
        f"Mozilla/5.0 (compatible; {scanner.beginning.upper()}2.0; +https://a.example)",
    ):
        assert machine("Unlikely", user_agent) is Machine.SCANNER
    assert machine(None, f"Mozilla/5.0 x{scanner.beginning}") is None
    assert machine(None, f"{'a ' * MAX_USER_AGENT_CHARACTERS}{scanner.beginning}") is None


def test_page_has_the_same_table_and_day():
    section = PAGE.partition("## Opens and clicks by machines")[2].partition("\n## ")[0]
    assert f"as of {AS_OF}" in section
    assert re.findall(r"^\| `([^`]+)` \| ([^|]+) \| (\S+) \|$", section, re.MULTILINE) == list(SCANNERS)
