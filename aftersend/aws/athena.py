"""Run queries of the archive with Amazon Athena."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

Row = list[str | None]

ENDED = {"SUCCEEDED", "FAILED", "CANCELLED"}


class Column(NamedTuple):
    """A column of a result."""

    name: str
    type: str
    """The SQL type, as `varchar` or `bigint`."""


class Status(NamedTuple):
    """How far a query is."""

    state: str
    """QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED."""
    scanned_bytes: int
    reason: str
    """Why it failed or was cancelled, in Athena's words."""


class Query:
    """A query that was started."""

    def __init__(self, client: Any, id: str) -> None:
        self.id = id
        self._client = client

    def status(self) -> Status:
        execution = self._client.get_query_execution(QueryExecutionId=self.id)["QueryExecution"]
        scanned = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
        return Status(execution["Status"]["State"], scanned, execution["Status"].get("StateChangeReason", ""))

    def stop(self) -> None:
        self._client.stop_query_execution(QueryExecutionId=self.id)

    def pages(self) -> Iterator[tuple[list[Column], list[Row]]]:
        """Yield the columns and rows of each page, of 1,000 rows at most. Every result has a page."""
        pages = self._client.get_paginator("get_query_results").paginate(QueryExecutionId=self.id)
        for number, page in enumerate(pages):
            result = page["ResultSet"]
            columns = [Column(each["Name"], each["Type"]) for each in result["ResultSetMetadata"]["ColumnInfo"]]
            rows = islice(result["Rows"], 1 if number == 0 else 0, None)  # the first row of all has the names
            yield columns, [[value.get("VarCharValue") for value in row["Data"]] for row in rows]


def start_query(client: Any, sql: str, parameters: Sequence[str], *, work_group: str, database: str) -> Query:
    """Start a query. The parameters are SQL literals, one for each `?`; the work group knows where results go."""
    started = client.start_query_execution(
        QueryString=sql,
        ExecutionParameters=[*parameters],
        QueryExecutionContext={"Database": database},
        WorkGroup=work_group,
    )
    return Query(client, started["QueryExecutionId"])
