"""Render the documentation for the page: every alarm's section can be linked to, and no link leads nowhere."""

import re
from urllib.parse import urljoin

import pytest

from aftersend.cli.documentation import DOCS, documentation_page, render
from aftersend.config.alarms import ALARMS

PAGES = ["/runbook", *(f"/{file.relative_to(DOCS)}" for file in sorted(DOCS.rglob("*.md")))]


@pytest.fixture(scope="module")
def runbook() -> str:
    page = documentation_page("/runbook")
    assert page
    return page


@pytest.mark.parametrize("name", ALARMS)
def test_every_alarm_has_a_heading_with_the_id_that_its_description_names(runbook: str, name: str):
    assert f'<h3 id="{name.lower()}">{name}</h3>' in runbook


def test_links_of_the_runbook_to_other_pages_lead_there(runbook: str):
    linked = {urljoin("/runbook", path) for path in re.findall(r'href="([a-z][^"#:]*)["#]', runbook)}
    assert "/events.md" in linked
    assert [path for path in linked if documentation_page(path) is None] == []


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_the_documentation_is_shown(path: str):
    page = documentation_page(path)
    assert page
    assert "<h1" in page


def test_html_and_scripts_in_markdown_are_shown_as_text():
    assert "<script>" not in render("a <script>alert(1)</script>")
    assert "href" not in render("[a](javascript:alert(1))")
