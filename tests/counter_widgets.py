"""Provide what panels about counters are tested with."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from xml.etree.ElementTree import Element

from aftersend.dashboard.elements import Content, element, widget

NOW = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
HOUR = NOW.replace(minute=0)
ONE_HOUR = timedelta(hours=1)
SHOW = "arn:aws:lambda:eu-west-1:111111111111:function:ShowWidgets"
TRACKED = {"newsletter": ("Open", "Click")}
SCRIPT = "<script>alert(1)</script>"


def mail(sends: int, hard_bounces: int = 0, complaints: int = 0, **others: int) -> Counter[str]:
    """Return the counts of some mail of which all that did not bounce was delivered."""
    counts = {"send": sends, "delivery": sends - hard_bounces, "hard_bounce": hard_bounces, "complaint": complaints}
    return Counter({name: number for name, number in (counts | others).items() if number})


def rendered(content: Iterable[Content]) -> Element:
    """Return a panel as one element."""
    return element("div", *content)


def shown(panel: Element) -> str:
    """Return the texts of a panel that people see, separated by blanks; parameters of actions are none."""
    return " ".join(" ".join(_texts(panel)).split())


def _texts(each: Element) -> Iterator[str]:
    if each.tag != "cwdb-action":
        yield each.text or ""
        for inner in each:
            yield from _texts(inner)
            yield inner.tail or ""


def rows(panel: Element) -> list[list[str]]:
    """Return the texts of the cells of all tables."""
    return [[shown(cell) for cell in line] for line in panel.iter("tr") if line.find("td") is not None]


def html(panel: Element) -> str:
    return widget(panel, is_dark=False)


def tags(page: str) -> set[str]:
    """Return the elements that a browser makes of HTML."""
    parser, names = HTMLParser(), set[str]()
    parser.handle_starttag = lambda tag, attrs: names.add(tag)
    parser.feed(page)
    return names
