"""Build the HTML elements that widgets consist of. Text is escaped because only elements are built, never strings.

CloudWatch removes scripts. What a person can choose is a `cwdb-action` after the element that is clicked
("Interactivity in the custom widget in CloudWatch" in the CloudWatch user guide).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from aftersend.dashboard.style import style_sheet

Content = Element | str
LEVEL_CLASSES: Mapping[str, str] = {"healthy": "good", "warning": "warn", "critical": "bad"}
"""The class of each level's word; others have none."""


class Action(NamedTuple):
    """What happens when a button or link is chosen: the widget shows a function's answer to some parameters."""

    endpoint: str
    """ARN of the function."""
    parameters: Mapping[str, str]
    confirmation: str = ""
    """What a person must confirm before; nothing if empty."""


def element(tag: str, *content: Content | None, css: str = "", **attributes: str) -> Element:
    """Return an element with texts and elements in it. Names of attributes have `_` for `-`; None is left out."""
    made = Element(tag, {name.strip("_").replace("_", "-"): value for name, value in attributes.items()})
    if css:
        made.set("class", css)
    for each in content:
        if each is not None:
            _append(made, each)
    return made


def _append(parent: Element, content: Content) -> None:
    if not isinstance(content, str):
        parent.append(content)
    elif len(parent):
        parent[-1].tail = (parent[-1].tail or "") + content
    else:
        parent.text = (parent.text or "") + content


def widget(*content: Content | None, is_dark: bool) -> str:
    """Return a widget as HTML."""
    body = element("div", *content, css="aftersend cwdb-no-default-styles", data_theme="dark" if is_dark else "light")
    body.insert(0, element("style", style_sheet(is_dark=is_dark)))
    return tostring(body, encoding="unicode", method="html")


def level(word: str) -> Element:
    """Return a level as a word on the ground of its colour."""
    return element("span", word, css=f"level {LEVEL_CLASSES.get(word, '')}".strip())


def banner(sentence: str, *details: Content | None, tone: str = "") -> Element:
    """Return the sentence that a widget begins with. `tone` is good, warn, bad or empty."""
    role = "alert" if tone == "bad" else "status"
    return element("div", element("strong", sentence), *details, css=f"banner {tone}".strip(), role=role)


def empty(sentence: str, *details: Content | None) -> Element:
    """Return what takes the place of something that has no content, with what to do about it."""
    return element("div", element("p", sentence), *details, css="empty")


def command(text: str) -> Element:
    """Return a command to be copied."""
    return element("code", text)


def button(text: str, action: Action) -> Sequence[Element]:
    """Return a button with its action: both go into the same parent, one after the other."""
    return _actionable(element("a", text, css="button", role="button", tabindex="0"), action)


def link(text: str, action: Action) -> Sequence[Element]:
    """Return a text that can be chosen, with its action."""
    return _actionable(element("a", text, css="link", role="button", tabindex="0"), action)


def _actionable(clicked: Element, action: Action) -> Sequence[Element]:
    chosen = element("cwdb-action", json.dumps(dict(action.parameters)), action="call", endpoint=action.endpoint)
    chosen.set("display", "widget")
    if action.confirmation:
        chosen.set("confirmation", action.confirmation)
    return clicked, chosen


def field(label: str, name: str, value: str = "", **attributes: str) -> Element:
    """Return a field of a form with its label."""
    return element("label", label, Element("input", {"name": name, "value": value, **attributes}))


def choice(label: str, name: str, options: Mapping[str, str], chosen: str) -> Element:
    """Return a field with options: what is sent by what is shown."""
    made = Element("select", {"name": name})
    for value, text in options.items():
        SubElement(made, "option", {"value": value} | ({"selected": ""} if value == chosen else {})).text = text
    return element("label", label, made)


def form(fields: Iterable[Element], text: str, action: Action) -> Element:
    """Return a form: the fields, and a button. What is entered takes the place of the action's parameters."""
    return element("form", *fields, *button(text, action))


class Cell(NamedTuple):
    """A cell of a table."""

    content: Sequence[Content]
    css: str = ""

    @classmethod
    def of(cls, *content: Content, css: str = "") -> "Cell":
        """Make a cell of some texts and elements."""
        return cls(content, css)


def table(caption: str, titles: Sequence[str], rows: Iterable[Sequence[Cell]], *, numeric_from: int = 99) -> Element:
    """Return a table whose rows begin with their heading; on a phone, each row is a card.

    Columns from index `numeric_from` on are aligned to the right.
    """
    head = element("tr")
    for index, title in enumerate(titles):
        head.append(element("th", title, scope="col", css="number" if index >= numeric_from else ""))
    body = element("tbody")
    for row in rows:
        line = SubElement(body, "tr")
        for index, cell in enumerate(row):
            css = f"{cell.css} {'number' if index >= numeric_from else ''}".strip()
            is_heading = index == 0
            # A card has a cell's name on the left, and all that is in it together on the right.
            content = cell.content if len(cell.content) < 2 else [element("div", *cell.content)]
            made = element("th" if is_heading else "td", *content, css=css)
            made.set(*(("scope", "row") if is_heading else ("data-name", titles[index])))
            line.append(made)
    return element("table", element("caption", caption), element("thead", head), body, css="cards")
