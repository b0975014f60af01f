"""Serve a page with the results of the local pipeline: counts, suppression list, and the timeline of one recipient.

The page fetches its content again every two seconds.
"""

import html
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from aftersend.dashboard import sections
from local.pipeline import LocalPipeline, PipelineResult
from local.ses import QuietServer

PAGE = Template(Path(__file__).with_suffix(".html").read_text())


@contextmanager
def served_page(pipeline: LocalPipeline, port: int = 0) -> Generator[str]:
    """Serve the page on loopback and yield its URL."""

    class RequestHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # Another site's name may resolve to 127.0.0.1, to let its pages read this one. Browsers name it here.
            if self.headers["Host"] not in (f"{name}:{server.server_port}" for name in ("127.0.0.1", "localhost")):
                self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
                return
            url = urlsplit(self.path)
            if url.path not in ("/", "/content"):
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            recipient = parse_qs(url.query).get("recipient", [""])[0].strip().lower()
            status, content = render_content(pipeline, recipient)
            if url.path == "/":
                content = PAGE.substitute(content=content, recipient=html.escape(recipient))
            body = content.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:
            """Log nothing: the demo prints what matters."""

    server = QuietServer(("127.0.0.1", port), RequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def render_content(pipeline: LocalPipeline, recipient: str) -> tuple[HTTPStatus, str]:
    """Return the sections as they are now, or the error that prevents it, with the HTTP status."""
    try:
        return HTTPStatus.OK, _sections(pipeline, recipient)
    except (BotoCoreError, ClientError) as error:
        return HTTPStatus.SERVICE_UNAVAILABLE, sections.failure(f"A request to the emulator failed: {error}")


def _sections(pipeline: LocalPipeline, recipient: str) -> str:
    now, result, state = datetime.now(UTC), pipeline.result(), pipeline.state()
    shown = [sections.tags(_counts_by_tag(result)), sections.suppressions(result.entries.values(), now)]
    shown.insert(0 if state.needs_attention else 1, sections.state(state))
    if recipient:
        events, entry = pipeline.events_for(recipient), result.entries.get(recipient)
        shown.insert(0, sections.timeline(recipient, events, entry, pipeline.policy, now))
    return "".join(shown)


def _counts_by_tag(result: PipelineResult) -> dict[tuple[str, str], dict[str, int]]:
    """Return the counts of each tag's value by measure, added up over all hours."""
    totals: dict[tuple[str, str], dict[str, int]] = {}
    for key, count in result.counts.items():
        measures = totals.setdefault((key.tag, key.value), {})
        measures[key.measure] = measures.get(key.measure, 0) + count
    return totals
