"""Test the event bus, and the function that publishes changes of the suppression list to it."""

import io
import json
from typing import Any

import pytest

from aftersend import ledger
from aftersend.aws import event_bus
from aftersend.aws.event_bus import MAX_REQUEST_BYTES, BusEvent, EventBus
from aftersend.aws.serialization import serialize
from aftersend.contract import PARTITION_KEY, SORT_KEY, Variable
from aftersend.recipient_hash import keyed_hash
from lambdas import publish_suppressions
from lambdas.dependencies import logger
from tests.fakes import immediate_attempts

READER = "reader@mail.example"


class FakeEvents:
    """EventBridge, which refuses the details that contain certain texts, each so many times."""

    def __init__(self, **refusals: int) -> None:
        self.refusals = refusals
        self.requests: list[list[str]] = []
        self.accepted: list[dict[str, str]] = []

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        self.requests.append([entry["Detail"] for entry in Entries])
        return {"Entries": [self._put(entry) for entry in Entries]}

    def _put(self, entry: dict[str, str]) -> dict[str, str]:
        for text in [text for text, times in self.refusals.items() if times and text in entry["Detail"]]:
            self.refusals[text] -= 1
            return {"ErrorCode": "InternalFailure"}
        self.accepted.append(entry)
        return {"EventId": "1"}


def bus_of(events: FakeEvents) -> EventBus:
    return EventBus(events, "bus", attempts=immediate_attempts)


def test_requests_have_at_most_ten_entries():
    events = FakeEvents()
    assert bus_of(events).publish([BusEvent("type", str(number)) for number in range(21)]) == []
    assert [len(request) for request in events.requests] == [10, 10, 1]


@pytest.mark.parametrize(("excess", "requests"), [(0, [2]), (1, [1, 1])])
def test_requests_have_at_most_256_kilobytes(excess: int, requests: list[int]):
    half = MAX_REQUEST_BYTES // 2 - len("aftersend") - len("type")
    events = FakeEvents()
    bus_of(events).publish(
        [BusEvent("type", "é" * (half // 2) + "x" * (half % 2)), BusEvent("type", "x" * (half + excess))]
    )
    assert [len(request) for request in events.requests] == requests


def test_refused_entries_are_published_again_without_the_others():
    events = FakeEvents(b=2)
    assert bus_of(events).publish([BusEvent("type", text) for text in "abc"]) == []
    assert events.requests == [["a", "b", "c"], ["b"], ["b"]]


def test_entries_that_stay_refused_are_returned():
    events = FakeEvents(b=event_bus.PUT_ATTEMPTS, c=1)
    assert bus_of(events).publish([BusEvent("type", text) for text in "abc"]) == [1]
    assert [entry["Detail"] for entry in events.accepted] == ["a", "c"]


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in (
        (Variable.ENVIRONMENT, "test"),
        (Variable.POLICY, "{}"),
        (Variable.INCLUDE_ADDRESS, "false"),
    ):
        monkeypatch.setenv(variable, value)


def image(recipient: str = READER, **values: Any) -> dict[str, Any]:
    entry = {"recipient": recipient, "reason": "bounce", "rule": "hard-bounce", "version": 1, **values}
    return serialize({PARTITION_KEY: recipient, SORT_KEY: "*"} | entry)


def stream_record(number: int, new: Any, old: Any = None, name: str = "INSERT") -> dict[str, Any]:
    images = {"NewImage": new, "OldImage": old}
    return {
        "eventName": name,
        "dynamodb": {"SequenceNumber": str(number), **{key: value for key, value in images.items() if value}},
    }


def publish(events: FakeEvents, *records: dict[str, Any], emitted: list[Any] | None = None) -> list[str]:
    """Invoke the function and return the sequence numbers that it returns."""
    response = publish_suppressions.handler(
        {"Records": [*records]},
        bus=bus_of(events),
        hash_key=lambda: "key",
        emit_metric=(emitted if emitted is not None else []).append,
    )
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def test_event_names_the_recipient_by_keyed_hash():
    events = FakeEvents()
    assert publish(events, stream_record(1, image())) == []
    [entry] = events.accepted
    assert (entry["Source"], entry["DetailType"], entry["EventBusName"]) == ("aftersend", "Recipient Suppressed", "bus")
    assert json.loads(entry["Detail"])["recipient_hash"] == keyed_hash(READER, "key")
    assert READER not in entry["Detail"]


def test_first_record_that_is_refused_is_returned():
    events = FakeEvents(second=99, third=99)
    names = ("first", "second", "third", "fourth")
    records = [stream_record(9 + number, image(rule=name)) for number, name in enumerate(names)]
    assert publish(events, *records) == ["10"]
    assert len(events.accepted) == 2


def test_removals_and_forgotten_recipients_publish_nothing():
    events = FakeEvents()
    forgotten = serialize({PARTITION_KEY: "forgotten", SORT_KEY: "1:ab"})
    assert publish(events, stream_record(1, None, image(), "REMOVE"), stream_record(2, forgotten)) == []
    assert not events.requests


def test_hash_key_is_read_only_if_something_is_published():
    def fail() -> str:
        raise AssertionError

    lifted = image(lifted_by="not-spam")
    event = {"Records": [stream_record(1, lifted)]}
    publish_suppressions.handler(event, bus=bus_of(FakeEvents()), hash_key=fail)


@pytest.mark.parametrize("which", ["NewImage", "OldImage"])
def test_record_that_cannot_be_decoded_is_left_out_and_reported(which: str, monkeypatch: pytest.MonkeyPatch):
    log, emitted, events = io.StringIO(), [], FakeEvents()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    bad = stream_record(1, image(), image(rule="complaint"), "MODIFY")
    bad["dynamodb"][which] |= {"rule": {"N": "7"}}
    bad["dynamodb"]["Keys"] = {PARTITION_KEY: {"S": READER}, SORT_KEY: {"S": "*"}}
    assert publish(events, bad, stream_record(2, image("other@mail.example")), emitted=emitted) == []
    assert len(events.accepted) == 1
    [metric] = emitted
    assert (metric["unpublishable_changes"], metric["Environment"]) == (1, "test")
    error = json.loads(log.getvalue().splitlines()[0])
    assert (error["level"], error["keys"]) == ("ERROR", [ledger.digest(bad["dynamodb"]["Keys"])])
    assert READER not in log.getvalue()


def test_entry_of_a_newer_version_is_delivered_again_instead_of_published_by_guess():
    events = FakeEvents()
    with pytest.raises(ledger.NewerSchema):
        publish(events, stream_record(1, image() | {"schema": {"N": "2"}}))
    assert not events.requests


def test_failure_that_is_not_the_records_own_is_raised():
    """A stream without new images would otherwise be left unpublished, record by record."""
    with pytest.raises(KeyError):
        publish(FakeEvents(), stream_record(1, None))
