"""Render e-mail templates: the part of Handlebars that the SES developer guide documents.

These are variables, `{{#if}}`, `{{#unless}}`, `{{#each}}` and `{{else}}` ("Advanced email personalization"). No HTML
in values is escaped.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from local.ses.responses import RequestError

_TAG = re.compile(r"\{\{\{?\s*((?!ses:|amazonSES)[^{}]*?)\s*\}?\}\}")
"""A tag. Placeholders such as `{{ses:openTracker}}` are text here: SES fills them in later."""

_UNCLOSED = re.compile(r"\{\{(?!ses:|amazonSES)")

_BLOCKS = ("#if", "#unless", "#each")


class Content(NamedTuple):
    """The parts of a template, or of a rendered message; None if absent."""

    subject: str | None
    text: str | None
    html: str | None


class Variable(NamedTuple):
    path: str


class Block(NamedTuple):
    kind: str
    path: str
    nodes: list[Any]
    alternative: list[Any]


class RenderingFailed(Exception):
    """A variable has no value. The message is SES's own."""


def render(template: Content, data: Mapping[str, Any]) -> Content:
    """Render a template.

    Raises:
        RenderingFailed: if a variable has no value.
        RequestError: if the template is not valid.
    """
    return Content(*(None if part is None else _text(_parse(part), [data]) for part in template))


def check_template(template: Content) -> None:
    """Raise a RequestError if a template has a block that does not end, or an unknown helper."""
    for part in template:
        _parse(part or "")


def template_data(text: str | None) -> dict[str, Any]:
    """Return the data of a request, which is a JSON object as a string.

    Raises:
        RequestError: if it is not one.
    """
    try:
        data = json.loads(text or "{}")
        json.dumps(data, ensure_ascii=False).encode()  # fails for half of a surrogate pair
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise RequestError("InvalidRenderingParameter", "The template data is not a valid JSON object.")
    return data


def _parse(template: str) -> list[Any]:
    # Split at tags: text, tag, text, tag, …, text.
    pieces = enumerate(_TAG.split(template))
    nodes, end = _parse_nodes(pieces)
    if end:
        raise RequestError("InvalidTemplate", f"The template has '{{{{{end}}}}}' without a block before it.")
    return nodes


def _parse_nodes(pieces: Iterator[tuple[int, str]]) -> tuple[list[Any], str]:
    """Return the nodes until the end of a block and the tag that ends it, which is empty at the end of the template."""
    nodes: list[Any] = []
    for number, piece in pieces:
        is_text, words = number % 2 == 0, piece.split()
        if is_text and _UNCLOSED.search(piece):
            raise RequestError("InvalidTemplate", "The template has '{{' without '}}'.")
        if is_text:
            nodes.append(piece)
        elif piece == "else" or piece.startswith("/"):
            return nodes, piece
        elif piece.startswith("#"):
            nodes.append(_parse_block(pieces, words))
        elif words and not piece.startswith("!"):
            nodes.append(Variable(words[0]))
    return nodes, ""


def _parse_block(pieces: Iterator[tuple[int, str]], words: list[str]) -> Block:
    if words[0] not in _BLOCKS or len(words) != 2:
        raise RequestError("InvalidTemplate", f"The template has the unknown helper '{' '.join(words)}'.")
    nodes, end = _parse_nodes(pieces)
    alternative, end = _parse_nodes(pieces) if end == "else" else ([], end)
    if end != words[0].replace("#", "/"):
        raise RequestError("InvalidTemplate", f"The block '{words[0]}' of the template does not end.")
    return Block(*words, nodes, alternative)


def _text(nodes: list[Any], scopes: list[Any]) -> str:
    return "".join(_node_text(node, scopes) for node in nodes)


def _node_text(node: Any, scopes: list[Any]) -> str:
    if isinstance(node, str):
        return node
    value = _value(node.path, scopes)
    if isinstance(node, Variable):
        if value is None:
            raise RenderingFailed(f"Attribute '{node.path}' is not present in the rendering data.")
        return value if isinstance(value, str) else json.dumps(value)
    if node.kind == "#each" and value and isinstance(value, list):
        return "".join(_text(node.nodes, [*scopes, item]) for item in value)
    holds = node.kind != "#each" and bool(value) != (node.kind == "#unless")
    return _text(node.nodes if holds else node.alternative, scopes)


def _value(path: str, scopes: list[Any]) -> Any:
    """Return the value of a path such as `order.number`, `this` or `../name`; None if it has none."""
    while path.startswith("../") and len(scopes) > 1:
        path, scopes = path.removeprefix("../"), scopes[:-1]
    value = scopes[-1]
    for name in path.removeprefix("this").strip(".").split("."):
        if name:
            value = value.get(name) if isinstance(value, Mapping) else None
    return value
