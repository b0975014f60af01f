"""Test to whom the server of `aftersend dashboard` answers, and what it invokes, without a socket."""

import io
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aftersend.cli.dashboard_server import MAX_BODY_BYTES, request_handler
from aftersend.cli.dashboard_site import DashboardSite
from tests.dashboard_stub import ARN, CHANGE, SHOW, Clients, custom, deployment, metric

HOST = "127.0.0.1:8026"
EVIL = "<script>alert(1)</script>"
WIDGETS = (
    custom("status", f"Status {EVIL}"),
    {"type": "text", "width": 24, "height": 1, "properties": {"markdown": f"Read [it](docs/operations.md#a) {EVIL}"}},
    metric("Sent", ["Aftersend", "send", "ConfigurationSet", "news", {"label": "news"}], stat="Sum"),
    {"type": "explorer"},
    {"type": "custom", "properties": {"endpoint": f"{ARN}Another"}},
)
STATUS, TEXT, SENT, EXPLORER, FOREIGN = range(len(WIDGETS))


class Connection(io.BytesIO):
    """Hold a request, and keep the response."""

    response = b""

    def makefile(self, *_: object) -> io.BytesIO:
        return self

    def sendall(self, data: bytes) -> None:
        self.response += data


class Server:
    server_port = 8026


