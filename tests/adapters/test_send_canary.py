"""Test send_canary over tables in moto and a fake of SES."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from aftersend.aws.canary import CanaryMail, SentMessages
from aftersend.aws.counters_table import CountersTable
from aftersend.aws.ledger_table import LedgerTable
from aftersend.canary import EXPECTED, Sent
from aftersend.contract import Variable
from aftersend.events import Kind
from aftersend.retention import Retention
from lambdas import send_canary
from tests.event_factory import an_event

RUN = datetime(2026, 3, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class FakeSesV2:
    """Takes messages, or fails for some recipients."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.errors: dict[str, Exception] = {}

    def send_email(self, **message: Any) -> dict[str, Any]:
        [recipient] = message["Destination"]["ToAddresses"]
        if error := self.errors.get(recipient.partition("+")[0]):
            raise error
        self.messages.append(message)
        return {"MessageId": "1"}


class Canary:
    def __init__(self, dynamodb: Any) -> None:
        self.dynamodb, self.ses, self.documents = dynamodb, FakeSesV2(), list[dict[str, Any]]()
        self.ledger = LedgerTable(dynamodb, "ledger", Retention())
        self.sent_messages = SentMessages(dynamodb, "counters")

    def run(self, time: datetime = RUN) -> tuple[int, int]:
        """Run the function, and return how many events are missing and how many messages failed."""
        counts = send_canary.handler(
            {"source": "aws.events", "time": time.isoformat()},
            mail=CanaryMail(self.ses, from_address="canary@shop.example", configuration_set="newsletter"),
            sent_messages=self.sent_messages,
            ledger=self.ledger,
            emit_metric=self.documents.append,
        )
        assert counts["canary_runs"] == 1
        return counts["canary_missing"], counts["canary_failed"]

    def record(self, run: datetime = RUN, without: tuple[str, ...] = ()) -> None:
        for name, kinds in EXPECTED.items():
            recipient = Sent(run, name).recipient
            self.ledger.record(an_event(kind, recipient=recipient) for kind in kinds if kind not in without)

    @property
    def names(self) -> list[str]:
        return [each["Destination"]["ToAddresses"][0].partition("+")[0] for each in self.ses.messages]


@pytest.fixture
def canary(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Canary:
    monkeypatch.setenv(Variable.ENVIRONMENT, "test")
    return Canary(dynamodb)


def test_first_run_sends_one_message_to_each_address_and_reports_nothing(canary: Canary):
    assert canary.run() == (0, 0)
    assert canary.names == [*EXPECTED]
    assert canary.ses.messages[1] == {
        "FromEmailAddress": "canary@shop.example",
        "Destination": {"ToAddresses": ["bounce+20260314120000@simulator.amazonses.com"]},
        "Content": canary.ses.messages[0]["Content"],
        "ConfigurationSetName": "newsletter",
        "EmailTags": [{"Name": "aftersend-canary", "Value": "1"}],
    }
    assert set(canary.documents[0]) == {"_aws", "Environment", "canary_runs"}


def test_nothing_is_missing_if_all_events_arrived(canary: Canary):
    canary.run()
    canary.record()
    assert canary.run(RUN + HOUR) == (0, 0)


def test_missing_events_are_counted_until_they_arrive(canary: Canary, caplog: pytest.LogCaptureFixture):
    canary.run()
    canary.record(without=(Kind.COMPLAINT, Kind.DELIVERY))
    assert canary.run(RUN + HOUR) == (2, 0)
    logged = [vars(record) for record in caplog.records if record.levelname == "ERROR"]
    assert sorted((each["simulator_address"], *each["event_types"]) for each in logged) == [
        ("complaint", "Complaint"),
        ("success", "Delivery"),
    ]
    canary.record()
    canary.record(RUN + HOUR)
    assert canary.run(RUN + 2 * HOUR) == (0, 0)


def test_events_that_never_arrive_are_forgotten(canary: Canary):
    canary.run()
    assert [canary.run(RUN + hour * HOUR)[0] for hour in (1, 2)] == [4, 8]
    canary.record(RUN + HOUR)
    canary.record(RUN + 2 * HOUR)
    assert canary.run(RUN + 3 * HOUR) == (0, 0)


def test_repeated_run_sends_nothing_again(canary: Canary):
    canary.run()
    canary.run()
    assert canary.names == [*EXPECTED]


def test_repeated_run_sends_only_what_was_not_sent(canary: Canary):
    canary.ses.errors["bounce"] = ClientError({"Error": {"Code": "TooManyRequestsException"}}, "SendEmail")
    assert canary.run() == (0, 1)
    canary.ses.errors.clear()
    assert canary.run() == (0, 0)
    assert canary.names == ["success", "complaint", "bounce"]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "SendingPausedException", "Message": "paused"}}, "SendEmail"),
        ConnectTimeoutError(endpoint_url="https://email.example"),
    ],
)
def test_message_that_fails_stops_no_other_and_its_events_are_not_missing(canary: Canary, error: Exception):
    canary.ses.errors["success"] = error
    assert canary.run() == (0, 1)
    canary.record()
    assert canary.run(RUN + HOUR) == (0, 1)
    assert canary.names == ["bounce", "complaint"] * 2


def test_sender_that_is_not_verified_yet_is_no_failure(canary: Canary):
    text = "Email address is not verified. The following identities failed the check in region EU-WEST-1: shop.example"
    for name in EXPECTED:
        canary.ses.errors[name] = ClientError({"Error": {"Code": "MessageRejected", "Message": text}}, "SendEmail")
    assert canary.run() == (0, 0)
    assert canary.run(RUN + HOUR) == (0, 0)


def test_other_rejection_is_a_failure(canary: Canary):
    error = ClientError({"Error": {"Code": "MessageRejected", "Message": "Sending is suspended."}}, "SendEmail")
    canary.ses.errors["success"] = error
    assert canary.run() == (0, 1)


def test_what_was_sent_is_no_counter_and_expires(canary: Canary):
    canary.run()
    assert list(CountersTable(canary.dynamodb, "counters").rows()) == []
    items = canary.dynamodb.scan(TableName="counters")["Items"]
    assert {int(item["expires"]["N"]) for item in items} == {int((RUN + timedelta(days=1)).timestamp())}
