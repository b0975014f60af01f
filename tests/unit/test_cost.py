import re

import msgspec
import pytest

from aftersend.config.cost import format_estimate, parts
from aftersend.config.environment import (
    FEEDBACK,
    UNTRACKED_EVENTS,
    ConfigurationSet,
    Dimension,
    Environment,
    EventDestination,
    Identity,
)
from aftersend.events import Kind

PLAIN = ConfigurationSet()
TRACKED = ConfigurationSet(archive=(*UNTRACKED_EVENTS, Kind.OPEN, Kind.CLICK))
SILENT = ConfigurationSet(feedback=(), archive=())
TOPIC = "arn:aws:sns:us-east-1:111111111111:elsewhere"
STREAM = "arn:aws:firehose:us-east-1:111111111111:deliverystream/elsewhere"

ENVIRONMENT = Environment(
    name="test",
    account="111111111111",
    region="us-east-1",
    configuration_sets={"newsletter": PLAIN},
    monthly_messages=1_000_000,
)
RICH = msgspec.structs.replace(
    ENVIRONMENT,
    configuration_sets={
        "newsletter": msgspec.structs.replace(
            TRACKED,
            event_destinations={
                "numbers": EventDestination(
                    events=(Kind.SEND, Kind.OPEN), cloudwatch_dimensions=(Dimension(name="a"),)
                ),
                "others": EventDestination(events=(Kind.BOUNCE,), sns_topic_arn=TOPIC),
            },
            reputation_metrics=True,
        ),
        "receipts": PLAIN,
    },
    identities={"bookshop.example": Identity()},
    encrypted_topics=True,
)
EVERY = [ENVIRONMENT, RICH, msgspec.structs.replace(ENVIRONMENT, configuration_sets={})]


def having(environment: Environment = ENVIRONMENT, **changes: object) -> Environment:
    return msgspec.structs.replace(environment, **changes)


def of_set(configuration_set: ConfigurationSet = PLAIN, **changes: object) -> Environment:
    changed = msgspec.structs.replace(configuration_set, **changes)
    return having(configuration_sets={"newsletter": changed})


def dollars(environment: Environment) -> dict[str, float]:
    return {part.name: part.dollars for part in parts(environment)}


def total(environment: Environment) -> float:
    return sum(dollars(environment).values())


def added(by: Environment, to: Environment = ENVIRONMENT) -> dict[str, float]:
    """What one environment costs more than another, without what is the same."""
    before, after = dollars(to), dollars(by)
    differences = {name: after.get(name, 0) - before.get(name, 0) for name in before | after}
    return {name: difference for name, difference in differences.items() if abs(difference) > 1e-9}


@pytest.mark.parametrize("environment", EVERY)
@pytest.mark.parametrize("messages", [0, 1, 1_000, 1_000_000, 1_000_000_000])
def test_nothing_costs_less_than_nothing_and_the_dearest_comes_first(environment: Environment, messages: int):
    costs = [part.dollars for part in parts(having(environment, monthly_messages=messages))]
    assert min(costs) > 0
    assert costs == sorted(costs, reverse=True)


@pytest.mark.parametrize("environment", EVERY[:2])
@pytest.mark.parametrize("messages", [1, 1_000, 30_000, 1_000_000, 50_000_000])
def test_twice_the_messages_cost_more_but_at_most_twice_as_much(environment: Environment, messages: int):
    once, twice = (total(having(environment, monthly_messages=messages * factor)) for factor in (1, 2))
    fixed = total(having(environment, monthly_messages=0))
    assert once < twice <= 2 * (once - fixed) + fixed + 1e-9


def test_without_mail_what_stands_idle_is_still_paid_for():
    assert dollars(having(monthly_messages=0)) == {
        "CloudWatch dashboard": pytest.approx(3.00),
        "CloudWatch alarms": pytest.approx(0.90),
        "SNS and SQS": pytest.approx(2 * 15 * 60 * 730 * 0.40e-6),  # two queues, each asked 15 times a minute
    }


