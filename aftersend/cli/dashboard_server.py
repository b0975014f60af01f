"""Serve a dashboard on loopback, to the browser of the person who started it alone.

Another site's page can send requests to loopback, and its name may resolve to it; other people on this machine can send
requests, too. So each request must name this server as its host; each request for content must come from the page
itself and have the session's token, which is in no response: the page takes it from the address that is printed.
"""

import html
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import compare_digest
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from aftersend.aws.deployment import AWS_ERRORS, Unavailable, describe_error
from aftersend.cli.dashboard_site import STATIC, Asked, DashboardSite, Refused, document, style_sheet
from aftersend.cli.documentation import documentation_page

HTML, CSS, TEXT = (f"text/{name}; charset=utf-8" for name in ("html", "css", "plain"))
FILES = {f"/{name}.js": "text/javascript; charset=utf-8" for name in ("page", "content", "actions", "address", "theme")}
FILES["/favicon.svg"] = "image/svg+xml"
SESSION_HEADER = "X-Aftersend-Token"
MAX_BODY_BYTES, MAX_LENGTH_DIGITS = 100_000, 20
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'"
    "; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Attributes `style` give the parts of a graph their colours; a style sheet in the page is not allowed."""


class Response(NamedTuple):
    """What a request is answered with."""

    status: HTTPStatus
    body: str
    media_type: str = TEXT


class Server(ThreadingHTTPServer):
    """A server that ends at once, and does not report connections that a browser closed."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def served(site: DashboardSite, port: int = 0) -> Generator[str]:
    """Serve a dashboard on a port of loopback, any if 0, and yield its URL with the session's token in the fragment.

    Raises:
        OSError: if the port cannot be used.
    """
    server = Server(("127.0.0.1", port), request_handler(site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/#token={site.token}"
    finally:
        server.shutdown()
        server.server_close()


def request_handler(site: DashboardSite) -> type[BaseHTTPRequestHandler]:
    """Return a handler of requests to a dashboard."""

    class RequestHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(lambda: get(site, self.path))

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length") or "0"
            is_length = length.isdecimal() and len(length) < MAX_LENGTH_DIGITS
            body = self.rfile.read(min(int(length), MAX_BODY_BYTES + 1)) if is_length else b""
            self._send(lambda: post(site, self.path, self.headers, body))

        def _send(self, answer: Callable[[], Response]) -> None:
            hosts = {f"{name}:{self.server.server_port}" for name in ("127.0.0.1", "localhost")}  # ty: ignore[missing-attribute]
            response = _guarded(answer) if self.headers["Host"] in hosts else WRONG_HOST
            content = response.body.encode()
            self.send_response(response.status)
            for name, value in HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", response.media_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *_: object) -> None:
            """Log nothing: addresses of recipients are no matter for a log."""

    return RequestHandler


WRONG_HOST = Response(HTTPStatus.MISDIRECTED_REQUEST, "This server answers to 127.0.0.1 and localhost alone.")


def _guarded(answer: Callable[[], Response]) -> Response:
    """Return the response, or a sentence about the error that prevents it."""
    try:
        return answer()
    except Refused as error:
        return Response(error.status, str(error))
    except Unavailable as error:
        return Response(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    except AWS_ERRORS as error:
        return Response(HTTPStatus.BAD_GATEWAY, describe_error(error))
    except Exception as error:  # noqa: BLE001 (requests and dashboards made by hand may have anything anywhere)
        reason = f"{type(error).__name__}: {error}"
        return Response(HTTPStatus.BAD_REQUEST, f"The request or the dashboard cannot be read ({reason}).")


def get(site: DashboardSite, target: str) -> Response:
    """Return the page, a file that belongs to it, or a page of the documentation."""
    path = urlsplit(target).path
    if path == "/":
        response = _guarded(lambda: Response(HTTPStatus.OK, site.page(), HTML))
        if response.status == HTTPStatus.OK:
            return response
        problem = f'<h1>The dashboard cannot be shown</h1><p role="alert">{html.escape(response.body)}</p>'
        return Response(response.status, document("Not available", problem), HTML)
    if path == "/style.css":
        return Response(HTTPStatus.OK, style_sheet(), CSS)
    if media_type := FILES.get(path):
        return Response(HTTPStatus.OK, (STATIC / path[1:]).read_text(), media_type)
    if content := documentation_page(path):
        return Response(HTTPStatus.OK, document("Runbook", content), HTML)
    missing = "<h1>There is no such page</h1><p>The documentation is shown where this runs in a checkout.</p>"
    return Response(HTTPStatus.NOT_FOUND, document("No such page", missing), HTML)


def post(site: DashboardSite, path: str, headers: Message, body: bytes) -> Response:
    """Return the content of a widget to the page of this session alone."""
    if path != "/widget":
        raise Refused(HTTPStatus.NOT_FOUND, "There is nothing to ask for at this address.")
    if headers["Origin"] != f"http://{headers['Host']}":
        raise Refused(HTTPStatus.FORBIDDEN, "Only the page of this server may ask for this.")
    if not compare_digest((headers[SESSION_HEADER] or "").encode(), site.token.encode()):
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "Open the whole address that was printed at the start: this page has no token of the session.",
        )
    if len(body) > MAX_BODY_BYTES:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too long: enter less.")
    return Response(HTTPStatus.OK, site.content(msgspec.json.decode(body, type=Asked)), HTML)