class Browser:
    """Sends requests to a dashboard."""

    def __init__(self, *, allow_changes: bool = False) -> None:
        answers = {
            SHOW: lambda event: f"<style>.a{{}}</style><p>{event['panel']}</p>",
            CHANGE: lambda _: "<p>Removed</p>",
        }
        self.clients = Clients(WIDGETS, answers)
        self.site = DashboardSite(deployment(self.clients), allow_changes=allow_changes)
        self.headers = {"Host": HOST, "Origin": f"http://{HOST}", "X-Aftersend-Token": self.site.token}

    def request(self, method: str, path: str, body: bytes = b"", **headers: str | None) -> tuple[int, str, str]:
        """Return status, headers and body of the response. A header that is None is left out."""
        given = self.headers | {"Content-Length": str(len(body)), "Connection": "close"} | headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value is not None)
        connection = Connection(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        request_handler(self.site)(connection, ("127.0.0.1", 50_000), Server())  # ty: ignore[invalid-argument-type]
        head, _, content = connection.response.decode().partition("\r\n\r\n")
        return int(head.split()[1]), head, content

    def ask(self, index: int = STATUS, **question: Any) -> tuple[int, str]:
        asked = {"layout": self.site.layout, "index": index, "begin": 1_000, "end": 3_600_000} | question
        status, _, content = self.request("POST", "/widget", json.dumps(asked).encode())
        return status, content

    @property
    def invoked(self) -> list[tuple[str, Mapping[str, Any]]]:
        return self.clients.invoked


@pytest.mark.parametrize("host", [HOST, "localhost:8026"])
def test_server_answers_requests_to_its_own_host(host: str):
    assert Browser().request("GET", "/", Host=host)[0] == HTTPStatus.OK


@pytest.mark.parametrize(
    "host", [None, "", "evil.example", "evil.example:8026", "127.0.0.1", "localhost:1", "127.0.0.1:8026.evil.example"]
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/page.js"), ("POST", "/widget")])
def test_server_refuses_requests_to_another_host(method: str, path: str, host: str | None):
    browser = Browser()
    assert browser.request(method, path, Host=host)[0] == HTTPStatus.MISDIRECTED_REQUEST
    assert browser.invoked == []


@pytest.mark.parametrize("name", ["X-Aftersend-Token", "Origin"])
@pytest.mark.parametrize("value", [None, "", "http://evil.example", "http://localhost:8026"])
def test_server_shows_nothing_to_another_page_or_session(name: str, value: str | None):
    browser = Browser(allow_changes=True)
    change = {"index": 0, "begin": 0, "end": 1, "endpoint": ARN + CHANGE}
    status, _, _ = browser.request("POST", "/widget", json.dumps(change).encode(), **{name: value})
    assert status == HTTPStatus.FORBIDDEN
    assert browser.invoked == []


@pytest.mark.parametrize("path", ["/", "/?token", "/page.js", "/style.css", "/runbook"])
def test_no_response_has_the_token(path: str):
    browser = Browser()
    assert browser.site.token not in "".join(map(str, browser.request("GET", path)))


def test_every_session_has_a_token_of_its_own():
    assert Browser().site.token != Browser().site.token


@pytest.mark.parametrize("path", ["/", "/style.css", "/page.js", "/favicon.svg", "/runbook", "/nothing"])
def test_every_response_forbids_scripts_and_styles_of_others(path: str):
    _, head, _ = Browser().request("GET", path)
    assert "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self';" in head
    assert "X-Content-Type-Options: nosniff" in head


def test_every_script_of_the_page_is_served():
    browser, seen, waiting = Browser(), set(), {"/", "/runbook"}
    while waiting:
        path = waiting.pop()
        status, head, content = browser.request("GET", path)
        assert status == HTTPStatus.OK, path
        assert not path.endswith(".js") or "Content-Type: text/javascript" in head
        seen.add(path)
        waiting |= set(re.findall(r'"(/[\w.]+\.(?:js|css|svg))"', content)) - seen
    assert {"/page.js", "/content.js", "/theme.js", "/style.css", "/favicon.svg"} <= seen


def test_page_has_each_widget_of_the_dashboard_and_shows_text_as_text():
    _, _, page = Browser().request("GET", "/")
    assert re.findall(r'data-index="(\d)" data-panel="(\w*)"', page) == [
        ("0", "status"),
        ("2", ""),
        ("3", ""),
        ("4", ""),
    ]
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2
    assert EVIL not in page
    assert '<a href="/operations.md#a">it</a>' in page


def test_widget_is_invoked_as_cloudwatch_invokes_it():
    browser = Browser()
    status, content = browser.ask(theme="dark", forms={"query": "a"}, width=300)
    assert (status, content) == (HTTPStatus.OK, "<p>status</p>"), "the page has the style sheet already"
    [(name, event)] = browser.invoked
    context = event["widgetContext"]
    assert (name, event["panel"], context["theme"], context["forms"]["all"]) == (SHOW, "status", "dark", {"query": "a"})
    assert context["timeRange"] == {"mode": "absolute", "start": 1_000, "end": 3_600_000}
    assert context["runbook"] == "/runbook"


def test_action_has_its_own_parameters():
    browser = Browser()
    assert browser.ask(endpoint=ARN + SHOW, parameters={"panel": "campaign"}) == (HTTPStatus.OK, "<p>campaign</p>")


def test_graph_is_drawn_and_marked_as_a_stand_in():
    status, content = Browser().ask(SENT)
    assert status == HTTPStatus.OK
    assert "news, up to 3" in content
    assert "Stands in for CloudWatch's graph. Values are of 60 s each, times in UTC." in content
    assert "<style" not in content


def test_nothing_is_changed_unless_it_is_allowed():
    browser = Browser()
    status, sentence = browser.ask(endpoint=ARN + CHANGE, parameters={"change": "remove"})
    assert status == HTTPStatus.FORBIDDEN
    assert "`aftersend dashboard --env shop --allow-changes`" in sentence
    assert browser.invoked == []
    allowed = Browser(allow_changes=True)
    assert allowed.ask(endpoint=ARN + CHANGE, parameters={"change": "remove"}) == (HTTPStatus.OK, "<p>Removed</p>")


@pytest.mark.parametrize("endpoint", [f"{ARN}Another", "Another", f"{ARN}{SHOW}2", f"{ARN}Another:{SHOW}"])
def test_other_functions_are_not_invoked(endpoint: str):
    browser = Browser(allow_changes=True)
    status, sentence = browser.ask(endpoint=endpoint)
    assert (status, sentence) == (HTTPStatus.FORBIDDEN, "Only the functions of this dashboard are invoked here.")
    assert browser.ask(FOREIGN)[0] == HTTPStatus.FORBIDDEN
    assert browser.invoked == []


@pytest.mark.parametrize(
    ("index", "sentence"), [(-1, "reload this page"), (99, "reload this page"), (EXPLORER, "type explorer")]
)
def test_widget_that_cannot_be_shown_is_explained(index: int, sentence: str):
    assert sentence in Browser().ask(index)[1]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"index": 0, "begin": "1", "end": 2}', b"\xff"])
def test_unreadable_question_is_refused(body: bytes):
    assert Browser().request("POST", "/widget", body)[0] == HTTPStatus.BAD_REQUEST


def test_long_question_is_refused():
    assert Browser().request("POST", "/widget", b" " * (MAX_BODY_BYTES + 1))[0] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize("length", ["-1", "x", None, "9" * 5_000])
def test_length_that_is_none_is_refused(length: str | None):
    status, _, _ = Browser().request("POST", "/widget", b"{}", **{"Content-Length": length})
    assert status == HTTPStatus.BAD_REQUEST


def test_time_that_no_clock_has_is_refused():
    assert Browser().ask(SENT, begin=10**30)[0] == HTTPStatus.BAD_REQUEST


def test_time_range_without_a_length_is_refused():
    status, sentence = Browser().ask(SENT, begin=1_000, end=1_000)
    assert (status, "time range" in sentence) == (HTTPStatus.BAD_REQUEST, True)


def test_page_of_another_layout_is_to_be_reloaded():
    browser = Browser()
    browser.request("GET", "/")
    asked = {"layout": browser.site.layout, "index": STATUS}
    browser.clients.widgets = [custom("cost", "Cost"), *WIDGETS]
    browser.request("GET", "/")
    status, sentence = browser.ask(**asked)
    assert (status, sentence) == (HTTPStatus.NOT_FOUND, "The dashboard has changed: reload this page.")
    assert browser.invoked == []
    assert browser.ask(STATUS)[0] == HTTPStatus.OK


@pytest.mark.parametrize("properties", [{"params": "x"}, {"params": ["x"]}, {"metrics": 5}])
def test_dashboard_made_by_hand_is_answered(properties: dict[str, Any]):
    browser = Browser()
    kind = "custom" if "params" in properties else "metric"
    browser.clients.widgets = [{"type": kind, "properties": {"endpoint": ARN + SHOW, **properties}}]
    assert "cannot be read" in browser.request("GET", "/")[2] or "cannot be read" in browser.ask(0)[1]


def test_failure_of_a_function_is_a_sentence():
    browser = Browser()

    def fail(_: object) -> str:
        raise ValueError("Task timed out")

    browser.clients.answers = {SHOW: fail}
    assert browser.ask() == (HTTPStatus.BAD_GATEWAY, f"The function {SHOW} failed: Task timed out. Read its log.")
    browser.clients.answers = {SHOW: lambda _: {"markdown": "### Aftersend"}}
    assert browser.ask()[0] == HTTPStatus.BAD_GATEWAY


def test_error_of_aws_is_a_sentence_on_a_page_with_a_way_home(monkeypatch: pytest.MonkeyPatch):
    def deny(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not allowed"}}, "GetDashboard")

    browser = Browser()
    monkeypatch.setattr(browser.clients, "get_dashboard", deny)
    status, _, page = browser.request("GET", "/")
    assert status == HTTPStatus.BAD_GATEWAY
    assert "GetDashboard is denied to these credentials: not allowed." in page
    assert '<a href="/">All panels</a>' in page


@pytest.mark.parametrize(
    "path", ["/nothing", "/../README.md", "/%2e%2e/README.md", "/static/page.js", "/decisions/../x.md"]
)
def test_no_other_file_is_served(path: str):
    assert Browser().request("GET", path)[0] == HTTPStatus.NOT_FOUND
