"""Test which changes of a suppression entry subscribers learn of, and what."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from aftersend.events import ADDED, NOT_SPAM, BounceType, Event, Kind
from aftersend.suppression import LIFTED, SUPPRESSED, Entry, Policy, change_detail, detail_type

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
IN_FORCE = Entry(recipient="a@mail.example", reason="bounce", rule="hard-bounce", since=NOW, version=2)


def changed(**changes: object) -> Entry:
    return msgspec.structs.replace(IN_FORCE, **changes)


LIFTED_ENTRY = changed(lifted_by="removed-by-operator", until=NOW)
TEMPORARY = changed(until=NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, IN_FORCE, SUPPRESSED),
        (None, LIFTED_ENTRY, None),
        (LIFTED_ENTRY, IN_FORCE, SUPPRESSED),
        (LIFTED_ENTRY, changed(lifted_by="not-spam"), None),
        (IN_FORCE, LIFTED_ENTRY, LIFTED),
        (TEMPORARY, changed(until=TEMPORARY.until, lifted_by="ended"), LIFTED),
        (IN_FORCE, changed(rule="complaint"), SUPPRESSED),
        (IN_FORCE, changed(reason="operator"), SUPPRESSED),
        (TEMPORARY, changed(until=NOW + timedelta(days=3)), SUPPRESSED),
        (TEMPORARY, IN_FORCE, SUPPRESSED),
        (IN_FORCE, changed(version=3, decided_from="others", since=NOW - timedelta(days=1)), None),
    ],
)
def test_subscribers_learn_of_what_changes_for_them(old: Entry | None, new: Entry, expected: str | None):
    assert detail_type(old, new) == expected


def detail_of(entry: Entry, *, include_address: bool = False) -> dict[str, object]:
    detail = change_detail(
        entry, environment="shop", recipient_hash="1:ab", policy=Policy(), include_address=include_address
    )
    return msgspec.to_builtins(detail)


def test_detail_has_no_address_unless_the_environment_asks_for_it():
    assert detail_of(IN_FORCE) == {
        "id": "1:ab:2:*",
        "environment": "shop",
        "scope": "*",
        "version": 2,
        "reason": "bounce",
        "rule": "hard-bounce",
        "since": "2026-03-14T12:00:00Z",
        "recipient_hash": "1:ab",
    }
    assert detail_of(IN_FORCE, include_address=True)["recipient"] == "a@mail.example"


def event(kind: str, message_id: str, hours: int, **values: object) -> Event:
    common = {"recipient": "a@mail.example", "occurred_at": NOW + timedelta(hours=hours)}
    return msgspec.convert({"kind": kind, "message_id": message_id, **common, **values}, Event)


BOUNCES = [event(Kind.BOUNCE, name, hours, bounce_type=BounceType.PERMANENT) for name, hours in (("b2", 2), ("b1", 1))]
COMPLAINT = event(Kind.COMPLAINT, "c3", 3)
RETRACTION = event(Kind.COMPLAINT, "c4", 4, feedback_type=NOT_SPAM)
ACT = event(ADDED, "operator-5", 5)


@pytest.mark.parametrize(
    ("entry", "message_id"),
    [
        (changed(evidence=[*BOUNCES, COMPLAINT]), "b2"),
        (changed(rule="complaint", lifted_by="not-spam", evidence=[COMPLAINT, RETRACTION]), "c4"),
        (changed(rule="added-by-operator", evidence=[ACT, *BOUNCES]), None),
        (changed(lifted_by="ended", evidence=BOUNCES), None),
    ],
    ids=["suppressed", "lifted", "operator", "ended"],
)
def test_message_is_the_newest_that_the_rule_in_question_matches(entry: Entry, message_id: str | None):
    assert detail_of(entry).get("message_id") == message_id
