"""Run the queries of the reports on made archives, with DuckDB in place of Athena, and compare each result with one
that is computed from the parsed events. A line is a row of text, as Athena's table has it."""

import gzip
import json
import re
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from aftersend.counting import ALL_MEASURES, Counted, measure
from aftersend.events import Event
from aftersend.ledger import key
from aftersend.operations.reports import REPORTS, InvalidSubject, dollars, literal, parameters
from aftersend.parsing import parse
from tests.record_files import published
from tests.report_archive import BEGIN, NOT_JSON, Objects, an_archive, text

Rows = list[dict[str, Any]]

SINCE, UNTIL = BEGIN + timedelta(days=15), BEGIN + timedelta(days=45)
CAMPAIGNS = ("spring", "it's")
UNIQUE_MEASURES = {"unique_opens", "unique_clicks", "unique_machine_opens", "unique_machine_clicks"}
"""Measures of items of the ledger that are made of an event; reports have them as `recipients`."""


@cache
def translated(name: str) -> str:
    """Return a report's query in DuckDB's SQL. Translating takes as long as running it."""
    return translate(REPORTS[name].query)


def translate(sql: str) -> str:
    return sqlglot.transpile(sql, read="athena", write="duckdb")[0]


def bound(name: str, subject: str | None, since: datetime = SINCE, until: datetime = UNTIL) -> str:
    """Return a report's query in DuckDB's SQL, with each parameter evaluated as the expression that it is."""
    values = iter(parameters(REPORTS[name], subject, since, until))
    query = re.sub(r"\?", lambda _: translate(next(values)), translated(name))
    assert next(values, None) is None, "there is a parameter for each question mark"
    return query


@cache
def database() -> duckdb.DuckDBPyConnection:
    """Return one database for all tests; each replaces its table."""
    return duckdb.connect()


def run(objects: Objects, name: str, subject: str | None = None, **times: datetime) -> Rows:
    """Run a report. What is no JSON is null in DuckDB, whose functions refuse it; Trino's return null."""
    rows = [
        (line, stored.removeprefix("events/").rpartition("/")[0])
        for stored, content in objects.items()
        for line in gzip.decompress(content).decode().splitlines()
    ]
    lines = "SELECT unnest($1) AS line, unnest($2) AS arrived"
    valid = "CASE WHEN json_valid(line) THEN line END AS record"
    table = f"CREATE OR REPLACE TABLE records AS SELECT {valid}, arrived FROM ({lines})"  # noqa: S608 (constants)
    database().execute(table, [*zip(*rows, strict=True)])
    result = database().execute(bound(name, subject, **times))
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def events(objects: Objects) -> list[Event]:
    """Return the events of an archive, each once, as the ledger would have them."""
    unique: dict[Any, Event] = {}
    for content in objects.values():
        for line in gzip.decompress(content).decode().splitlines():
            for result in parse(line):
                for event in result if isinstance(result, list) else ():
                    if event.message_id:
                        current = unique.setdefault(key(event), event)
                        unique[key(event)] = max(current, event, key=time)
    return list(unique.values())


def time(event: Event) -> str:
    at = event.reported_at or event.occurred_at
    assert at
    return text(at)


def in_range(event: Event) -> bool:
    assert event.sent_at
    return SINCE <= event.sent_at < UNTIL


def of_campaign(objects: Objects, campaign: str) -> list[Event]:
    return [each for each in events(objects) if in_range(each) and campaign in each.tags["campaign"]]


def summary(events: list[Event]) -> dict[str, int]:
    recipients = {(each.message_id, each.recipient) for each in events}
    return {"recipients": len(recipients), "machine": sum(each.machine is not None for each in events)}


