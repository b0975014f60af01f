"""Run functions of the templates in an account: with their settings, their own clients and AWS answered here."""

import hashlib
import io
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager, redirect_stdout
from datetime import datetime
from importlib import import_module
from random import Random
from types import ModuleType
from typing import Any
from unittest import mock
from urllib.request import Request

from botocore.exceptions import ClientError

from aftersend.aws import custom_resource
from aftersend.contract import Variable
from lambdas import dependencies
from tests.adapters.identities import SET_BY_HAND, FakeSes
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
        self.sending, self.account_list, self.sets = Sending(), AccountList(), ConfigurationSets()
        self.send_metrics = SendMetrics()
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
        for service in (self.s3, self.dynamodb, self.sending, self.account_list, self.sets, self.send_metrics):
            if hasattr(service, operation):
                return getattr(service, operation)(parameters)
        if operation == "GetSecretValue":
            return {"SecretString": "the key"}
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

        import_module(f"lambdas.{function}")
        modules = [module for name, module in sys.modules.items() if name.startswith(("lambdas.", "aftersend.aws."))]
        _clear_caches(modules)
        token = responder.set(respond)
        level = dependencies.logger.log_level
        dependencies.logger.setLevel("CRITICAL")
        with ExitStack() as patches:
            patches.enter_context(mock.patch.dict(os.environ, {**settings, **overridden}))
            patches.enter_context(mock.patch.object(custom_resource, "urlopen", _respond_to_cloudformation))
            for module in modules:
                if hasattr(module, "client"):
                    patches.enter_context(mock.patch.object(module, "client", CLIENTS.__getitem__))
            yield
        dependencies.logger.setLevel(level)
        responder.reset(token)
        _clear_caches(modules)


def _clear_caches(modules: Iterable[ModuleType]) -> None:
    """Make the next function build its collaborators anew, as a process of its own does."""
    for module in modules:
        for builder in vars(module).values():
            if hasattr(builder, "cache_clear"):
                builder.cache_clear()


def _respond_to_cloudformation(request: Request, timeout: float) -> mock.Mock:
    """Take a function's response, which must not be a failure."""
    assert isinstance(request.data, bytes)
    response = json.loads(request.data)
    assert response["Status"] == "SUCCESS", response["Reason"]
    return mock.Mock()


class ArchiveBucket(S3):
    """The archive bucket, with the operations and conditions that only the functions for identities use."""

    def PutObject(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as S3 names it)
        current = self.objects.get(call["Key"])
        is_expected = "IfMatch" not in call or (current is not None and etag(current) == call["IfMatch"])
        if not is_expected or (current is not None and call.get("IfNoneMatch") == "*"):
            raise Fault("PreconditionFailed")
        return {**super().PutObject(call), "ETag": etag(self.objects[call["Key"]])}

    def GetObject(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as S3 names it)
        return {**super().GetObject(call), "ETag": etag(self.objects[call["Key"]])}

    def ListObjectsV2(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as S3 names it)
        keys = sorted(key for key in self.objects if key.startswith(call.get("Prefix", "")))
        return {"Contents": [{"Key": key} for key in keys], "KeyCount": len(keys)}


def etag(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


class Sending:
    """What the SES API v2 answers about the account; changed by what breaks."""

    def __init__(self) -> None:
        quota = {"Max24HourSend": 50_000.0, "SentLast24Hours": 1_000.0}
        self.account = {"SendingEnabled": True, "EnforcementStatus": "HEALTHY", "SendQuota": quota}
        self.account["ProductionAccessEnabled"] = True
        self.is_denied = self.is_refusing = False
        self.recipients: list[str] = []
        """To whom messages were sent whose events are not recorded yet."""

    def SendEmail(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as SES names it)
        if self.is_refusing:
            raise Fault("AccountSuspendedException")
        self.recipients += call["Destination"]["ToAddresses"]
        return {"MessageId": "message"}

    def GetAccount(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as SES names it)
        if self.is_denied:
            raise Fault("AccessDeniedException")
        return self.account


class ConfigurationSets:
    """What the SES API v2 answers about configuration sets: they can send, unless a function has paused them."""

    def __init__(self) -> None:
        self.paused: set[str] = set()
        self.is_denied = False

    def GetConfigurationSet(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as SES names it)
        if self.is_denied:
            raise Fault("AccessDeniedException")
        return {"SendingOptions": {"SendingEnabled": call["ConfigurationSetName"] not in self.paused}}

    def PutConfigurationSetSendingOptions(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (as SES does)
        assert not call["SendingEnabled"], "no function resumes sending"
        self.paused.add(call["ConfigurationSetName"])
        return {}


class AccountList:
    """What the SES API v2 answers about the account suppression list; refuses what breaks."""

    def __init__(self) -> None:
        self.addresses: dict[str, dict[str, Any]] = {}
        self.is_denied = self.is_failing = False

    def ListSuppressedDestinations(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as SES names it)
        if self.is_denied:
            raise Fault("AccessDeniedException")
        return {"SuppressedDestinationSummaries": list(self.addresses.values())}

    def PutSuppressedDestination(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as SES names it)
        if self.is_failing:
            raise Fault("InternalFailure")
        self.addresses[call["EmailAddress"]] = {**call, "LastUpdateTime": BEGIN}
        return {}

    def GetSuppressedDestination(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as SES names it)
        if not (listed := self.addresses.get(call["EmailAddress"])):
            raise Fault("NotFoundException")
        return {"SuppressedDestination": listed}

    def DeleteSuppressedDestination(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as SES names it)
        del self.addresses[call["EmailAddress"]]
        return {}

    def CreateImportJob(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as SES names it)
        return {"JobId": "import"}

    def GetImportJob(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as SES names it)
        return {"JobStatus": "COMPLETED"}


class SendMetrics:
    """What CloudWatch answers about SES's own counts of sends."""

    def __init__(self) -> None:
        self.sends: dict[str | None, Counter[datetime]] = {}
        """By configuration set and hour; those of None named none."""

    def GetMetricData(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as CloudWatch names it)
        results = []
        for query in call["MetricDataQueries"]:
            sums = self._sums([each["Value"] for each in query["MetricStat"]["Metric"]["Dimensions"]])
            hours = [hour for hour in sums if call["StartTime"] <= hour < call["EndTime"]]
            results.append({"Id": query["Id"], "Timestamps": hours, "Values": [float(sums[hour]) for hour in hours]})
        return {"MetricDataResults": results}

    def _sums(self, names: list[str]) -> Counter[datetime]:
        return self.sends.get(names[0], Counter()) if names else sum(self.sends.values(), Counter())
