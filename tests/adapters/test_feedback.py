"""Read feedback from the indexes of the ledger, and run `aftersend feedback`, over the model of DynamoDB."""

import csv
import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from aftersend.aws.deployment import Unavailable
from aftersend.aws.feedback_indexes import FeedbackIndexes
from aftersend.aws.ledger_table import LedgerTable
from aftersend.cli.main import app
from aftersend.events import Event, Kind
from aftersend.operations.feedback_listing import COLUMNS
from aftersend.retention import Retention
from tests.adapters.conftest import SESSION
from tests.adapters.suppression_shop import SuppressionShop, invoke, shop
from tests.adapters.test_suppression_runbook import PAGE, comparable
from tests.event_factory import READER, SENT, TAGS, a_bounce, a_complaint, added_by_operator, an_event, an_open
from tests.world.conformance import table_definition

__all__ = ["shop"]

HOUR = timedelta(hours=1)


@pytest.fixture
def table(dynamodb: Any) -> LedgerTable:
    return LedgerTable(dynamodb, "ledger", Retention())


@pytest.fixture
def indexes(dynamodb: Any) -> FeedbackIndexes:
    return FeedbackIndexes(dynamodb, "ledger")


def messages(events: Iterator[Event]) -> list[str | None]:
    return [event.message_id for event in events]


def test_feedback_of_days_is_read_in_the_order_in_which_its_messages_were_sent(
    table: LedgerTable, indexes: FeedbackIndexes
):
    times = [SENT + number * HOUR for number in range(40)]
    table.record(a_bounce(message=f"message-{number:02}", sent_at=time) for number, time in enumerate(reversed(times)))
    expected = [f"message-{number:02}" for number in range(39, -1, -1)]
    assert messages(indexes.sent_within(times[0], times[-1] + HOUR)) == expected
    assert messages(indexes.sent_within(times[10], times[31])) == expected[10:31]


def test_time_with_a_fraction_belongs_to_its_second(table: LedgerTable, indexes: FeedbackIndexes):
    late = SENT + timedelta(milliseconds=645)
    table.record([a_bounce(message="whole"), a_bounce(message="fraction", sent_at=late)])
    assert sorted(filter(None, messages(indexes.sent_within(SENT, SENT + HOUR)))) == ["fraction", "whole"]
    assert messages(indexes.sent_within(SENT - HOUR, SENT)) == []


def test_indexes_have_feedback_of_messages_only(table: LedgerTable, indexes: FeedbackIndexes):
    subscription = an_event(Kind.SUBSCRIPTION, contact_list="readers")
    table.record([an_event("Send"), an_open(), added_by_operator(), a_complaint(minutes=9), subscription])
    assert [event.kind for event in indexes.sent_within(SENT, SENT + HOUR)] == ["Complaint", "Subscription"]
    assert [event.kind for event in indexes.of_message("message-1")] == ["Subscription", "Complaint"]


def test_better_copy_takes_the_place_of_the_other_in_the_indexes(table: LedgerTable, indexes: FeedbackIndexes):
    poor, rich = a_bounce(tags={}, sent_at=SENT - 48 * HOUR, occurred_at=SENT), a_bounce(diagnostic_code="550")
    for copies in ([poor], [rich], [poor]):
        table.record(copies)
    assert [*indexes.of_message("message-1")] == [rich]
    assert [*indexes.sent_within(SENT - 72 * HOUR, SENT + HOUR)] == [rich]


def test_feedback_without_a_time_of_sending_is_stored_but_not_indexed(table: LedgerTable, indexes: FeedbackIndexes):
    table.record([a_bounce(sent_at=None, occurred_at=SENT)])
    assert len(table.events_for(READER)) == 1
    assert [*indexes.of_message("message-1")] == []


@pytest.mark.usefixtures("moto_dynamodb")
@pytest.mark.parametrize("selected", ["of_message", "sent_within"])
def test_ledger_without_indexes_is_refused_with_what_to_do(dynamodb: Any, selected: str):
    dynamodb.create_table(**table_definition("old", {}))
    old = FeedbackIndexes(dynamodb, "old")
    read = old.of_message("message-1") if selected == "of_message" else old.sent_within(SENT, SENT + HOUR)
    with pytest.raises(Unavailable, match=r"The ledger old has no index feedback-by-\w+, .* section Feedback of docs"):
        next(read)


NOW = datetime.now(UTC).replace(microsecond=0)
DAYS_AGO = NOW - timedelta(days=7)
"""Just outside the range that is listed by default."""


