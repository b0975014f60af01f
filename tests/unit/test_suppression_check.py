"""Ask a table in memory which addresses may be sent to."""

import logging
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

import aftersend
from aftersend import CheckResult, Suppression, SuppressionUnknown
from aftersend.aws import secrets, suppression_reader
from aftersend.aws.suppression_check import SECRET_VARIABLE, TABLE_VARIABLE, recipient_of
from aftersend.contract import PARTITION_KEY, SORT_KEY
from aftersend.recipient_hash import keyed_hash
from aftersend.suppression import Entry
from tests.fake_dynamodb import TABLE, FakeDynamoDB
from tests.fakes import immediate_attempts

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
YESTERDAY, TOMORROW = NOW - timedelta(days=1), NOW + timedelta(days=1)
KEY = "a key"
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "BatchGetItem")


def an_entry(recipient: str = "reader@mail.example", **fields: Any) -> Entry:
    defaults: dict[str, Any] = {"recipient": recipient, "reason": "bounce", "rule": "hard-bounce", "since": YESTERDAY}
    return Entry(**(defaults | fields))


def a_tombstone(recipient: str) -> dict[str, str]:
    return {PARTITION_KEY: "forgotten", SORT_KEY: keyed_hash(recipient, KEY)}


def check(addresses: Any, *scope: str | None, client: FakeDynamoDB, **options: Any) -> CheckResult:
    defaults: dict[str, Any] = {"table": TABLE, "client": client, "hash_key": KEY, "now": NOW}
    return aftersend.check(addresses, *scope, **(defaults | options))


@pytest.fixture(autouse=True)
def _without_pauses_and_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppression_reader, "attempts", immediate_attempts)
    monkeypatch.delenv(TABLE_VARIABLE, raising=False)
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)


# The answer


def test_address_without_entry_is_allowed():
    assert check(["reader@mail.example"], client=FakeDynamoDB()) == CheckResult(["reader@mail.example"], {}, [])


def test_suppressed_address_is_returned_with_its_reason_rule_scope_and_times():
    client = FakeDynamoDB(an_entry(until=TOMORROW))
    result = check(["reader@mail.example", "other@mail.example"], client=client)
    assert result.allowed == ["other@mail.example"]
    assert result.suppressed == {
        "reader@mail.example": Suppression("bounce", "hard-bounce", "*", since=YESTERDAY, until=TOMORROW)
    }


def test_no_addresses_need_no_request():
    client = FakeDynamoDB()
    assert check([], client=client) == CheckResult([], {}, [])
    assert client.requests == 0


def test_lifted_entry_does_not_suppress():
    client = FakeDynamoDB(
        an_entry(until=YESTERDAY, lifted_by="removed-by-operator"), an_entry("b@x", lifted_by="not-spam")
    )
    assert check(["reader@mail.example", "b@x"], client=client).allowed == ["reader@mail.example", "b@x"]


@pytest.mark.parametrize(("until", "is_allowed"), [(YESTERDAY, True), (NOW, True), (TOMORROW, False)])
def test_temporary_entry_suppresses_until_it_ends(until: datetime, is_allowed: bool):
    result = check(["reader@mail.example"], client=FakeDynamoDB(an_entry(until=until)))
    assert bool(result.allowed) is is_allowed
    assert bool(result.suppressed) is not is_allowed


def test_temporary_entry_is_compared_with_the_present_by_default():
    ended = an_entry(until=datetime.now(UTC) - timedelta(seconds=1))
    lasting = an_entry("b@x", until=datetime.now(UTC) + timedelta(minutes=1))
    assert check(["reader@mail.example", "b@x"], client=FakeDynamoDB(ended, lasting), now=None).allowed == [
        "reader@mail.example"
    ]


# Scopes


STREAM, LIST, TOPIC = "stream#marketing", "list#readers", "topic#readers/sci-fi"
MESSAGES: list[tuple[str | None, ...]] = [
    (),
    ("marketing",),
    ("receipts",),
    (None, "readers"),
    (None, "authors"),
    (None, "readers", "sci-fi"),
    (None, "readers", "crime"),
    (None, "authors", "sci-fi"),
    ("marketing", "readers", "crime"),
    ("receipts", "readers", "sci-fi"),
]
"""Stream, contact list and topic of messages."""


