"""The page of the local pipeline: what came of the mail, and one recipient's timeline; it follows live.

The sections are aftersend/sections.py's; here they are put into a page, served, and fetched again every two seconds.
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
from local.pipeline import LocalPipeline
from local.ses.server import QuietServer

PAGE = Template(Path(__file__).with_suffix(".html").read_text())


@contextmanager
def served(pipeline: LocalPipeline, port: int = 0) -> Generator[str]:
    """The page's address while it is served, on loopback."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path not in ("/", "/content"):
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            recipient = parse_qs(asked.query).get("recipient", [""])[0].strip().lower()
            status, content = rendered(pipeline, recipient)
            whole = PAGE.substitute(content=content, recipient=html.escape(recipient)) if asked.path == "/" else content
            body = whole.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:
            """Says nothing: the demo shows what happens."""

    server = QuietServer(("127.0.0.1", port), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def rendered(pipeline: LocalPipeline, recipient: str) -> tuple[HTTPStatus, str]:
    """The sections of this moment, or what keeps them from being shown."""
    now = datetime.now(UTC)
    try:
        outcome = pipeline.outcome()
        counted: dict[tuple[str, str], dict[str, int]] = {}
        for key, count in outcome.counts.items():
            measures = counted.setdefault((key.tag, key.value), {})
            measures[key.measure] = measures.get(key.measure, 0) + count
        state = pipeline.state()
        shown = [sections.tags(counted), sections.suppressions(outcome.entries.values(), now)]
        shown.insert(0 if state.needs_attention else 1, sections.state(state))
        if recipient:
            events, entry = pipeline.known_about(recipient), outcome.entries.get(recipient)
            shown.insert(0, sections.timeline(recipient, events, entry, pipeline.policy, now))
    except (BotoCoreError, ClientError) as error:
        return HTTPStatus.SERVICE_UNAVAILABLE, sections.failure(f"The emulator does not answer: {error}")
    return HTTPStatus.OK, "".join(shown)
