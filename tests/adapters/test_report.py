"""Run the command `aftersend report` over an Athena in memory, which the real SDK reaches without a socket."""

import csv
import io
import json
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from typer.testing import CliRunner, Result

from aftersend.aws import athena
from aftersend.cli import report
from aftersend.cli.main import app
from tests.adapters.account_list import RawBody
from tests.adapters.conftest import SESSION
from tests.adapters.test_deployment import Session, client_error

STACKS = {
    "Aftersend-shop-State": {"ArchiveBucketName": "archive"},
    "Aftersend-shop-Pipeline": {"ReportsWorkGroupName": "Aftersend-shop", "ReportsDatabaseName": "aftersend_shop"},
}
COLUMNS = {"link": "varchar", "clicks": "bigint", "machine": "boolean"}
ROWS: list[list[str | None]] = [["https://a.example", "12", "true"], [None, "3", None]]
SCANNED = 3 * 2**30


class Athena:
    """One query: the states that it passes through, and its result, in pages of two rows."""

    def __init__(self) -> None:
        self.states, self.reason = ["QUEUED", "RUNNING", "SUCCEEDED"], ""
        self.rows = ROWS
        self.started: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.interrupted_when = ""

    def client(self) -> Any:
        client = SESSION.client("athena", endpoint_url="http://athena.test")
        client.meta.events.register("before-send.athena", self._respond)
        return client

    def _respond(self, request: Any, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        answer = getattr(self, operation)(json.loads(request.body))
        return AWSResponse(request.url, 200, {}, RawBody(json.dumps(answer).encode()))

    def StartQueryExecution(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 (Athena's name)
        self.started.append(call)
        return {"QueryExecutionId": "query-1"}

    def GetQueryExecution(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        state = self.states.pop(0)
        if state == self.interrupted_when:
            raise KeyboardInterrupt
        status = {"State": state, "StateChangeReason": self.reason}
        return {"QueryExecution": {"Status": status, "Statistics": {"DataScannedInBytes": SCANNED}}}

    def GetQueryResults(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        rows = [[*COLUMNS], *self.rows]
        begin = int(call.get("NextToken", "0"))
        data = [[{} if each is None else {"VarCharValue": each} for each in row] for row in rows[begin : begin + 2]]
        columns = [{"Name": name, "Type": of} for name, of in COLUMNS.items()]
        result = {"Rows": [{"Data": row} for row in data], "ResultSetMetadata": {"ColumnInfo": columns}}
        following = {"NextToken": str(begin + 2)} if begin + 2 < len(rows) else {}
        return {"ResultSet": result, **following}

    def StopQueryExecution(self, call: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.stopped.append(call["QueryExecutionId"])
        return {}


@pytest.fixture
def service(aws: None, monkeypatch: pytest.MonkeyPatch) -> Athena:
    athena_service = Athena()

    class AthenaSession(Session):
        def client(self, service: str, **options: Any) -> Any:
            return athena_service.client() if service == "athena" else super().client(service, **options)

    monkeypatch.setattr(boto3, "Session", lambda *_, **__: AthenaSession(STACKS))
    monkeypatch.setattr(report, "POLL_SECONDS", 0)
    return athena_service


def run(*arguments: str, exits: int = 0) -> Result:
    result = CliRunner().invoke(app, ["report", *arguments], catch_exceptions=False)
    assert result.exit_code == exits, result.output
    return result


LINKS = ("links", "campaign=it's", "--env", "shop")


def test_reports_are_listed_without_a_name():
    lines = run().stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["message", "campaign", "links", "clickers", "inactive"]
    assert "TAG=VALUE" in lines[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("link", "--env", "shop"), 'There is no report "link". Did you mean "links"?'),
        (("links", "a=b"), "No environment is named: add --env NAME."),
        (("links", "spring", "--env", "shop"), 'The report links is asked about a TAG=VALUE, not about "spring".'),
        ((*LINKS, "--since", "2026-03-02", "--until", "2026-03-01"), "--until must be later than --since."),
        ((*LINKS, "--csv", "--json"), "Choose --csv or --json."),
    ],
)
def test_wrong_arguments_are_explained_and_nothing_is_started(
    service: Athena, arguments: tuple[str, ...], message: str
):
    assert message in " ".join(run(*arguments, exits=2).stderr.replace("│", " ").split())
    assert service.started == []


def test_query_is_started_in_the_work_group_with_literals_as_parameters(service: Athena):
    run(*LINKS, "--since", "2026-03-01T10:00+02:00", "--until", "2026-03-02")
    [call] = service.started
    assert call["WorkGroup"] == "Aftersend-shop"
    assert call["QueryExecutionContext"] == {"Database": "aftersend_shop"}
    assert "it's" not in call["QueryString"]
    assert call["ExecutionParameters"] == [
        *("'2026/03/01/07'", "'2026/05/01/00'"),
        *("'2026-03-01T08:00:00.000Z'", "'2026-03-02T00:00:00.000Z'"),
        *("'campaign'", "'it''s'"),
    ]


def test_table_has_every_page_and_standard_error_the_price(service: Athena):
    service.rows = [*ROWS, ["a\x1b[2J", "1", "false"]]
    result = run(*LINKS)
    assert [line.rstrip() for line in result.stdout.splitlines()] == [
        "link               clicks  machine",
        "https://a.example      12  true",
        "                        3",
        "a\\x1b[2J                1  false",
    ]
    assert "Scanned 3,221.2 MB, which costs $0.01465." in result.stderr


def test_csv_and_json_have_every_row(service: Athena):
    states = [*service.states]
    rows = csv.reader(io.StringIO(run(*LINKS, "--csv").stdout))
    assert [*rows] == [[*COLUMNS], ["https://a.example", "12", "true"], ["", "3", ""]]
    service.states = states
    assert [json.loads(line) for line in run(*LINKS, "--json").stdout.splitlines()] == [
        {"link": "https://a.example", "clicks": 12, "machine": True},
        {"link": None, "clicks": 3, "machine": None},
    ]


def test_empty_result_is_reported(service: Athena):
    service.rows = []
    result = run(*LINKS)
    assert result.stdout == ""
    assert "The archive has nothing about this." in result.stderr


@pytest.mark.parametrize(
    ("state", "reason", "fix"),
    [
        ("CANCELLED", "Query cancelled! : Bytes scanned limit was exceeded", "Shorten the range with --since"),
        ("FAILED", "Insufficient permissions to execute the query.", "Use a role with the permissions"),
        ("FAILED", "HIVE_BAD_DATA: x", "Look at it in the console of Athena."),
    ],
)
def test_failed_query_has_the_reason_and_a_fix(service: Athena, state: str, reason: str, fix: str):
    service.states, service.reason = ["RUNNING", state], reason
    result = run(*LINKS, exits=1)
    assert f"Athena ended the query query-1 as {state}: {reason.rstrip('.')}. {fix}" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING"])
def test_interrupted_command_stops_the_query(service: Athena, state: str):
    service.interrupted_when = state
    assert "Stopped." in run(*LINKS, exits=130).stderr
    assert service.stopped == ["query-1"]


def test_refusal_ends_the_command_with_a_sentence(service: Athena, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: Any, **__: Any) -> Any:
        raise client_error("AccessDeniedException", operation="StartQueryExecution")

    monkeypatch.setattr(report, "start_query", refuse)
    assert "StartQueryExecution is denied to these credentials" in run(*LINKS, exits=2).stderr


def test_pages_are_read_one_at_a_time(service: Athena):
    pages = athena.Query(service.client(), "query-1").pages()
    assert [len(rows) for _, rows in pages] == [1, 1]
