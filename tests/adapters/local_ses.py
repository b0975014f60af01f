"""Send through the local SES without a socket, and keep the messages it accepts."""

import io
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from local.ses import LocalSes, Message
from local.ses.api_v1 import perform_v1
from local.ses.api_v2 import perform_v2
from local.ses.responses import Response

NO_EMULATOR = "http://emulator.test"


class KeepingSes(LocalSes):
    """The local SES, where every configuration set exists and every sender is verified."""

    def __init__(self) -> None:
        super().__init__(NO_EMULATOR)
        self.messages: list[Message] = []
        self.requests: list[str] = []

    def accept(self, message: Message, events: Any) -> None:
        self.messages.append(message)

    def default_configuration_set(self, source: str) -> str | None:
        return None

    def configuration_set_exists(self, name: str) -> bool:
        return True

    def sending_enabled(self, name: str) -> bool:
        return True

    def answer(self, request: Any) -> Response | None:
        """Answer a request of boto3; None if the local SES has no such operation."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        self.requests.append(body.decode())
        arguments = (self, request.method, urlsplit(request.url).path, body)
        return perform_v2(*arguments) or perform_v1(*arguments)


class RawBody(io.BytesIO):
    def stream(self, **_: Any) -> Iterable[bytes]:
        yield self.read()


def session_with(respond: Any) -> boto3.Session:
    """Return a session whose clients of both SES APIs get their responses from a function."""

    def before_send(request: Any, **_: Any) -> AWSResponse:
        response = respond(request)
        return AWSResponse(request.url, response.status, dict(response.headers), RawBody(response.body))

    session = boto3.Session("test", "test", region_name="us-east-1")
    session._session.set_default_client_config(Config(retries={"total_max_attempts": 1}))
    for service in ("ses", "sesv2"):
        session.events.register(f"before-send.{service}", before_send)
    return session
