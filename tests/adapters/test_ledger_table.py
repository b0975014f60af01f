from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aftersend import ledger
from aftersend.aws.ledger_table import HISTORY_ATTEMPTS, MAX_EVENTS_READ, LedgerTable, Throttled
from aftersend.aws.serialization import deserialize
from aftersend.events import Event, Kind
from aftersend.recorder import Refused
from aftersend.retention import Retention, RetentionHistory, expires_at
from tests.adapters.conftest import SESSION
from tests.event_factory import READER, SENT, a_bounce, a_complaint, an_event, an_open
from tests.fakes import immediate_attempts

pytestmark = pytest.mark.usefixtures("moto_dynamodb")


@pytest.fixture
def table(dynamodb: Any) -> LedgerTable:
    return LedgerTable(dynamodb, "ledger", Retention())


@pytest.fixture
def stored(dynamodb: Any) -> Callable[[], list[Event]]:
    return lambda: [
        ledger.event_from_attributes(deserialize(item)) for item in dynamodb.scan(TableName="ledger")["Items"]
    ]


def test_feedback_for_a_recipient_is_what_decides_about_suppression(table: LedgerTable):
    table.record([a_bounce(), an_event(Kind.DELIVERY), an_open(), a_complaint(recipient="other@mail.example")])
    assert table.feedback_for(READER) == ([a_bounce()], True)


def test_feedback_is_read_from_every_page(dynamodb: Any):
    client = SESSION.new_client("dynamodb")
    table = LedgerTable(client, "ledger", Retention())
    client.meta.events.register("before-parameter-build.dynamodb.Query", lambda params, **_: params.update(Limit=7))
    table.record([a_bounce(message=f"message-{number}") for number in range(40)])
    feedback = table.feedback_for(READER)
    assert (len(feedback.events), feedback.is_complete) == (40, True)


@pytest.mark.slow
def test_newest_messages_feedback_and_operators_acts_are_read_of_very_much(table: LedgerTable):
    ids = [f"01000{number:05}" for number in range(MAX_EVENTS_READ)]
    table.record([a_bounce(message=message) for message in ids])
    assert table.feedback_for(READER).is_complete
    table.record([a_bounce(message="operator-1"), a_bounce(message="0100099999")])
    feedback = table.feedback_for(READER)
    assert {event.message_id for event in feedback.events} == {"operator-1", "0100099999", *ids[2:]}
    assert not feedback.is_complete


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
@pytest.mark.parametrize("kind", [Kind.SEND, Kind.OPEN, Kind.BOUNCE])
def test_copy_without_time_of_sending_never_replaces_one_with_it(
    table: LedgerTable, stored: Callable[[], list[Event]], kind: str, order: slice
):
    copies = [an_event(kind), an_event(kind, sent_at=None, occurred_at=an_event(kind).occurred_at)]
    for copy in copies[order]:
        table.record([copy])
    assert stored() == copies[:1]


def test_of_volume_that_differs_in_its_tags_the_copy_written_last_stays(
    table: LedgerTable, stored: Callable[[], list[Event]]
):
    poorer = an_event(Kind.SEND, tags={"ses:configuration-set": ["newsletter"]})
    for copies in ([poorer, an_event(Kind.SEND)], [an_event(Kind.SEND), poorer]):
        for copy in copies:
            table.record([copy])
        assert stored() == copies[-1:]


def test_volume_is_written_in_batches(stored: Callable[[], list[Event]]):
    client, sizes = SESSION.new_client("dynamodb"), []
    client.meta.events.register(
        "before-parameter-build.dynamodb.BatchWriteItem",
        lambda params, **_: sizes.append(len(params["RequestItems"]["ledger"])),
    )
    LedgerTable(client, "ledger", Retention()).record([an_open(minutes=number) for number in range(60)])
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
    expiry = expires_at(a_bounce(), Retention())
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
    return LedgerTable(throttled, "ledger", Retention(), attempts=immediate_attempts)


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
    table = LedgerTable(ValidatingDynamoDB(dynamodb, "bad"), "ledger", Retention())
    names = ["one", "bad", *(f"name-{number}" for number in range(60))]
    with pytest.raises(Refused, match=r"^DynamoDB refused 1 items; the first: .*bad item"):
        table.record([an_open(user_agent=name) for name in names])
    assert {event.user_agent for event in stored()} == {*names} - {"bad"}


def test_refused_feedback_does_not_keep_others_from_being_written(
    table: LedgerTable, stored: Callable[[], list[Event]]
):
    with pytest.raises(Refused, match=r"^DynamoDB refused 2 items"):
        table.record([a_bounce(recipient=""), a_bounce(recipient="a" * 2049), a_bounce(), an_open()])
    assert {event.kind for event in stored()} == {"Bounce", "Open"}


WEEK = timedelta(days=7)


def test_every_retention_setting_is_stored_once(dynamodb: Any):
    settings = [Retention(), Retention(), Retention(volume_days=90), Retention(volume_days=90), Retention()]
    expected = RetentionHistory()
    for number, setting in enumerate(settings):
        history = LedgerTable(dynamodb, "ledger", setting).retention_history(SENT + number * WEEK)
        expected = expected.with_setting(setting, SENT + number * WEEK)
        assert history == expected
    assert len(expected.periods) == 3
    [item] = dynamodb.scan(TableName="ledger")["Items"]
    assert "expires" not in item


class OvertakingDynamoDB:
    """Let another process store another setting before each of the first writes."""

    def __init__(self, dynamodb: Any, times: int) -> None:
        self.dynamodb, self.times = dynamodb, times

    def query(self, **call: Any) -> Any:
        return self.dynamodb.query(**call)

    def put_item(self, **call: Any) -> Any:
        if self.times:
            self.times -= 1
            setting = Retention(volume_days=50 + self.times)
            LedgerTable(self.dynamodb, "ledger", setting).retention_history(SENT)
        return self.dynamodb.put_item(**call)


def test_setting_that_another_process_stores_at_the_same_time_is_kept(dynamodb: Any):
    table = LedgerTable(OvertakingDynamoDB(dynamodb, 2), "ledger", Retention(), attempts=immediate_attempts)
    assert [period.volume_days for period in table.retention_history(SENT).periods] == [51, 50, 30]


def test_history_that_changes_at_every_attempt_is_an_error(dynamodb: Any):
    overtaking = OvertakingDynamoDB(dynamodb, HISTORY_ATTEMPTS)
    table = LedgerTable(overtaking, "ledger", Retention(), attempts=immediate_attempts)
    with pytest.raises(Throttled, match="changed during each of 10 attempts"):
        table.retention_history(SENT)
