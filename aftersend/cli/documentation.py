"""Render Markdown as HTML: the pages of docs/, and the text widgets of a dashboard. HTML in them is shown as text."""

import re
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt

DOCS = Path(__file__).parent.parent.parent / "docs"
RUNBOOK_PATH = "/runbook"
PAGE_PATH = re.compile(r"/(?P<name>(?:decisions/)?[A-Za-z0-9-]+\.md)")
RUNBOOK = "operations.md"
WIDE = ("table_open", "code_block", "fence")
"""What may be wider than the page: it can have the focus, to be scrolled with the keyboard."""


def render(text: str) -> str:
    """Return Markdown as HTML. Headings have the ids that GitHub gives them; links to docs/ lead here."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    for wide in (token for token in tokens if token.type in WIDE):
        wide.attrSet("tabindex", "0")
    for token, content in pairwise(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(content.content))
    for link in (child for token in tokens for child in token.children or () if child.type == "link_open"):
        link.attrSet("href", re.sub("^docs/", "/", str(link.attrGet("href"))))
    return parser.renderer.render(tokens, parser.options, {})


def anchor(title: str) -> str:
    """Return the id that GitHub gives to a heading."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def documentation_page(path: str) -> str | None:
    """Return the page of docs/ at a path of the server as HTML, the runbook at RUNBOOK_PATH; None if there is none."""
    match = PAGE_PATH.fullmatch(path)
    name = RUNBOOK if path == RUNBOOK_PATH else match and match["name"]
    file = DOCS / name if name else None
    return render(file.read_text()) if file and file.is_file() else None
