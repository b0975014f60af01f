"""Serve SES's APIs over HTTP. What the local SES does not perform itself, the emulator does, if there is one."""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import urllib3

from local.ses.api import perform
from local.ses.responses import RequestError, Response, json_error, json_response
from local.ses.simulator import LocalSes
from local.ses.web import answer

HOP_BY_HOP_HEADERS = {"connection", "content-length", "transfer-encoding", "keep-alive"}
EVENT_DESTINATIONS_PATH = re.compile(r"/v2/email/configuration-sets/[^/]+/event-destinations")
EMULATOR_CONNECTIONS = 16


class QuietServer(ThreadingHTTPServer):
    """A server that does not report connections closed by the client, which are usual when the demo is interrupted."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def create_server(ses: LocalSes, emulator_url: str | None, port: int) -> ThreadingHTTPServer:
    """Return the server, bound to loopback. The caller runs it and shuts it down."""
    emulator = urllib3.PoolManager(maxsize=EMULATOR_CONNECTIONS)

    class RequestHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body are written separately: with Nagle's algorithm each response would take 40 ms longer.
        disable_nagle_algorithm = True

        def handle_request(self) -> None:
            try:
                response = self.respond()
            except Exception as error:  # noqa: BLE001  the caller gets an error of AWS, whatever is wrong here
                response = json_error(RequestError("InternalFailure", repr(error)))
            self.send_response(response.status)
            for name, value in _end_to_end(response.headers):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)

        def respond(self) -> Response:
            length = self.headers.get("Content-Length") or "0"
            if "Transfer-Encoding" in self.headers or not length.isdecimal():
                self.close_connection = True
                reason = "A request needs its body's length in the header Content-Length."
                return json_error(RequestError("MalformedQueryString", reason))
            body = self.rfile.read(int(length))
            return (
                perform(ses, self.command, self.path, body)
                or answer(ses, self.command, self.path, self.headers)
                or self.forward(body)
            )

        # The base class calls these methods.
        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = handle_request  # noqa: N815

        def forward(self, body: bytes) -> Response:
            if emulator_url is None:
                return json_response({"message": f"The local SES has nothing at {self.path}."}, status=404)
            url, headers = emulator_url + self.path, dict(_end_to_end(self.headers))
            reply = emulator.request(
                self.command, url, body=body, headers=headers, redirect=False, decode_content=False
            )
            if EVENT_DESTINATIONS_PATH.match(self.path) and self.command in ("POST", "PUT") and reply.status == 200:
                _validate_topic(ses, json.loads(body))
            return Response(reply.status, reply.headers, reply.data)

        def log_message(self, format: str, *_: Any) -> None:
            """Log nothing: the demo prints what matters."""

    server = QuietServer(("127.0.0.1", port), RequestHandler)
    ses.url = f"http://127.0.0.1:{server.server_port}"
    return server


def _end_to_end(headers: Any) -> list[tuple[str, str]]:
    """Return the headers that do not concern a single connection."""
    return [(name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP_HEADERS]


def _validate_topic(ses: LocalSes, request: dict[str, Any]) -> None:
    if topic := (request["EventDestination"].get("SnsDestination") or {}).get("TopicArn"):
        ses.validate_topic(topic)
