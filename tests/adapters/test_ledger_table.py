from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aftersend import ledger
from aftersend.aws import clients
from aftersend.aws.ledger_table import LedgerTable, Throttled
from aftersend.aws.serialization import deserialize
from aftersend.events import Event, Kind
from tests.event_factory import READER, a_bounce, a_complaint, an_event, an_open


@pytest.fixture
def table(dynamodb: Any) -> LedgerTable:
    return LedgerTable(dynamodb, "ledger", ledger.Retention())


@pytest.fixture
def kept(dynamodb: Any) -> Callable[[], list[Event]]:
    return lambda: [
        ledger.event_from_attributes(deserialize(found)) for found in dynamodb.scan(TableName="ledger")["Items"]
    ]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "pause", lambda seconds: None)


def test_facts_about_a_recipient_are_those_that_decide(table: LedgerTable):
    table.record([a_bounce(), an_event(Kind.DELIVERY), an_open(), a_complaint(recipient="other@mail.example")])
    assert table.feedback_for(READER) == [a_bounce()]


def test_facts_come_on_however_many_pages(table: LedgerTable, dynamodb: Any):
    dynamodb.meta.events.register("before-parameter-build.dynamodb.Query", lambda params, **_: params.update(Limit=7))
    table.record([a_bounce(message=f"message-{number}") for number in range(40)])
    assert len(table.feedback_for(READER)) == 40


def test_volume_is_written_in_batches(table: LedgerTable, dynamodb: Any, kept: Callable[[], list[Event]]):
    sizes = []
    dynamodb.meta.events.register(
        "before-parameter-build.dynamodb.BatchWriteItem",
        lambda params, **_: sizes.append(len(params["RequestItems"]["ledger"])),
    )
    table.record([an_open(minutes=number) for number in range(60)])
    assert (sizes, len(kept())) == ([25, 25, 10], 60)


def test_an_event_that_is_there_twice_does_not_get_its_batch_refused(
    table: LedgerTable, kept: Callable[[], list[Event]]
):
    table.record([an_open(), an_open(), an_open(minutes=2)])
    assert len(kept()) == 2


@pytest.mark.parametrize("kind", [Kind.BOUNCE, Kind.COMPLAINT, Kind.DELIVERY, Kind.SUBSCRIPTION])
@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["notified first", "published first"])
def test_the_copy_with_tags_stays_whichever_comes_first(
    table: LedgerTable, kept: Callable[[], list[Event]], kind: str, order: slice
):
    notified, published = an_event(kind, tags={}), an_event(kind)
    for copy in [notified, published][order]:
        table.record([copy])
    assert kept() == [published]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_of_two_differing_copies_of_a_fact_the_same_stays_in_either_order(
    table: LedgerTable, kept: Callable[[], list[Event]], order: slice
):
    copies = [a_bounce(diagnostic_code="one"), a_bounce(diagnostic_code="two")]
    for copy in copies[order]:
        table.record([copy])
    assert kept() == [max(copies, key=ledger.rank)]


def test_an_item_expires_by_the_events_own_time(table: LedgerTable, dynamodb: Any):
    table.record([a_bounce()])
    [found] = dynamodb.scan(TableName="ledger")["Items"]
    expiry = ledger.expires_at(a_bounce(), ledger.Retention())
    assert expiry is not None
    assert int(found["expires"]["N"]) == int(expiry.timestamp())


class Grudging:
    """DynamoDB that leaves all but one of a batch unprocessed, so many times."""

    def __init__(self, dynamodb: Any, times: int) -> None:
        self.dynamodb, self.times = dynamodb, times

    def batch_write_item(self, RequestItems: dict[str, list]) -> dict[str, Any]:  # noqa: N803 (DynamoDB's name)
        [(table, requests)] = RequestItems.items()
        if not self.times:
            return self.dynamodb.batch_write_item(RequestItems=RequestItems)
        self.times -= 1
        self.dynamodb.batch_write_item(RequestItems={table: requests[:1]})
        return {"UnprocessedItems": {table: requests[1:]}} if requests[1:] else {}


def test_unprocessed_items_are_offered_again(dynamodb: Any, kept: Callable[[], list[Event]]):
    table = LedgerTable(Grudging(dynamodb, times=5), "ledger", ledger.Retention())
    table.record([an_open(minutes=number) for number in range(20)])
    assert len(kept()) == 20


def test_what_stays_unprocessed_is_not_taken_for_written(dynamodb: Any):
    table = LedgerTable(Grudging(dynamodb, times=1000), "ledger", ledger.Retention())
    with pytest.raises(Throttled, match=r"^10 items of 20 were left unprocessed\.$"):
        table.record([an_open(minutes=number) for number in range(20)])


class Choosy:
    """DynamoDB that refuses every batch with a certain item, as it does for one it finds invalid."""

    def __init__(self, dynamodb: Any, agent: str) -> None:
        self.dynamodb, self.agent = dynamodb, agent

    def batch_write_item(self, RequestItems: dict[str, list]) -> dict[str, Any]:  # noqa: N803 (DynamoDB's name)
        if any(put["PutRequest"]["Item"]["user_agent"]["S"] == self.agent for put in RequestItems["ledger"]):
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "bad item"}}, "BatchWriteItem")
        return self.dynamodb.batch_write_item(RequestItems=RequestItems)


def test_one_bad_item_does_not_take_its_batch_along(dynamodb: Any, kept: Callable[[], list[Event]]):
    table = LedgerTable(Choosy(dynamodb, "bad"), "ledger", ledger.Retention())
    with pytest.raises(ClientError, match="bad item"):
        table.record([an_open(user_agent=name) for name in ("one", "bad", "two")])
    assert {event.user_agent for event in kept()} == {"one", "two"}