@pytest.mark.parametrize(
    ("scope", "suppressed_for"),
    [
        ("*", MESSAGES),
        (STREAM, [("marketing",), ("marketing", "readers", "crime")]),
        (
            LIST,
            [
                *[(None, "readers"), (None, "readers", "sci-fi"), (None, "readers", "crime")],
                *[("marketing", "readers", "crime"), ("receipts", "readers", "sci-fi")],
            ],
        ),
        (TOPIC, [(None, "readers", "sci-fi"), ("receipts", "readers", "sci-fi")]),
    ],
)
def test_entry_suppresses_messages_of_its_scope_only(scope: str, suppressed_for: list[tuple[str | None, ...]]):
    entry = an_entry(scope=scope)
    refused = [asked for asked in MESSAGES if check([entry.recipient], *asked, client=FakeDynamoDB(entry)).suppressed]
    assert refused == suppressed_for


def test_widest_of_several_entries_is_the_reason():
    entries = [an_entry(scope=scope, rule=scope) for scope in (TOPIC, STREAM, LIST, "*")]
    for widest in ("*", STREAM, LIST, TOPIC):
        result = check(["reader@mail.example"], "marketing", "readers", "sci-fi", client=FakeDynamoDB(*entries))
        assert result.suppressed["reader@mail.example"].rule == widest
        entries = [entry for entry in entries if entry.scope != widest]


def test_entry_that_ended_does_not_hide_one_of_a_narrower_scope():
    client = FakeDynamoDB(an_entry(until=YESTERDAY), an_entry(scope=STREAM))
    assert check(["reader@mail.example"], "marketing", client=client).suppressed["reader@mail.example"].scope == STREAM


def test_topic_without_contact_list_is_refused():
    with pytest.raises(ValueError, match="contact_list="):
        check([], None, None, "sci-fi", client=FakeDynamoDB())


# Spellings


def test_spelling_and_order_are_kept_and_repetitions_stay():
    addresses = ["B@Mail.Example", "Reader <READER@mail.example>", "a@mail.example", "b@mail.example", "a@mail.example"]
    result = check(addresses, client=FakeDynamoDB(an_entry()))
    assert result.allowed == ["B@Mail.Example", "a@mail.example", "b@mail.example", "a@mail.example"]
    assert list(result.suppressed) == ["Reader <READER@mail.example>"]


def test_every_spelling_of_a_suppressed_address_is_refused():
    spellings = [
        "reader@mail.example",
        "READER@Mail.Example",
        '"Reader, A." <reader@mail.example>',
        " reader@mail.example ",
    ]
    result = check(spellings, client=FakeDynamoDB(an_entry()))
    assert list(result.suppressed) == spellings


NO_ADDRESSES = [
    "",
    " ",
    "reader",
    "forgotten",
    "a@x, b@x",
    "a@x;b@x",
    "a@x b@x",
    "a@b@x",
    "a@bücher.example",
    "a@" + 3_000 * "x",
]


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_not_one_address_is_unknown_and_not_allowed(text: str):
    assert recipient_of(text) is None
    with pytest.raises(SuppressionUnknown) as raised:
        check(["a@mail.example", text, "reader@mail.example"], client=FakeDynamoDB(an_entry()))
    result = raised.value.result
    assert (result.allowed, list(result.suppressed), result.unknown) == (
        ["a@mail.example"],
        ["reader@mail.example"],
        [text],
    )


def test_single_text_instead_of_a_list_is_refused():
    with pytest.raises(ValueError, match=r"check\(\[address\]\)"):
        check("reader@mail.example", client=FakeDynamoDB())


# Forgotten recipients


def test_forgotten_recipient_is_suppressed():
    client = FakeDynamoDB(items=[a_tombstone("reader@mail.example")])
    result = check(["Reader@mail.example", "a@mail.example"], client=client)
    assert result.allowed == ["a@mail.example"]
    assert result.suppressed == {"Reader@mail.example": Suppression("forgotten", "forgotten", "*")}


def test_forgotten_recipients_are_skipped_only_if_asked_for():
    client = FakeDynamoDB(items=[a_tombstone("reader@mail.example")])
    with pytest.raises(ValueError, match=f"hash_key=, set {SECRET_VARIABLE} .* ignore_forgotten=True"):
        check(["reader@mail.example"], client=client, hash_key=None)
    result = check(["reader@mail.example"], client=client, hash_key=None, ignore_forgotten=True)
    assert result.allowed == ["reader@mail.example"]


