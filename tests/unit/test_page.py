"""Test to whom the local page answers, without a socket. What it shows is tested in a browser (tests/browser)."""

import io
from collections.abc import Generator
from http import HTTPStatus
from typing import Any
from unittest import mock

import pytest

from local import page


class Connection(io.BytesIO):
    """Hold a request, and keep the response."""

    response = b""

    def makefile(self, *_: object) -> io.BytesIO:
        return self

    def sendall(self, data: bytes) -> None:
        self.response += data


@pytest.fixture
def request_handler() -> Generator[Any]:
    """Return the page's request handler, as the server on port 8000 would use it."""
    pipeline: Any = None
    rendered = (HTTPStatus.OK, "content")
    with (
        mock.patch.object(page, "QuietServer", **{"return_value.server_port": 8000}) as server,
        mock.patch.object(page, "render_content", return_value=rendered),
        page.served_page(pipeline),
    ):
        yield server.call_args.args[1]


def status(request_handler: Any, path: str, host: str | None) -> int:
    header = "" if host is None else f"Host: {host}\r\n"
    connection = Connection(f"GET {path} HTTP/1.1\r\n{header}\r\n".encode())
    request_handler(connection, ("127.0.0.1", 50_000), None)
    return int(connection.response.split()[1])


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000"])
@pytest.mark.parametrize("path", ["/", "/content"])
def test_page_answers_requests_to_its_own_host(request_handler: Any, path: str, host: str):
    assert status(request_handler, path, host) == HTTPStatus.OK


@pytest.mark.parametrize(
    "host",
    [None, "", "evil.example", "evil.example:8000", "127.0.0.1", "localhost:1", "127.0.0.1:8000.evil.example"],
)
@pytest.mark.parametrize("path", ["/", "/content", "/other"])
def test_page_refuses_requests_to_another_host(request_handler: Any, path: str, host: str | None):
    assert status(request_handler, path, host) == HTTPStatus.MISDIRECTED_REQUEST
