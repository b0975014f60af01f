"""Link the sections of docs/operations.md where the team publishes it, or name them."""

import re
from xml.etree.ElementTree import Element

from aftersend.contract import RUNBOOK
from aftersend.dashboard.elements import element

LINKED = re.compile(r"""(https?://|/(?!/))[^\s<>"]*""")
"""What a link may lead to: a page of the web, or one of the same server."""


def runbook_section(base: str, section: str) -> Element:
    """Return a link to a section of the page at `base`, or the words that name it if `base` cannot be linked."""
    if LINKED.fullmatch(base):
        return element("a", "Runbook", href=f"{base}#{section}", title=section, target="_blank", rel="noreferrer")
    return element("small", f"{RUNBOOK}, {section}")