def record_campaign(shop: SuppressionShop, sent_at: datetime = DAYS_AGO) -> None:
    raw, diagnosis = "Reader@mail.example", "smtp; 550 5.1.1 user unknown"
    shop.record(
        a_bounce(sent_at=sent_at, recipient_raw=raw, diagnostic_code=diagnosis),
        a_complaint(recipient="ann@mail.example", sent_at=sent_at + timedelta(seconds=1)),
        a_complaint(message="message-2", sent_at=sent_at + timedelta(seconds=2), tags={"campaign": ["autumn"]}),
    )


def test_message_of_the_present_second_is_listed(shop: SuppressionShop):
    shop.record(a_bounce(sent_at=datetime.now(UTC)))
    assert len(invoke("feedback", "--json").stdout.splitlines()) == 1


def test_campaign_is_listed_as_csv(shop: SuppressionShop):
    record_campaign(shop)
    result = invoke("feedback", "--tag", "campaign=spring-catalogue", "--since", "8d", "--csv")
    header, *rows = csv.reader(result.stdout.splitlines())
    assert tuple(header) == COLUMNS
    assert [(row[2], row[7], row[10]) for row in rows] == [
        ("Bounce", "Reader@mail.example", "hard-bounce"),
        ("Complaint", "ann@mail.example", "complaint"),
    ]
    assert "2 events. Looked through: 3 events about messages sent from" in result.stderr


def test_message_is_listed_as_json_however_old_it_is(shop: SuppressionShop):
    record_campaign(shop, NOW - timedelta(days=90))
    result = invoke("feedback", "--message", "message-1", "--kind", "bounce", "--json")
    [line] = map(json.loads, result.stdout.splitlines())
    assert (line["recipient"], line["diagnostic_code"]) == ("Reader@mail.example", "smtp; 550 5.1.1 user unknown")
    assert line["tags"] == TAGS


def test_last_seven_days_are_listed_by_default(shop: SuppressionShop):
    record_campaign(shop, NOW - timedelta(days=6))
    shop.record(a_bounce(message="message-0", sent_at=NOW - timedelta(days=8)))
    assert "3 events. Looked through: 3 events" in invoke("feedback").stderr


def test_absence_of_feedback_states_what_was_looked_through(shop: SuppressionShop):
    record_campaign(shop)
    result = invoke("feedback", "--since", "2026-03-14", "--until", "2026-03-16")
    assert result.stdout == ""
    assert result.stderr.strip() == (
        "No events. Looked through: 0 events about messages sent from 14 Mar 2026 00:00 UTC to 16 Mar 2026 00:00 UTC."
    )
    assert invoke("feedback", "--since", "1h", "--csv").stdout.strip() == ",".join(COLUMNS)


def test_long_diagnostic_is_shortened_and_control_characters_are_escaped(shop: SuppressionShop):
    shop.record(a_bounce(sent_at=NOW - HOUR, diagnostic_code="\x1b[2J" + "x" * 500))
    [_, row] = invoke("feedback").stdout.splitlines()
    assert row.endswith(f"  \\x1b[2J{'x' * 56}…")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--message", ""], "--message is empty"),
        (["--tag", "spring"], "'spring' is no tag. Valid tags: NAME=VALUE"),
        (["--since", "yesterday"], "'yesterday' is no time."),
        (["--until", "7 d"], "Or an age: 7d, 24h."),
        (["--since", "1h", "--until", "2h"], "--until must be later than --since"),
        (["--kind", "open"], "'open' is not one of"),
        (["--csv", "--json"], "--csv and --json exclude each other"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(shop: SuppressionShop, arguments: list[str], problem: str):
    result = invoke("feedback", *arguments, exits=2)
    assert problem in " ".join(result.stderr.replace("│", "").split())


@pytest.mark.usefixtures("moto_dynamodb")
def test_ledger_without_indexes_ends_the_command_with_a_sentence(shop: SuppressionShop):
    SESSION.client("dynamodb").create_table(**table_definition("old", {}))
    shop.stacks["Aftersend-shop-State"]["LedgerTableName"] = "old"
    assert "The ledger old has no index feedback-by-day" in invoke("feedback", exits=2).stderr


SECTION = PAGE.read_text().partition("\n## Feedback\n")[2].partition("\n## ")[0]
EXAMPLES = re.findall(r"^    \$ (aftersend feedback .*)\n((?:    (?!\$).*\n)*)", SECTION, re.MULTILINE)


def test_commands_print_what_the_page_shows(shop: SuppressionShop):
    record_campaign(shop)
    assert len(EXAMPLES) == 2
    for command, shown in EXAMPLES:
        words = shlex.split(command.replace("--env prod", "--env shop"))[1:]
        result = CliRunner().invoke(app, words)
        assert comparable(result.output) == comparable(shown)


def test_page_names_every_column():
    assert set(COLUMNS) <= set(re.findall(r"`(\w+)`", SECTION))
