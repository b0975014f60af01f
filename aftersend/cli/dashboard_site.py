"""Show a deployed dashboard: its layout as a page, and the content of each widget.

Custom widgets are what the deployed functions answer; CloudWatch invokes them in the same way ("Details about custom
widgets in CloudWatch" in the CloudWatch user guide).
"""

import html
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from string import Template
from typing import Any
from zlib import crc32

import msgspec

from aftersend.aws.deployment import Deployment
from aftersend.cli.dashboard_graphs import draw
from aftersend.cli.documentation import RUNBOOK_PATH, render
from aftersend.dashboard.elements import widget
from aftersend.dashboard.style import DARK, LIGHT, RULES

STATIC = Path(__file__).parent / "static"
PAGE, DOCUMENT = (Template((STATIC / name).read_text()) for name in ("page.html", "document.html"))
STYLE_ELEMENT = re.compile(r"<style>.*?</style>", re.DOTALL)
"""What each widget brings for CloudWatch. The page has its own style sheet, and forbids others."""

UNIT_PIXELS = 45
"""The height of a unit of CloudWatch's grid, about."""

WIDTHS = {6: "quarter", 8: "third", 12: "half"}
"""Classes of the page's style sheet, by the most units of CloudWatch's grid."""

CLIENTS = ("cloudwatch", "dynamodb", "lambda")

REFRESH_SECONDS, LOCAL_REFRESH_SECONDS = 60, 5


class Refused(Exception):
    """A request that is not answered as asked: the message says why, and what to do."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Widget(msgspec.Struct, frozen=True):
    """A widget of a dashboard's body ("Dashboard body structure and syntax" in the CloudWatch API reference)."""

    type: str
    properties: dict[str, Any] = {}
    x: int = 0
    y: int = 0
    width: int = 6
    height: int = 6


class Board(msgspec.Struct, frozen=True):
    """The body of a dashboard."""

    widgets: list[Widget]


class Asked(msgspec.Struct, frozen=True):
    """What the page asks for: the content of a widget, or the answer to an action in it."""

    layout: str
    """Of the dashboard that the page shows."""
    index: int
    """Of the widget on that dashboard."""
    begin: int
    end: int
    """The time range, in milliseconds since 1970."""
    endpoint: str = ""
    """The function of the action; the widget's own if empty."""
    parameters: dict[str, str] = {}
    """Those of the action; the widget's own if empty."""
    forms: dict[str, str] = {}
    theme: str = "light"
    width: int = 600
    height: int = 300


