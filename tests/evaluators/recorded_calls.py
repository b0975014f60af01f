"""Record the AWS calls that the functions make: the pipeline's in the world, those of identities over fakes."""

import os
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError

from aftersend.aws import custom_resource
from aftersend.contract import CustomResource, Property, Variable
from lambdas import check_identities, dependencies, set_identity_notifications
from tests.adapters.identities import IDENTITY, SET_BY_HAND, UNTOUCHED, WANTED, FakeSes, as_json
from tests.evaluators.calls import required_calls
from tests.evaluators.iam import Call
from tests.evaluators.templates import Resource, Templates
from tests.world.arrivals import deliver, published_events
from tests.world.calls import CLIENTS, Fault, responder
from tests.world.queues import S3, Queue
from tests.world.world import BEGIN, World

SEEDS = range(8)
"""Enough that every operation the adapters know is called; more change nothing."""

NAMES = {
    "ledger": Variable.LEDGER_TABLE,
    "suppressions": Variable.SUPPRESSIONS_TABLE,
    "counters": Variable.COUNTERS_TABLE,
}
"""Which setting of a function names the table that the world calls so."""

OVERRIDDEN = {Variable.PACE_SECONDS: "0", Variable.RESTORE_DRIFT: "true"}
"""Settings that make the functions for identities quick, and make them call everything."""

Calls = dict[str, set[Call]]
"""By the function's file in lambdas/."""


def pipeline_calls(templates: Templates) -> Calls:
    """Run worlds in which calls fail, functions are killed and records are damaged; return the calls made."""
    calls: Calls = {}
    functions = templates.functions()
    bucket = templates.only("AWS::S3::Bucket").name

    def observe(function: str, operation: str, parameters: dict[str, Any]) -> None:
        settings = functions[function].properties["Environment"]["Variables"]
        names = {name: settings[variable] for name, variable in NAMES.items() if variable in settings}
        calls.setdefault(function, set()).update(required_calls(operation, parameters, names | {"archive": bucket}))

    for seed in SEEDS:
        world = World(seed)
        world.observe = observe
        deliver(world, published_events(world.rng, world.clock.now(), 20))
        rates = world.dynamodb.fault_rates
        rates.throttled, rates.unprocessed, rates.conflicts = 0.02, 0.1, 0.1
        world.run(kill_rate=0.2)
    return calls


def identity_calls(templates: Templates) -> Calls:
    """Deploy, check, restore and remove the settings of identities, each function with the settings of its template."""
    account = Account()
    calls: Calls = {}
    for name, run in _identity_runs(account):
        function = templates.functions()[name]
        observed = calls.setdefault(name, set())
        with _process_of(function), account.answer_calls(observed):
            run()
    return calls


class Account:
    """Answers SES and S3 calls of the functions for identities."""

    def __init__(self) -> None:
        self.ses = FakeSes(before=SET_BY_HAND)
        self.s3 = ArchiveBucket(Random(1), Queue(Random(1), lambda: BEGIN))

    @contextmanager
    def answer_calls(self, observed: set[Call]) -> Generator[None]:
        """Answer the calls made in this block, and collect what they need."""

        def respond(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
            observed.update(required_calls(operation, parameters, {}))
            if hasattr(self.s3, operation):
                return getattr(self.s3, operation)(parameters)
            method = getattr(self.ses, re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())
            try:
                return method(**parameters) or {}
            except ClientError as error:
                raise Fault(error.response["Error"]["Code"]) from error

        token = responder.set(respond)
        try:
            yield
        finally:
            responder.reset(token)


class ArchiveBucket(S3):
    def DeleteObject(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as S3 names it)
        self.objects.pop(call["Key"], None)
        return {}

    def ListObjectsV2(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (named as S3 names it)
        return {"Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(call.get("Prefix", ""))]}


def _identity_runs(account: Account) -> Generator[tuple[str, Callable[[], object]]]:
    """Yield runs of functions in order, and change what SES has between them."""
    settings = {Property.WANTED: as_json(WANTED), Property.PREVIOUS: as_json(UNTOUCHED)}
    previous, wanted = CustomResource.PREVIOUS_IDENTITY_NOTIFICATIONS, CustomResource.IDENTITY_NOTIFICATIONS

    def request(kind: str, resource: CustomResource, number: int) -> tuple[str, Callable[[], object]]:
        event = {
            "RequestType": kind,
            "ResourceType": resource,
            "StackId": "stack",
            "RequestId": f"request-{number}",
            "LogicalResourceId": "Notifications",
            "ResponseURL": "https://cloudformation.example/response",
            "ResourceProperties": {Property.IDENTITY: IDENTITY, **settings},
        }
        return "set_identity_notifications", lambda: set_identity_notifications.handler(event)

    check = ("check_identities", check_identities.handler)
    yield request("Create", previous, 1)
    yield request("Create", wanted, 2)
    yield check
    for drifted in (UNTOUCHED, SET_BY_HAND):
        account.ses.settings[IDENTITY] = drifted
        yield check
    yield request("Update", wanted, 3)
    yield request("Delete", wanted, 4)
    yield request("Delete", previous, 5)


@contextmanager
def _process_of(function: Resource) -> Generator[None]:
    """Prepare a process for a function: the settings of its template, clients answered here, no CloudFormation."""
    settings: Mapping[str, str] = function.properties["Environment"]["Variables"]
    overridden = {name: value for name, value in OVERRIDDEN.items() if name in settings}
    builders = [builder for builder in vars(dependencies).values() if hasattr(builder, "cache_clear")]
    for builder in builders:
        builder.cache_clear()
    with (
        mock.patch.dict(os.environ, {**settings, **overridden}),
        mock.patch.object(dependencies, "client", CLIENTS.__getitem__),
        mock.patch.object(custom_resource, "urlopen"),
        mock.patch.object(dependencies.logger, "_logger"),
    ):
        yield
    for builder in builders:
        builder.cache_clear()