@pytest.fixture(params=[0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def archive(request: pytest.FixtureRequest) -> Objects:
    return an_archive(request.param)


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_campaign_has_the_measures_of_the_counters(archive: Objects, campaign: str):
    by_measure: dict[str, list[Event]] = defaultdict(list)
    for event in of_campaign(archive, campaign):
        by_measure[measure(event, Counted())].append(event)
    assert run(archive, "campaign", f"campaign={campaign}") == [
        {"measure": name, "events": len(group), **summary(group)} for name, group in sorted(by_measure.items())
    ]


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_links_have_all_and_unique_clicks(archive: Objects, campaign: str):
    by_link: dict[str | None, list[Event]] = defaultdict(list)
    for event in of_campaign(archive, campaign):
        if event.kind == "Click":
            by_link[event.link].append(event)
    expected = [{"link": link, "clicks": len(group), **summary(group)} for link, group in by_link.items()]
    assert sorted(run(archive, "links", f"campaign={campaign}"), key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_clickers_are_named_with_their_links(archive: Objects, campaign: str):
    by_person: dict[Any, list[Event]] = defaultdict(list)
    for event in of_campaign(archive, campaign):
        if event.kind == "Click":
            by_person[event.recipient, event.link].append(event)
    expected = [
        {"recipient": recipient, "link": link, "clicks": len(group), "machine": summary(group)["machine"]}
        | {"first_click": min(map(time, group)), "last_click": max(map(time, group))}
        for (recipient, link), group in by_person.items()
    ]
    assert sorted(run(archive, "clickers", f"campaign={campaign}"), key=str) == sorted(expected, key=str)


def test_inactive_recipients_were_sent_to_and_did_nothing(archive: Objects):
    known = events(archive)
    alone = {each for each, number in Counter(e.message_id for e in known if e.kind == "Send").items() if number == 1}
    sent: dict[str | None, list[Event]] = defaultdict(list)
    active = set()
    for event in known:
        if event.message_id in alone and text(SINCE) <= time(event) < text(UNTIL):
            if event.kind == "Send":
                sent[event.recipient].append(event)
            elif event.kind in ("Open", "Click") and event.machine is None:
                active.add(event.recipient)
    expected = [
        {"recipient": recipient, "messages": len(group), "last_sent": max(map(time, group))}
        for recipient, group in sent.items()
        if recipient not in active
    ]
    assert sorted(run(archive, "inactive"), key=str) == sorted(expected, key=str)


DETAILS = (
    *("bounce_type", "bounce_subtype", "complaint_subtype", "feedback_type", "status", "diagnostic_code"),
    *("smtp_response", "delay_type", "reject_reason", "error_message", "contact_list", "link"),
)


def test_message_has_every_event_once_in_the_order_of_time(archive: Objects):
    known = events(archive)
    for message in sorted({event.message_id or "" for event in known if in_range(event)})[:6]:
        expected = [
            {
                "time": time(event),
                "event": str(event.kind),
                "recipient": event.recipient,
                "details": " ".join(filter(None, (getattr(event, name) for name in DETAILS))),
                "machine": event.machine,
                "ip_address": event.ip_address,
                "user_agent": event.user_agent,
            }
            for event in known
            if event.message_id == message
        ]
        rows = run(archive, "message", message)
        assert sorted(rows, key=str) == sorted(expected, key=str)
        assert rows == sorted(rows, key=lambda row: row["time"])


def test_archives_have_what_the_reports_must_get_right():
    archives = [an_archive(seed) for seed in range(3)]
    known = [event for archive in archives for event in events(archive)]
    lines = [line for archive in archives for each in archive.values() for line in gzip.decompress(each).splitlines()]
    assert len(set(lines)) < len(lines), "duplicates"
    assert {None, "Likely", "Unlikely"} == {event.bot_likelihood for event in known}
    assert {measure(event, Counted(simulator="real")) for event in known} == {*ALL_MEASURES} - UNIQUE_MEASURES
    assert any(event.reported_recipient for event in known), "forwards"
    assert any(event.recipient is None for event in known if event.kind == "Open"), "several recipients"
    assert max(e.occurred_at - e.sent_at for e in known if e.occurred_at and e.sent_at) > timedelta(days=50)
    assert NOT_JSON.encode() in lines


def test_copy_with_more_tags_stays():
    record = '{"eventType": "Click", "mail": {"messageId": "m", "timestamp": "2026-03-20T09:00:00.000Z"%s}}'
    tagged = record % ', "tags": {"campaign": ["spring"]}'
    objects = {"events/2026/03/20/09/a.gz": gzip.compress("\n".join([record % "", tagged, record % ""]).encode())}
    [row] = run(objects, "links", "campaign=spring")
    assert row["clicks"] == 1


def test_bounce_of_a_forward_is_of_the_only_destination():
    bounce = published("bounce")
    bounce["mail"] |= {"messageId": "m", "timestamp": "2026-03-20T09:00:00.000Z", "destination": ["Ada@mail.example"]}
    bounce["bounce"]["bouncedRecipients"] = [{"emailAddress": "ada@elsewhere.example"}]
    objects = {"events/2026/03/20/09/a.gz": gzip.compress(json.dumps(bounce).encode())}
    assert [row["recipient"] for row in run(objects, "message", "m")] == ["ada@mail.example"]


@pytest.mark.parametrize("subject", ["it's", "' OR '1' = '1", "a\\", "''", "?", "ü"])
def test_parameter_is_a_literal_whatever_is_in_it(subject: str):
    """Athena evaluates parameters as expressions."""
    parsed = sqlglot.parse_one(literal(subject), read="athena")
    assert isinstance(parsed, exp.Literal)
    assert parsed.this == subject
    assert run(an_archive(0), "message", subject) == []


@pytest.mark.parametrize("name", REPORTS)
def test_query_reads_only_the_hours_of_its_range(name: str):
    subject = {"message": "id", "inactive": None}.get(name, "a=b")
    first, end, *_ = parameters(REPORTS[name], subject, SINCE, UNTIL)
    late = UNTIL + REPORTS[name].late
    assert first == literal(f"{SINCE - timedelta(minutes=15):%Y/%m/%d/%H}")
    assert literal(f"{late:%Y/%m/%d/%H}") < end <= literal(f"{late + timedelta(hours=1):%Y/%m/%d/%H}")


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        *(("campaign", subject) for subject in ("spring", None, "=x", "a=")),
        *(("message", None), ("message", "x" * 1000), ("inactive", "a")),
    ],
)
def test_subject_of_another_form_is_refused(name: str, subject: str | None):
    with pytest.raises(InvalidSubject, match=f"The report {name} is asked about"):
        parameters(REPORTS[name], subject, SINCE, UNTIL)


def test_price_is_that_of_ten_megabytes_at_least():
    assert dollars(0) == dollars(10 * 2**20) == pytest.approx(0.0000477, rel=0.01)
    assert dollars(10 * 2**20 + 1) == dollars(11 * 2**20)
    assert dollars(2**40) == 5