class DashboardSite:
    """The dashboard of a deployment, as a page. It changes nothing unless changes are allowed."""

    def __init__(self, deployment: Deployment, *, allow_changes: bool) -> None:
        self._deployment, self._allows_changes = deployment, allow_changes
        self.token = secrets.token_urlsafe(16)
        """Sent by the page with each request for content, and known to nobody but who started this."""
        self._names = [deployment.output(f"{name}FunctionName") for name in ("ShowWidgets", "ChangeSuppressions")]
        self._clients = {name: deployment.client(name) for name in CLIENTS}  # before there are several threads

    @cached_property
    def _widgets(self) -> Sequence[Widget]:
        name = self._deployment.output("DashboardName")
        body = self._clients["cloudwatch"].get_dashboard(DashboardName=name)["DashboardBody"]
        return sorted(msgspec.json.decode(body, type=Board).widgets, key=lambda each: (each.y, each.x))

    @property
    def layout(self) -> str:
        """Return what distinguishes this layout from that of another deployment, which pages may still show."""
        return f"{crc32(msgspec.json.encode(self._widgets)):08x}"

    def page(self) -> str:
        """Return the page. The layout is read anew."""
        self.__dict__.pop("_widgets", None)
        return PAGE.substitute(
            layout=self.layout,
            environment=html.escape(self._deployment.name),
            place="this machine" if self._deployment.local_run else html.escape(self._deployment.region),
            access="changes allowed" if self._allows_changes else "read-only",
            seconds=LOCAL_REFRESH_SECONDS if self._deployment.local_run else REFRESH_SECONDS,
            panels="".join(_section(index, each) for index, each in enumerate(self._widgets)),
        )

    def content(self, asked: Asked) -> str:
        """Return the HTML of a widget.

        Raises:
            Refused: if there is no such widget or time range, or its function is not to be invoked, or fails.
        """
        if asked.layout != self.layout or not 0 <= asked.index < len(self._widgets):
            raise Refused(HTTPStatus.NOT_FOUND, "The dashboard has changed: reload this page.")
        if asked.begin >= asked.end:
            raise Refused(HTTPStatus.BAD_REQUEST, "The time range ends before it begins: choose another.")
        shown = self._widgets[asked.index]
        if shown.type == "metric":
            begin, end = (datetime.fromtimestamp(moment / 1_000, UTC) for moment in (asked.begin, asked.end))
            drawn = draw(self._deployment, shown.properties, begin, end, asked.width)
            return _without_style(widget(*drawn, is_dark=asked.theme == "dark"))
        if shown.type != "custom":
            raise Refused(HTTPStatus.NOT_IMPLEMENTED, f"Widgets of type {shown.type} are shown by CloudWatch alone.")
        return _without_style(self._invoke(shown, asked))

    def _invoke(self, shown: Widget, asked: Asked) -> str:
        name = self._function(asked.endpoint or shown.properties["endpoint"])
        event = (asked.parameters or shown.properties.get("params", {})) | {"widgetContext": _context(shown, asked)}
        answer = self._clients["lambda"].invoke(FunctionName=name, Payload=json.dumps(event))
        content = json.loads(answer["Payload"].read())
        if "FunctionError" in answer or not isinstance(content, str):
            reason = content.get("errorMessage", "") if isinstance(content, Mapping) else ""
            raise Refused(HTTPStatus.BAD_GATEWAY, f"The function {name} failed: {reason}. Read its log.")
        return content

    def _function(self, endpoint: str) -> str:
        """Return the name of the function that an ARN or a name means."""
        name = endpoint.partition(":function:")[2].partition(":")[0] or endpoint
        if name not in self._names:
            raise Refused(HTTPStatus.FORBIDDEN, "Only the functions of this dashboard are invoked here.")
        if name != self._names[0] and not self._allows_changes:
            command = f"aftersend dashboard --env {self._deployment.name} --allow-changes"
            raise Refused(HTTPStatus.FORBIDDEN, f"Nothing can be changed here. Start it with `{command}` to change it.")
        return name


def _context(shown: Widget, asked: Asked) -> dict[str, Any]:
    """Return what CloudWatch tells a custom widget about where it is shown, and where the runbook is."""
    return {
        "title": shown.properties.get("title", ""),
        "timezone": {"label": "UTC", "offsetISO": "+00:00", "offsetInMinutes": 0},
        "timeRange": {"mode": "absolute", "start": asked.begin, "end": asked.end},
        "theme": asked.theme,
        "forms": {"all": asked.forms},
        "params": shown.properties.get("params", {}),
        "width": asked.width,
        "height": asked.height,
        "runbook": RUNBOOK_PATH,
    }


def _section(index: int, shown: Widget) -> str:
    """Return the place of a widget on the page; of a text widget, with its content."""
    width = next((name for units, name in WIDTHS.items() if shown.width <= units), "full")
    if shown.type == "text":
        text = _without_style(render(shown.properties.get("markdown", "")))
        return f'<section class="text {width}"><div class="body aftersend">{text}</div></section>'
    title, panel = (html.escape(text) for text in (shown.properties.get("title", ""), _panel(shown)))
    return (
        f'<section class="panel {width}" data-index="{index}" data-panel="{panel}" aria-labelledby="title{index}">'
        f'<h2 id="title{index}" tabindex="-1">{title}</h2><p class="note" role="alert" hidden></p>'
        f'<div class="body" data-height="{shown.height * UNIT_PIXELS}"><p class="loading">Loading…</p></div></section>'
    )


def _panel(shown: Widget) -> str:
    return str(shown.properties.get("params", {}).get("panel", "")) if shown.type == "custom" else ""


def _without_style(content: str) -> str:
    return STYLE_ELEMENT.sub("", content)


def style_sheet() -> str:
    """Return the style sheet of the page: that of the widgets in both themes, and that of what is around them."""
    return f":root{{{LIGHT}}}:root[data-theme=dark]{{{DARK}}}{RULES}{(STATIC / 'page.css').read_text()}"


def document(title: str, content: str) -> str:
    """Return a page with a text."""
    return DOCUMENT.substitute(title=html.escape(title), content=content)
