"""Answer boto3's calls within the process: botocore hands each call over before it would send it.

One set of clients serves all worlds; whatever `responder` is set to answers. So a function can be killed before and
after any of its calls, and several functions can take turns at their calls.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from boto3.session import Session  # not boto3.Session, which tests replace
from botocore.awsrequest import AWSResponse
from botocore.config import Config

Responder = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Performs an operation with the caller's parameters and returns the response; raises Fault to refuse."""

responder: ContextVar[Responder] = ContextVar("responder")


class Fault(Exception):
    """AWS refuses a call."""

    def __init__(self, code: str, message: str = "", **details: Any) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.parsed = {"Error": {"Code": code, "Message": message or code}, "ResponseMetadata": {}, **details}


class Killed(BaseException):
    """The function's process is gone. Not an Exception: nothing a function does may catch it."""


SESSION = Session("test", "test", region_name="us-east-1")
"""One session for all clients: a new one would read again what all services have in common."""


def client(service: str, responder: Callable[[], Responder]) -> Any:
    """Return a client of a service whose calls are answered by what `responder` returns at that moment."""
    client = SESSION.client(service, config=Config(parameter_validation=False))

    def remember_parameters(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["parameters"] = params

    def respond(model: Any, context: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        try:
            return AWSResponse("", 200, {}, None), responder()(model.name, context["parameters"])
        except Fault as fault:
            return AWSResponse("", 400, {}, None), fault.parsed

    client.meta.events.register("before-parameter-build", remember_parameters)
    client.meta.events.register_last("before-call", respond)  # other handlers are asked until one answers
    if service == "dynamodb":  # nobody reads the request: to write it takes longer than to answer it
        client._resolve_endpoint_ruleset = lambda *_, **__: ("", {}, {})
        client._convert_to_request_dict = lambda *_, context, **__: {"context": context, "headers": {}, "body": b""}
    return client


class Clients(dict[str, Any]):
    """Creates the client of a service when it is first needed, which takes a fifth of a second."""

    def __missing__(self, service: str) -> Any:
        self[service] = client(service, responder.get)
        return self[service]


CLIENTS = Clients()