def test_hash_key_is_read_from_the_secret_that_the_variable_names(monkeypatch: pytest.MonkeyPatch):
    client = FakeDynamoDB(items=[a_tombstone("reader@mail.example")])
    monkeypatch.setenv(SECRET_VARIABLE, "arn:secret")
    monkeypatch.setattr(secrets, "secret_text", {"arn:secret": KEY}.__getitem__)
    assert check(["reader@mail.example"], client=client, hash_key=None).allowed == []


def test_unreadable_secret_leaves_every_address_unknown(monkeypatch: pytest.MonkeyPatch):
    def refuse(arn: str) -> str:
        raise DENIED

    monkeypatch.setenv(SECRET_VARIABLE, "arn:secret")
    monkeypatch.setattr(secrets, "secret_text", refuse)
    client = FakeDynamoDB()
    with pytest.raises(SuppressionUnknown, match="AccessDeniedException") as raised:
        check(["reader@mail.example"], client=client, hash_key=None)
    assert raised.value.result == CheckResult([], {}, ["reader@mail.example"])
    assert client.requests == 0


# Requests


def test_thousands_of_addresses_are_read_in_batches_of_a_hundred_keys():
    addresses = [f"reader-{number}@mail.example" for number in range(1_000)]
    client = FakeDynamoDB(*(an_entry(address) for address in addresses[::3]))
    result = check(addresses, client=client)
    assert list(result.suppressed) == addresses[::3]
    assert result.allowed == [address for number, address in enumerate(addresses) if number % 3]
    assert (client.requests, client.keys) == (20, 2_000)


@pytest.mark.parametrize(
    ("scope", "options", "requests"),
    [
        ((), {"hash_key": None, "ignore_forgotten": True}, 10),
        ((), {}, 20),
        (("marketing",), {}, 31),
        (("marketing", "readers", "sci-fi"), {}, 50),
    ],
)
def test_requests_grow_with_the_scopes(scope: tuple[str, ...], options: dict[str, Any], requests: int):
    client = FakeDynamoDB()
    check((f"reader-{number}@mail.example" for number in range(1_000)), *scope, client=client, **options)
    assert client.requests == requests


def test_repeated_addresses_are_read_once_in_a_batch():
    client = FakeDynamoDB()
    result = check(["a@mail.example", "A@mail.example", "A <a@mail.example>"] * 500, client=client)
    assert len(result.allowed) == 1_500
    assert (client.requests, client.keys) == (1, 2)


@pytest.mark.parametrize("consistent", [False, True])
def test_reads_are_consistent_if_asked_for(consistent: bool):
    client = FakeDynamoDB()
    check(["reader@mail.example"], client=client, consistent=consistent)
    assert client.consistent == {consistent}


def test_unprocessed_keys_are_requested_again():
    addresses = [f"reader-{number}@mail.example" for number in range(50)]
    client = FakeDynamoDB(*map(an_entry, addresses))
    client.unprocessed = [90, 40, 3]
    assert list(check(addresses, client=client).suppressed) == addresses
    assert (client.requests, client.keys) == (4, 100)


# What cannot be known


def test_throttled_table_leaves_only_the_unread_addresses_unknown():
    addresses = [f"reader-{number}@mail.example" for number in range(120)]
    client = FakeDynamoDB(*map(an_entry, addresses))
    client.unprocessed = [0] + [60] + [60 - 30] * 100
    with pytest.raises(SuppressionUnknown, match=r"reading failed \(KeysUnprocessed\)") as raised:
        check(addresses, client=client, hash_key=None, ignore_forgotten=True)
    result = raised.value.result
    assert result.allowed == []
    assert set(result.suppressed) | set(result.unknown) == set(addresses)
    assert 0 < len(result.unknown) <= 20


@pytest.mark.parametrize(
    "error", [DENIED, EndpointConnectionError(endpoint_url="https://x")], ids=["denied", "no network"]
)
def test_failed_request_is_the_last_one_and_raises(error: Exception):
    addresses = [f"reader-{number}@mail.example" for number in range(500)]
    client = FakeDynamoDB(an_entry(addresses[0]))
    client.fails, client.fails_from = error, 3
    with pytest.raises(SuppressionUnknown, match="400 addresses could not be checked") as raised:
        check(addresses, client=client)
    result = raised.value.result
    assert list(result.suppressed) == addresses[:1]
    assert result.allowed == addresses[1:100]
    assert result.unknown == addresses[100:]
    assert client.requests == 3
    assert raised.value.__cause__ is error


