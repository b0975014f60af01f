from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aftersend import ledger
from aftersend.aws.ledger_table import LedgerTable, Throttled
from aftersend.aws.serialization import deserialize
from aftersend.events import Event, Kind
from tests.event_factory import READER, a_bounce, a_complaint, an_event, an_open
from tests.fakes import immediate_attempts


@pytest.fixture
def table(dynamodb: Any) -> LedgerTable:
    return LedgerTable(dynamodb, "ledger", ledger.Retention())


@pytest.fixture
def stored(dynamodb: Any) -> Callable[[], list[Event]]:
    return lambda: [
        ledger.event_from_attributes(deserialize(item)) for item in dynamodb.scan(TableName="ledger")["Items"]
    ]


def test_feedback_for_a_recipient_is_what_decides_about_suppression(table: LedgerTable):
    table.record([a_bounce(), an_event(Kind.DELIVERY), an_open(), a_complaint(recipient="other@mail.example")])
    assert table.feedback_for(READER) == [a_bounce()]


def test_feedback_is_read_from_every_page(table: LedgerTable, dynamodb: Any):
    dynamodb.meta.events.register("before-parameter-build.dynamodb.Query", lambda params, **_: params.update(Limit=7))
    table.record([a_bounce(message=f"message-{number}") for number in range(40)])
    assert len(table.feedback_for(READER)) == 40


def test_volume_is_written_in_batches(table: LedgerTable, dynamodb: Any, stored: Callable[[], list[Event]]):
    sizes = []
    dynamodb.meta.events.register(
        "before-parameter-build.dynamodb.BatchWriteItem",
        lambda params, **_: sizes.append(len(params["RequestItems"]["ledger"])),
    )
    table.record([an_open(minutes=number) for number in range(60)])
    assert (sizes, len(stored())) == ([25, 25, 10], 60)


def test_event_that_occurs_twice_does_not_get_its_batch_rejected(table: LedgerTable, stored: Callable[[], list[Event]]):
    table.record([an_open(), an_open(), an_open(minutes=2)])
    assert len(stored()) == 2


@pytest.mark.parametrize("kind", [Kind.BOUNCE, Kind.COMPLAINT, Kind.DELIVERY, Kind.SUBSCRIPTION])
@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["notified first", "published first"])
def test_copy_with_tags_stays_whichever_comes_first(
    table: LedgerTable, stored: Callable[[], list[Event]], kind: str, order: slice
):
    notified, published = an_event(kind, tags={}), an_event(kind)
    for copy in [notified, published][order]:
        table.record([copy])
    assert stored() == [published]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_same_one_of_two_different_copies_stays_in_either_order(
    table: LedgerTable, stored: Callable[[], list[Event]], order: slice
):
    copies = [a_bounce(diagnostic_code="one"), a_bounce(diagnostic_code="two")]
    for copy in copies[order]:
        table.record([copy])
    assert stored() == [max(copies, key=ledger.rank)]


def test_item_expires_by_the_events_own_time(table: LedgerTable, dynamodb: Any):
    table.record([a_bounce()])
    [item] = dynamodb.scan(TableName="ledger")["Items"]
    expiry = ledger.expires_at(a_bounce(), ledger.Retention())
    assert expiry is not None
    assert int(item["expires"]["N"]) == int(expiry.timestamp())


class ThrottledDynamoDB:
    """DynamoDB that leaves all but one item of a batch unprocessed, a number of times."""

    def __init__(self, dynamodb: Any, times: int) -> None:
        self.dynamodb, self.times = dynamodb, times

    def batch_write_item(self, RequestItems: dict[str, list]) -> dict[str, Any]:  # noqa: N803 (DynamoDB's name)
        [(table, requests)] = RequestItems.items()
        if not self.times:
            return self.dynamodb.batch_write_item(RequestItems=RequestItems)
        self.times -= 1
        self.dynamodb.batch_write_item(RequestItems={table: requests[:1]})
        return {"UnprocessedItems": {table: requests[1:]}} if requests[1:] else {}


def throttled_table(dynamodb: Any, times: int) -> LedgerTable:
    throttled = ThrottledDynamoDB(dynamodb, times)
    return LedgerTable(throttled, "ledger", ledger.Retention(), attempts=immediate_attempts)


def test_unprocessed_items_are_written_again(dynamodb: Any, stored: Callable[[], list[Event]]):
    table = throttled_table(dynamodb, times=5)
    table.record([an_open(minutes=number) for number in range(20)])
    assert len(stored()) == 20


def test_items_that_stay_unprocessed_are_an_error(dynamodb: Any):
    table = throttled_table(dynamodb, times=1000)
    with pytest.raises(Throttled, match=r"^DynamoDB left 10 of 20 items unprocessed\.$"):
        table.record([an_open(minutes=number) for number in range(20)])


class ValidatingDynamoDB:
    """DynamoDB that rejects every batch with an item of a certain user agent, as it does with an invalid item."""

    def __init__(self, dynamodb: Any, invalid_agent: str) -> None:
        self.dynamodb, self.invalid_agent = dynamodb, invalid_agent

    def batch_write_item(self, RequestItems: dict[str, list]) -> dict[str, Any]:  # noqa: N803 (DynamoDB's name)
        if any(put["PutRequest"]["Item"]["user_agent"]["S"] == self.invalid_agent for put in RequestItems["ledger"]):
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "bad item"}}, "BatchWriteItem")
        return self.dynamodb.batch_write_item(RequestItems=RequestItems)


def test_invalid_item_does_not_keep_the_others_of_its_batch_from_being_written(
    dynamodb: Any, stored: Callable[[], list[Event]]
):
    table = LedgerTable(ValidatingDynamoDB(dynamodb, "bad"), "ledger", ledger.Retention())
    with pytest.raises(ClientError, match="bad item"):
        table.record([an_open(user_agent=name) for name in ("one", "bad", "two")])
    assert {event.user_agent for event in stored()} == {"one", "two"}
