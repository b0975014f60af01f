"""How the real adapters reach the model: botocore hands every call over before it would send it.

One set of clients serves all worlds; the world of the moment answers. A function can be killed before and after any
call, and two functions can be made to take turns at their calls.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

Answer = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Performs an operation with its parameters as the caller gave them; raises Fault to refuse."""

answering: ContextVar[Answer] = ContextVar("answering")


class Fault(Exception):
    """AWS refuses a call."""

    def __init__(self, code: str, message: str = "", **more: Any) -> None:
        super().__init__(code)
        self.parsed = {"Error": {"Code": code, "Message": message or code}, "ResponseMetadata": {}, **more}


class Killed(BaseException):
    """The function's process is gone. Not an Exception: nothing a function does may catch it."""


def _client(service: str) -> Any:
    session = boto3.Session("test", "test", region_name="us-east-1")
    client = session.client(service, config=Config(parameter_validation=False))

    def remember(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["as_given"] = params

    def answer(model: Any, context: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        try:
            return AWSResponse("", 200, {}, None), answering.get()(model.name, context["as_given"])
        except Fault as fault:
            return AWSResponse("", 400, {}, None), fault.parsed

    client.meta.events.register("before-parameter-build", remember)
    client.meta.events.register("before-call", answer)
    return client


CLIENTS: dict[str, Any] = {service: _client(service) for service in ("dynamodb", "s3", "ses")}