def test_without_mail_one_line_says_how_to_get_an_estimate():
    headline, hint, *lines = format_estimate(having(monthly_messages=0)).splitlines()
    assert headline.startswith("about $4.43 a month before any mail, SES aside; prices of us-east-1")
    assert hint == "Naming `monthly_messages` in the file gives an estimate for that volume."
    assert len(lines) == 3


@pytest.mark.parametrize("environment", EVERY)
def test_the_total_in_the_headline_is_the_sum_of_the_parts(environment: Environment):
    headline, *lines = format_estimate(environment).splitlines()
    sums = [re.findall(r"\$([\d,]+\.\d\d)", line) for line in (headline, *lines)]
    first, *others = [float(only.replace(",", "")) for [only] in sums]
    assert first == pytest.approx(sum(others))
    assert first == pytest.approx(total(environment), abs=0.01 * len(lines))
    assert "for 1,000,000 messages, SES aside; prices of us-east-1, November 2026" in headline


def test_the_lines_are_aligned_and_each_says_why():
    lines = format_estimate(RICH).splitlines()[1:]
    assert len({line.index(".") for line in lines}) == 1
    assert [line[line.index("$") :].split("  ", 1)[1] for line in lines] == [part.basis for part in parts(RICH)]


def test_one_message_is_no_messages():
    assert "for 1 message, SES" in format_estimate(having(monthly_messages=1))


def test_a_million_events_in_dynamodb_by_hand():
    # 420,000 messages: 405,000 delivered, 15,000 bounced, 9,000 delayed and 1,000 complained about: 850,000 events.
    # Of these 25,000 come over both routes. Mail without opens and clicks; an object a minute.
    month = having(monthly_messages=420_000)
    items = 850_000 + 25_000
    decisions = 16_000
    batches = 4 * 43_800 + 25_000  # four shards an object, and each message over SNS
    counters = 2 * (2 + 2) * batches  # in transactions: two positions, configuration set and from-domain
    writes, reads = items + decisions + counters, 2 * 2 * decisions + batches
    kept = (834_000 * 30 + 16_000 * 400) / (365 / 12) * 352 / 2**30
    assert (writes, reads) == (2_492_600, 264_200)
    by_hand = 2.4926 * 0.625 + 0.2642 * 0.125 + kept * 0.45
    assert by_hand == pytest.approx(1.74, abs=0.01)
    assert dollars(month)["DynamoDB"] == pytest.approx(by_hand)


def test_where_events_come_thick_they_are_counted_as_cheaply_as_was_measured():
    thick = of_set(feedback=())
    few, many = (dollars(having(thick, monthly_messages=n * 10**9))["DynamoDB"] for n in (1, 2))
    # Per message 2.0238 events, 0.0381 of which decide; 0.248 write units to count an event.
    stored = (1.985714 * 30 + 0.038095 * 400) / (365 / 12) * 352 / 2**30 * 0.45
    a_message = (2.023810 * 1.248 + 0.038095) * 0.625e-6 + 2 * 0.038095 * 0.125e-6 + stored
    assert (many - few) / 10**9 == pytest.approx(a_message, rel=1e-5)


def test_opens_and_clicks_cost_more():
    assert {"DynamoDB", "Firehose", "S3 archive", "CloudWatch metrics"} <= added(of_set(TRACKED)).keys()
    assert min(added(of_set(TRACKED)).values()) > 0


def test_what_is_not_published_costs_nothing():
    assert dollars(of_set(SILENT)) == dollars(having(monthly_messages=0))


def test_a_second_configuration_set_shares_the_mail_and_has_metrics_of_its_own():
    two = having(configuration_sets={"newsletter": PLAIN, "receipts": PLAIN})
    assert added(two) == {"CloudWatch metrics": pytest.approx(9 * 0.30)}


