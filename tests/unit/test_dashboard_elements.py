"""Build widgets of elements: everything that is shown is text, whatever it contains."""

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from aftersend.dashboard import numbers
from aftersend.dashboard.elements import (
    Action,
    Cell,
    Content,
    banner,
    button,
    choice,
    command,
    element,
    empty,
    field,
    form,
    level,
    link,
    table,
    widget,
)
from aftersend.operations.status import duration

NASTY = """<script>alert("1")</script>&amp;'"""
ACTION = Action("arn:show", {"panel": "tags", "value": NASTY}, confirmation=NASTY)
NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


def html(*content: Content | None) -> str:
    """Return a widget without its style sheet."""
    return re.sub("<style>.*</style>", "", widget(*content, is_dark=False), flags=re.DOTALL)


class Reader(HTMLParser):
    """Collect the tags and the text of HTML, as a browser reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [value for _, value in attrs if value]

    def handle_data(self, data: str) -> None:
        self.text += data


EVERYTHING = (
    banner(NASTY, element("p", NASTY, title=NASTY), tone="bad"),
    empty(NASTY, command(NASTY)),
    level(NASTY),
    form([field(NASTY, NASTY, NASTY, placeholder=NASTY), choice(NASTY, NASTY, {NASTY: NASTY}, NASTY)], NASTY, ACTION),
    table(NASTY, [NASTY, NASTY], [[Cell.of(NASTY), Cell.of(*link(NASTY, ACTION), css=NASTY)]]),
    NASTY,
)


def test_no_text_or_attribute_becomes_html():
    reader = Reader()
    reader.feed(html(*EVERYTHING))
    assert "script" not in reader.tags
    assert reader.text.count(NASTY) > 10
    assert reader.attributes.count(NASTY) >= 8


def test_widget_opts_out_of_the_styles_of_cloudwatch_and_has_a_theme():
    light, dark = widget("text", is_dark=False), widget("text", is_dark=True)
    assert 'class="aftersend cwdb-no-default-styles"' in light
    assert "#ffffff" in light
    assert 'data-theme="dark"' in dark
    assert "#ffffff" not in dark


def test_action_follows_the_element_that_is_chosen():
    clicked, action = button("Remove", Action("arn:change", {"change": "remove"}, "Remove it?"))
    assert (clicked.tag, clicked.text, action.tag) == ("a", "Remove", "cwdb-action")
    assert action.attrib == {
        "action": "call",
        "endpoint": "arn:change",
        "display": "widget",
        "confirmation": "Remove it?",
    }
    assert json.loads(action.text or "") == {"change": "remove"}


def test_button_of_a_form_has_no_parameters_that_its_fields_have():
    fields = [field("Search", "search"), choice("Tag", "tag", {"a": "A"}, "a")]
    made = form(fields, "Show", Action("arn:show", {"panel": "tags", "tag": "b", "search": "c", "sort": "sends"}))
    assert json.loads(made[-1].text or "") == {"panel": "tags", "sort": "sends"}


def test_texts_and_elements_keep_their_order():
    assert html("one ", element("b", "two"), None, " three", " four").endswith("one <b>two</b> three four</div>")


def test_cells_of_a_table_have_the_names_of_their_columns():
    shown = html(table("Mail", ["tag", "sent"], [[Cell.of("spring"), Cell.of("7")]], numeric_from=1))
    assert '<th scope="row">spring</th><td class="number" data-name="sent">7</td>' in shown
    assert "<caption>Mail</caption>" in shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"), [(1, 3, "33.3 %"), (0, 5, "0.0 %"), (5, 5, "100.0 %"), (4, 1, "-"), (0, 0, "-")]
)
def test_rate_whose_denominator_lags_is_a_dash(part: int, whole: int, shown: str):
    assert numbers.percent(part, whole) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-3, "0 s"), (4, "4 s"), (119, "119 s"), (120, "2 min"), (7_199, "120 min"), (7_200, "2 h"), (200_000, "2 d")],
)
def test_duration_has_one_unit(seconds: float, shown: str):
    assert duration(seconds) == shown


def test_numbers_and_times_are_written_for_people():
    assert numbers.count(1_234_567) == "1,234,567"
    assert numbers.dollars(1_234.5) == "$1,234.50"
    assert numbers.moment(NOW) == "24 Nov 2026 10:30"
    assert numbers.moment(None) == "unknown"
    assert numbers.ago(NOW, NOW - timedelta(seconds=4)) == "4 s ago"