def test_failing_open_allows_unknown_addresses_names_them_and_logs_a_warning(caplog: pytest.LogCaptureFixture):
    addresses = [f"reader-{number}@mail.example" for number in range(100)]
    client = FakeDynamoDB(an_entry(addresses[0]))
    client.fails, client.fails_from = DENIED, 2
    with caplog.at_level(logging.WARNING):
        result = check(addresses, client=client, on_error="allow")
    assert result.allowed == addresses[1:]
    assert list(result.suppressed) == addresses[:1]
    assert result.unknown == addresses[50:]
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "50 addresses could not be checked: reading failed (AccessDeniedException)" in record.message


def test_neither_message_nor_log_line_names_an_address(caplog: pytest.LogCaptureFixture):
    client = FakeDynamoDB()
    client.fails = DENIED
    check(["reader@mail.example", "no address"], client=client, on_error="allow")
    with pytest.raises(SuppressionUnknown) as raised:
        check(["reader@mail.example", "no address"], client=client)
    assert len(caplog.records) == 1
    assert "reader" not in caplog.text + str(raised.value)
    assert "no address" not in caplog.text + str(raised.value)


@pytest.mark.parametrize(
    "damage",
    [{"until": "soon"}, {"until": "2026-11-21T00:00:00"}, {"reason": 7}],
    ids=["no time", "no zone", "no text"],
)
def test_unreadable_entry_leaves_only_its_recipient_unknown(damage: dict[str, Any]):
    key = {PARTITION_KEY: "reader@mail.example", SORT_KEY: "*", "recipient": "reader@mail.example"}
    item = key | {"reason": "bounce", "rule": "hard-bounce"} | damage
    with pytest.raises(SuppressionUnknown, match="1 addresses") as raised:
        check(["reader@mail.example", "a@mail.example"], client=FakeDynamoDB(items=[item]))
    assert raised.value.result == CheckResult(["a@mail.example"], {}, ["reader@mail.example"])


def test_unreadable_entry_does_not_hide_one_in_force():
    item = {PARTITION_KEY: "reader@mail.example", SORT_KEY: "*", "recipient": "reader@mail.example"}
    client = FakeDynamoDB(an_entry(scope=STREAM), items=[item])
    assert check(["reader@mail.example"], "marketing", client=client).suppressed["reader@mail.example"].scope == STREAM


# Arguments


def test_table_is_named_by_argument_or_variable(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ValueError, match=f"pass table=, or set {TABLE_VARIABLE}"):
        check([], client=FakeDynamoDB(), table=None)
    monkeypatch.setenv(TABLE_VARIABLE, TABLE)
    assert check(["a@mail.example"], client=FakeDynamoDB(), table=None).allowed == ["a@mail.example"]


def test_unknown_way_to_fail_is_refused():
    with pytest.raises(ValueError, match="'open'"):
        check([], client=FakeDynamoDB(), on_error="open")


def test_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        check([], client=FakeDynamoDB(), now=datetime(2026, 11, 20))  # noqa: DTZ001 (that is the point)


# Size


@pytest.mark.slow
def test_hundred_thousand_addresses_need_little_more_memory_than_their_result():
    client = FakeDynamoDB()
    tracemalloc.start()
    result = check((f"reader-{number}@mail.example" for number in range(100_000)), client=client)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(result.allowed) == 100_000
    assert client.requests == 2_000
    assert peak - held < 1_000_000


IMPORTS = """
import sys
import aftersend
assert not {"boto3", "botocore", "msgspec"} & sys.modules.keys(), "import aftersend"
from aftersend import check
class Client:
    def batch_get_item(self, RequestItems):
        return {"Responses": {}}
print(check(["a@mail.example"], table="t", client=Client(), hash_key="k").allowed)
print(sorted(name for name in sys.modules if name.partition(".")[0] in %r))
"""
UNNEEDED = {"boto3", "typer", "rich", "aws_cdk", "constructs", "jsii", "aws_lambda_powertools", "s3transfer"}


def test_check_imports_only_what_it_needs():
    output = subprocess.run(
        [sys.executable, "-c", IMPORTS % UNNEEDED], capture_output=True, text=True, check=True
    ).stdout
    assert output.splitlines() == ["['a@mail.example']", "[]"]


def test_package_has_no_other_lazy_names():
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        aftersend.chekc  # ty: ignore[missing-attribute]  # noqa: B018