def test_a_cloudwatch_destination_adds_a_metric_for_each_value_and_type():
    destination = EventDestination(
        events=(Kind.SEND, Kind.DELIVERY, Kind.BOUNCE), cloudwatch_dimensions=(Dimension(name="campaign"),)
    )
    assert added(of_set(event_destinations={"numbers": destination})) == {
        "CloudWatch metrics": pytest.approx(10 * 3 * 0.30)
    }


def test_dimensions_multiply_but_never_beyond_an_hour_of_a_metric_for_each_event():
    two = EventDestination(
        events=(Kind.SEND,), cloudwatch_dimensions=(Dimension(name="campaign"), Dimension(name="genre"))
    )
    many = of_set(event_destinations={"numbers": two})
    assert added(many)["CloudWatch metrics"] == pytest.approx(100 * 0.30)
    few = having(many, monthly_messages=7_300)
    assert added(few, having(monthly_messages=7_300))["CloudWatch metrics"] == pytest.approx(10 * 0.30)


def test_a_destination_that_is_switched_off_costs_nothing():
    off = EventDestination(events=(Kind.SEND,), enabled=False, sns_topic_arn=TOPIC)
    metrics = EventDestination(events=(Kind.SEND,), enabled=False, cloudwatch_dimensions=(Dimension(name="campaign"),))
    assert added(of_set(event_destinations={"topic": off, "numbers": metrics})) == {}


def test_of_destinations_elsewhere_only_the_publishing_to_topics_is_counted():
    topic = EventDestination(events=(Kind.SEND,), sns_topic_arn=TOPIC)
    stream = EventDestination(events=(Kind.SEND,), firehose_stream_arn=STREAM)
    bus = EventDestination(events=(Kind.SEND,), event_bridge=True)
    assert added(of_set(event_destinations={"topic": topic})) == {"SNS and SQS": pytest.approx(0.50)}
    assert added(of_set(event_destinations={"stream": stream, "bus": bus})) == {}


def test_reputation_metrics_are_two_metrics():
    assert added(of_set(reputation_metrics=True)) == {"CloudWatch metrics": pytest.approx(0.60)}


def test_encryption_adds_a_dollar_and_what_the_key_is_asked():
    assert added(having(encrypted_topics=True)) == {"KMS key": pytest.approx(1.00 + 2 * 8_760 * 3e-6)}
    assert added(having(encrypted_topics=True, monthly_messages=0), having(monthly_messages=0)) == {"KMS key": 1.00}


def test_identity_notifications_add_a_message_for_each_bounce_and_complaint():
    notified = having(identities={"bookshop.example": Identity()})
    again = 16_000 / 420_000 * 1e6
    # A message is published, sent, received and deleted.
    assert added(notified)["SNS and SQS"] == pytest.approx(again * (0.50e-6 + 3 * 0.40e-6))
    half = having(identities={"bookshop.example": Identity(), "orders.example": Identity(notifications=())})
    assert added(half)["SNS and SQS"] == pytest.approx(again / 2 * (0.50e-6 + 3 * 0.40e-6))
    deliveries = having(identities={"bookshop.example": Identity(notifications=("Bounce", "Complaint", "Delivery"))})
    assert total(deliveries) > total(notified) > total(half)


def test_an_identity_that_tells_what_no_set_publishes_is_heard():
    notified = having(of_set(SILENT), identities={"bookshop.example": Identity()})
    assert {"DynamoDB", "Lambda"} <= added(notified, of_set(SILENT)).keys()


def test_a_longer_memory_and_a_shorter_interval_cost_more():
    assert added(having(archive_days=800)).keys() == {"S3 archive"}
    assert total(having(archive_interval_seconds=900)) < total(ENVIRONMENT) < total(having(archive_interval_seconds=0))


def test_a_million_events_in_firehose_are_five_kilobytes_each():
    archived = having(of_set(feedback=FEEDBACK, archive=(Kind.SEND,)), archive_days=1)
    assert dollars(archived)["Firehose"] == pytest.approx(1e6 * 5 * 1024 / 2**30 * 0.029)
