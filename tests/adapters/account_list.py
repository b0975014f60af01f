"""Run sync_account_list over the simulated account list, through the AWS SDK, with tables in moto."""

import io
from collections.abc import Iterable
from copy import copy
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

import msgspec
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from aftersend.aws.account_list import AccountList, AccountListFiles
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.events import Event
from aftersend.recorder import Recorder
from aftersend.retention import Retention
from aftersend.suppression import Policy
from lambdas import sync_account_list
from local.ses import LocalSes
from local.ses import account_list as simulated
from local.ses.api import perform
from tests.adapters.conftest import BUCKET, SESSION
from tests.fakes import immediate_attempts

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
PLENTY_MILLISECONDS = 900_000


class RawBody(io.BytesIO):
    def stream(self, **_: Any) -> Iterable[bytes]:
        yield self.read()


def simulated_client(account_list: simulated.AccountList, s3: Any) -> Any:
    """Return a client of the SES API v2 that reaches the simulated account list without a socket."""
    ses = SimpleNamespace(
        account_list=account_list, emulator_client=lambda _: s3, has_emulator=True, account_sending_enabled=True
    )
    return client_without_socket(ses)  # ty: ignore[invalid-argument-type]


def client_without_socket(ses: LocalSes, service: str = "sesv2") -> Any:
    """Return a client of one of the SES APIs that reaches a local SES without a socket."""
    client = copied_client(service)

    def respond(request: Any, **_: Any) -> AWSResponse:
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        response = perform(ses, request.method, request.url, body)
        assert response is not None
        return AWSResponse(request.url, response.status, dict(response.headers), RawBody(response.body))

    client.meta.events.register(f"before-send.{service}", respond)
    return client


def copied_client(service: str) -> Any:
    """Return a copy of a client, with handlers of its own: to create another takes forty times as long."""
    original = original_client(service)
    client = object.__new__(type(original))  # copy.copy looks for methods before there are attributes to find them by
    client.__dict__.update(original.__dict__)
    events = copy(client.meta.events)
    client.meta, client._endpoint = copy(client.meta), copy(client._endpoint)
    client.meta.events = client._endpoint._event_emitter = events
    return client


@cache
def original_client(service: str) -> Any:
    config = Config(retries={"total_max_attempts": 1}, signature_version=UNSIGNED)
    return SESSION.client(service, endpoint_url="http://ses.test", config=config)


class Account:
    """Both lists. Each run may have a context that says how much time is left."""

    def __init__(self, dynamodb: Any, s3: Any, mode: str = "sync") -> None:
        self.list, self.s3 = simulated.AccountList(), s3
        self.suppressions = SuppressionsTable(dynamodb, "suppressions")
        ledger = LedgerTable(dynamodb, "ledger", Retention())
        self.recorder = Recorder(
            ledger=ledger,
            suppressions=self.suppressions,
            policy=msgspec.convert({"account_list": mode}, Policy),
            history=ledger.retention_history(NOW),
            now=lambda: NOW,
            attempts=immediate_attempts,
        )
        self.files = AccountListFiles(s3, BUCKET)
        self.pauses: list[float] = []
        self.documents: list[dict[str, Any]] = []
        self.sesv2 = simulated_client(self.list, s3)

    def record(self, *events: Event) -> None:
        self.recorder.record(events)

    def is_suppressed(self, recipient: str) -> bool:
        entry = self.suppressions.entries_of(recipient).get("*")
        return entry is not None and entry.is_in_force(NOW)

    def run(self, sesv2: Any = None, context: Any = None) -> dict[str, int]:
        """Return the counts that are not 0, without the heartbeat."""
        counts = sync_account_list.handler(
            context=context,
            account_list=AccountList(sesv2 or self.sesv2, pause=self.pauses.append),
            files=self.files,
            suppressions=self.suppressions,
            recorder=self.recorder,
            emit_metric=self.documents.append,
            now=NOW,
        )
        assert counts["account_list_runs"] == 1
        return {
            name.removeprefix("account_list_"): count
            for name, count in counts.items()
            if count and name != "account_list_runs"
        }


def context_with(*milliseconds: int) -> Any:
    """Return a context of Lambda whose remaining time is this at each question, and the last one from then on."""
    times = list(milliseconds)
    return SimpleNamespace(get_remaining_time_in_millis=lambda: times.pop(0) if len(times) > 1 else times[0])
