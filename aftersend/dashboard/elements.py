"""Build the HTML elements that sections consist of. Text is escaped because only elements are built, never strings."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring


def section(title: str, *content: Element) -> str:
    """Return a section as HTML."""
    element = Element("section")
    SubElement(element, "h2").text = title
    element.extend(content)
    return tostring(element, encoding="unicode", method="html")


def table(titles: Sequence[str], numeric_from: int | None = None) -> Element:
    """Return a table without rows; columns from index `numeric_from` on hold numbers."""
    element = Element("table")
    header = SubElement(SubElement(element, "thead"), "tr")
    for index, title in enumerate(titles):
        is_numeric = numeric_from is not None and index >= numeric_from
        SubElement(header, "th", {"scope": "col", **({"class": "number"} if is_numeric else {})}).text = title
    SubElement(element, "tbody")
    return element


def add_row(table: Element, css_class: str = "") -> Element:
    """Add a row to a table and return it."""
    return SubElement(table[1], "tr", _class(css_class))


def add_cell(row: Element, text: str, *, strong: str = "", css_class: str = "") -> None:
    """Add a cell with a text and, after it, a text in bold."""
    cell = SubElement(row, "td", _class(css_class))
    cell.text = text
    if strong:
        SubElement(cell, "strong").text = strong


def add_number(row: Element, number: int, *, is_bad: bool = False) -> None:
    add_cell(row, f"{number:,}", css_class="number bad" if is_bad else "number")


def add_share(row: Element, numerator: int, denominator: int) -> None:
    """Add a cell with a percentage and the two numbers behind it, or a dash if there is no denominator."""
    cell = SubElement(row, "td", _class("number"))
    if not denominator:
        cell.text = "-"
        return
    cell.text = f"{100 * numerator / denominator:.1f} %"
    SubElement(cell, "small").text = f"{numerator:,} of {denominator:,}"


def add_link(row: Element, text: str, url: str) -> None:
    SubElement(SubElement(row, "td"), "a", href=url).text = text


def note(text: str, *, is_bad: bool = False) -> Element:
    return _paragraph(text, "note bad" if is_bad else "note")


def placeholder(text: str) -> Element:
    """Return a paragraph that takes the place of a table without rows."""
    return _paragraph(text, "empty")


def _paragraph(text: str, css_class: str) -> Element:
    element = Element("p", _class(css_class))
    element.text = text
    return element


def _class(css_class: str) -> dict[str, str]:
    return {"class": css_class} if css_class else {}
