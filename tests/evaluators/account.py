"""Run functions of the templates in an account: with their settings, their own clients and AWS answered here."""

import io
import json
import os
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from random import Random
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError

from aftersend.aws import custom_resource
from aftersend.contract import Variable
from lambdas import dependencies
from tests.adapters.identities import IDENTITY, SET_BY_HAND, FakeSes
from tests.evaluators.templates import Templates
from tests.world.calls import CLIENTS, Fault, responder
from tests.world.dynamodb import DynamoDB
from tests.world.queues import S3, Queue
from tests.world.world import BEGIN

OVERRIDDEN = {Variable.PACE_SECONDS: "0"}
"""Settings that would make functions slow."""


class Account:
    """Answers the calls of functions: SES with one verified identity, the archive bucket and empty tables."""

    def __init__(self, templates: Templates, **overridden: str) -> None:
        self._functions = templates.functions()
        self._overridden = {**OVERRIDDEN, **overridden}
        self.bucket = templates.only("AWS::S3::Bucket").name
        self.ses = FakeSes(before=SET_BY_HAND)
        self.sending = Sending()
        self.s3 = ArchiveBucket(Random(1), Queue(Random(1), lambda: BEGIN))
        tables = [table.name for table in templates.of_type("AWS::DynamoDB::Table")]
        self.dynamodb = DynamoDB(Random(1), lambda: BEGIN, plain=tables, streamed=[])
        self.observe: Callable[[str, str, dict[str, Any]], None] = lambda function, operation, parameters: None
        """Is shown each call: the function, the operation and its parameters."""

    def invoke(self, function: str, event: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run a function of lambdas/, and return the documents in the embedded metric format that it printed."""
        printed = io.StringIO()
        with self._process_of(function), redirect_stdout(printed):
            import_module(f"lambdas.{function}").handler(event or {})
        return [document for line in printed.getvalue().splitlines() if "_aws" in (document := json.loads(line))]

    def answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        for service in (self.s3, self.dynamodb, self.sending):
            if hasattr(service, operation):
                return getattr(service, operation)(parameters)
        method = getattr(self.ses, re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())
        try:
            return method(**parameters) or {}
        except ClientError as error:
            raise Fault(error.response["Error"]["Code"]) from error

    @contextmanager
    def _process_of(self, function: str) -> Generator[None]:
        """Prepare a process for a function: the settings of its template, and no CloudFormation to respond to."""
        settings = self._functions[function].properties["Environment"]["Variables"]
        overridden = {name: value for name, value in self._overridden.items() if name in settings}

        def respond(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
            self.observe(function, operation, parameters)
            return self.answer(operation, parameters)

        builders = [builder for builder in vars(dependencies).values() if hasattr(builder, "cache_clear")]
        for builder in builders:
            builder.cache_clear()
        token = responder.set(respond)
        level = dependencies.logger.log_level
        dependencies.logger.setLevel("CRITICAL")
        with (
            mock.patch.dict(os.environ, {**settings, **overridden}),
            mock.patch.object(dependencies, "client", CLIENTS.__getitem__),
            mock.patch.object(custom_resource, "urlopen"),
        ):
            yield
        dependencies.logger.setLevel(level)
        responder.reset(token)
        for builder in builders:
            builder.cache_clear()


class ArchiveBucket(S3):
    """The archive bucket, with the operations that only the functions for identities use."""

    def DeleteObject(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as S3 names it)
        self.objects.pop(call["Key"], None)
        return {}

    def ListObjectsV2(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as S3 names it)
        keys = sorted(key for key in self.objects if key.startswith(call.get("Prefix", "")))
        return {"Contents": [{"Key": key} for key in keys], "KeyCount": len(keys)}


class Sending:
    """What the SES API v2 answers about the account and its identities. Attributes are changed by what breaks."""

    def __init__(self) -> None:
        self.account: dict[str, Any] = {
            "SendingEnabled": True,
            "EnforcementStatus": "HEALTHY",
            "ProductionAccessEnabled": True,
            "SendQuota": {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 1_000.0},
        }
        self.identity: dict[str, Any] = {
            "IdentityType": "DOMAIN",
            "VerifiedForSendingStatus": True,
            "VerificationStatus": "SUCCESS",
            "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS"},
            "MailFromAttributes": {"MailFromDomain": f"mail.{IDENTITY}", "MailFromDomainStatus": "SUCCESS"},
        }

    def GetAccount(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as SES names it)
        return self.account

    def GetEmailIdentity(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as SES names it)
        return self.identity
