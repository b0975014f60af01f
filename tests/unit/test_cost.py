"""Test the cost estimate against figures calculated by hand."""

import re
from typing import Literal

import msgspec
import pytest

from aftersend.config import Environment
from aftersend.config.cost import BOUNCE_GROUPS, WIDGETS, format_estimate, parts, tag_value_dollars
from aftersend.config.cost_table import VOLUMES, cost_table
from aftersend.config.environment import (
    FEEDBACK,
    UNTRACKED_EVENTS,
    Canary,
    ConfigurationSet,
    Dimension,
    EventDestination,
    Identity,
)
from aftersend.config.volume import (
    COUNT_SECONDS,
    COUNTING,
    MEASURED_WINDOW_SECONDS,
    MIX,
    SHORTEST_WINDOW_SECONDS,
    estimate_counting,
    estimate_volume,
)
from aftersend.contract import CostTable
from aftersend.counting import PERMANENT_MEASURES, TRANSIENT_MEASURES, Counted, measure
from aftersend.dashboard.cost import month_costs
from aftersend.dashboard.layout import PANELS
from aftersend.events import SUPPRESSION_LIST_SUBTYPES, BounceType, Event, Kind
from aftersend.metrics.reputation import Reputation
from aftersend.metrics.summary import summarize
from aftersend.suppression import Policy

PLAIN = ConfigurationSet()
TRACKED = ConfigurationSet(archive=(*UNTRACKED_EVENTS, Kind.OPEN, Kind.CLICK))
SILENT = ConfigurationSet(feedback=(), archive=())
TOPIC = "arn:aws:sns:us-east-1:111111111111:elsewhere"
STREAM = "arn:aws:firehose:us-east-1:111111111111:deliverystream/elsewhere"

SETS = {"newsletter": PLAIN}
ENVIRONMENT = Environment(
    name="test",
    account="111111111111",
    region="us-east-1",
    configuration_sets=SETS,
    monthly_messages=1_000_000,
    suppression=Policy(account_list="off"),
)
ONE_DIMENSION, TWO_DIMENSIONS = (Dimension(name="campaign"),), (Dimension(name="campaign"), Dimension(name="genre"))
DESTINATIONS = {
    "numbers": EventDestination(events=(Kind.SEND, Kind.OPEN), cloudwatch_dimensions=ONE_DIMENSION),
    "others": EventDestination(events=(Kind.BOUNCE,), sns_topic_arn=TOPIC),
}
RICH = msgspec.structs.replace(
    ENVIRONMENT,
    configuration_sets={
        "newsletter": msgspec.structs.replace(TRACKED, event_destinations=DESTINATIONS, reputation_metrics=True),
        "receipts": PLAIN,
    },
    identities={"bookshop.example": Identity()},
    encrypted_topics=True,
)
ENVIRONMENTS = [ENVIRONMENT, RICH, msgspec.structs.replace(ENVIRONMENT, configuration_sets={})]


def changed(environment: Environment = ENVIRONMENT, **changes: object) -> Environment:
    return msgspec.structs.replace(environment, **changes)


def with_set(configuration_set: ConfigurationSet = PLAIN, **changes: object) -> Environment:
    changed_set = msgspec.structs.replace(configuration_set, **changes)
    return changed(configuration_sets={"newsletter": changed_set})


def dollars(environment: Environment) -> dict[str, float]:
    return {part.name: part.dollars for part in parts(environment)}


def total(environment: Environment) -> float:
    return sum(dollars(environment).values())


def added_cost(environment: Environment, base: Environment = ENVIRONMENT) -> dict[str, float]:
    """Return what an environment costs more than another, for services whose cost differs."""
    before, after = dollars(base), dollars(environment)
    differences = {name: after.get(name, 0) - before.get(name, 0) for name in before | after}
    return {name: difference for name, difference in differences.items() if abs(difference) > 1e-9}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("messages", [0, 1, 1_000, 1_000_000, 1_000_000_000])
def test_parts_are_positive_and_the_most_expensive_comes_first(environment: Environment, messages: int):
    costs = [part.dollars for part in parts(changed(environment, monthly_messages=messages))]
    assert min(costs) > 0
    assert costs == sorted(costs, reverse=True)


@pytest.mark.parametrize("environment", ENVIRONMENTS[:2])
@pytest.mark.parametrize("messages", [1, 1_000, 30_000, 1_000_000, 50_000_000])
def test_twice_the_messages_cost_more_but_at_most_twice_as_much(environment: Environment, messages: int):
    once, twice = (total(changed(environment, monthly_messages=messages * factor)) for factor in (1, 2))
    fixed = total(changed(environment, monthly_messages=0))
    assert once < twice <= 2 * (once - fixed) + fixed + 1e-9


RATE_READS = 730 * 12 * (2 * 16 + 1)
"""Read units of watch_rates, every five minutes: counters by configuration set and provider, and one set's state."""
READ = 730 * 0.01e-3
"""Reading one of SES's metrics every hour for a month."""


def test_environment_without_mail_has_fixed_costs():
    assert dollars(changed(monthly_messages=0)) == {
        # An hour of every working day: eight widgets of 0.3 s a minute with 1,769 megabytes, and twelve metrics.
        "CloudWatch dashboard": pytest.approx(
            3 + 22 * 60 * (8 * (0.2e-6 + 0.3 * 1769 / 1024 * 13.3334e-6) + 12 * 0.01e-3)
        ),
        "CloudWatch metrics": pytest.approx((4 + 2) * 0.30 + 2 * READ),  # heartbeats, polls; two metrics of SES
        "CloudWatch alarms": pytest.approx(4.60),
        "DynamoDB": pytest.approx(RATE_READS * 0.125e-6),
        "Secrets Manager": pytest.approx(0.40),  # the hash key of forgotten recipients
        "SNS and SQS": pytest.approx(2 * 15 * 60 * 730 * 0.40e-6),  # two queues, each polled 15 times a minute
    }


@pytest.mark.parametrize("mode", ["read", "sync"])
def test_comparison_with_the_account_list_costs_a_metric_alarms_and_hourly_reads(mode: Literal["read", "sync"]):
    compared = changed(monthly_messages=420_000, suppression=Policy(account_list=mode))
    # 6,000 hard bounces and 1,000 complaints a month, kept for 400 days and read in each of 730 hours, four to a unit.
    entries = 730 * 7_000 * 400 / (365 / 12)
    assert added_cost(compared, changed(monthly_messages=420_000)) == {
        "CloudWatch metrics": pytest.approx(0.30),
        "CloudWatch alarms": pytest.approx(3 * 0.10),
        "DynamoDB": pytest.approx(entries / 4 * 0.125e-6),
        "Lambda": pytest.approx(entries * 1.2e-3 * 0.5 * 13.3334e-6),
    }


def test_function_that_reads_a_large_list_costs_no_more_than_its_longest_invocation():
    compared = Policy(account_list="read")
    added = added_cost(changed(monthly_messages=10**9, suppression=compared), changed(monthly_messages=10**9))
    assert added["Lambda"] == pytest.approx(730 * 900 * 0.5 * 13.3334e-6)


def test_estimate_without_mail_explains_how_to_set_a_volume():
    headline, hint, *lines = format_estimate(changed(monthly_messages=0)).splitlines()
    assert headline.startswith(
        "Estimated cost: $10.61 a month without any mail, excluding SES charges (prices: us-east"
    )
    assert hint == "To estimate the cost of mail, set `monthly_messages` in the file, or use `lint --messages N`."
    assert len(lines) == 6


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_total_is_the_sum_of_the_lines(environment: Environment):
    headline, *lines = format_estimate(environment).splitlines()
    sums = [re.findall(r"\$([\d,]+\.\d\d)", line) for line in (headline, *lines)]
    total_shown, *shown = [float(amount.replace(",", "")) for [amount] in sums]
    assert total_shown == pytest.approx(sum(shown))
    assert total_shown == pytest.approx(total(environment), abs=0.01 * len(lines))
    assert "for 1,000,000 messages, excluding SES charges (prices: us-east-1, 2026)" in headline


def test_lines_are_aligned_and_show_their_basis():
    lines = format_estimate(RICH).splitlines()[1:]
    assert len({line.index(".") for line in lines}) == 1
    assert [line[line.index("$") :].split("  ", 1)[1] for line in lines] == [part.basis for part in parts(RICH)]


def test_one_message_is_singular():
    assert "for 1 message, excluding" in format_estimate(changed(monthly_messages=1))


def test_dynamodb_cost_of_850_000_events():
    # 420,000 messages: 405,000 delivered, 15,000 bounced, 9,000 delayed and 1,000 complained about: 850,000 events.
    # 25,000 of them arrive through both routes. No opens and clicks; an object per minute.
    month = changed(monthly_messages=420_000)
    items = 850_000 + 25_000
    decisions = 16_000
    # Two tags are counted, configuration set and from-domain: half of those that the figures were measured with.
    counting = estimate_counting(850_000 / sum(MIX.values()))
    counters = 850_000 * counting.write_units / 2
    # 7,000 entries a month, kept for 400 days and read eight to a unit every sixth of 730 hours; of a month's 9,000
    # soft bounces every fifth begins a temporary entry, which is decided about for three units.
    swept = 730 / 6 * (7_000 * 400 / (365 / 12) / 8 + 3 * 9_000 / 5)
    writes, reads = (
        items + decisions + 2 * decisions + counters,
        2 * 2 * decisions + 850_000 * counting.invocations + swept + RATE_READS,
    )
    ledger = (834_000 * 30 + 16_000 * 400) / (365 / 12) * 732 / 2**30
    suppressions = 7_000 * 400 / (365 / 12) * 602 / 2**30
    indexes = 2 * 16_000 * 400 / (365 / 12) * 732 / 2**30
    by_hand = (writes * 0.625 + reads * 0.125) / 1e6 + (ledger + indexes) * 0.25 + suppressions * (0.25 + 0.20)
    assert dollars(month)["DynamoDB"] == pytest.approx(by_hand)
    recoverable = changed(month, ledger_recovery=True)
    assert added_cost(recoverable, month) == {"DynamoDB": pytest.approx(ledger * 0.20)}


def test_high_volume_is_counted_at_the_cost_measured_last():
    one_route, last = with_set(feedback=()), COUNTING[-1]
    few, many = (dollars(changed(one_route, monthly_messages=n * 10**9))["DynamoDB"] for n in (2, 3))
    # Per message 2.0238 events, of which 0.0381 are feedback; half of the measured tags are counted.
    stored = (1.985714 * 30 + 3 * 0.038095 * 400) / (365 / 12) * 732 / 2**30 * 0.25
    stored += 0.016667 * 400 / (365 / 12) * 602 / 2**30 * 0.45
    swept = 730 / 24 * 0.016667 * 400 / (365 / 12) / 8  # of decisions there are as many as a sweep has time for
    writes = 2.023810 * (1 + last.write_units / 2) + 3 * 0.038095
    reads = 2 * 0.038095 + 2.023810 * last.invocations + swept
    assert (many - few) / 10**9 == pytest.approx(writes * 0.625e-6 + reads * 0.125e-6 + stored, rel=1e-4)


def test_counting_is_measured_from_few_messages_to_many_and_becomes_cheaper():
    assert [*COUNTING] == sorted(COUNTING)
    for name in ("write_units", "invocations"):
        assert [*COUNTING] == sorted(COUNTING, key=lambda each: -getattr(each, name))


def test_counting_is_estimated_between_the_measured_volumes():
    assert [estimate_counting(each.messages) for each in COUNTING] == [pytest.approx(each) for each in COUNTING]
    low, high = COUNTING[0], COUNTING[1]
    assert low.write_units > estimate_counting((low.messages * high.messages) ** 0.5).write_units > high.write_units
    assert estimate_counting(0) == estimate_counting(1) == COUNTING[0]
    assert estimate_counting(10**12) == COUNTING[-1]


def test_longer_window_costs_less_as_a_larger_volume_does():
    assert estimate_counting(10**6, 55) == estimate_counting(10**6 / 2)
    assert estimate_counting(10**6, 0) == estimate_counting(10**6, SHORTEST_WINDOW_SECONDS)
    assert ENVIRONMENT.counting_window_seconds == MEASURED_WINDOW_SECONDS
    costs = [total(changed(counting_window_seconds=seconds)) for seconds in (0, 60, 110, 300)]
    assert costs == sorted(set(costs), reverse=True)


def test_opens_and_clicks_cost_more():
    assert {"DynamoDB", "Firehose", "S3 archive", "CloudWatch metrics"} <= added_cost(with_set(TRACKED)).keys()
    assert min(added_cost(with_set(TRACKED)).values()) > 0


def test_changes_of_the_suppression_list_cost_an_event_each():
    """420,000 messages have 15,000 bounces and 1,000 complaints."""
    assert dollars(changed(monthly_messages=420_000))["EventBridge"] == pytest.approx(16_000 * 1e-6)


def test_unpublished_events_cost_nothing():
    assert dollars(with_set(SILENT)) == dollars(changed(monthly_messages=0, count_sends=False))


def test_second_configuration_set_shares_the_mail_and_adds_metrics():
    two = changed(configuration_sets={"newsletter": PLAIN, "receipts": PLAIN})
    assert added_cost(two) == {
        "CloudWatch metrics": pytest.approx((10 + 2) * 0.30 + READ),
        "DynamoDB": pytest.approx(730 * 12 * 0.125e-6),
    }


def test_rates_are_metrics_of_sets_with_enough_mail_a_day():
    enough = changed(monthly_messages=30_420)
    without = changed(enough, reputation=Reputation(day_sends=2_000))
    assert added_cost(enough, without) == {"CloudWatch metrics": pytest.approx(2 * 0.30)}


def test_environment_without_configuration_sets_watches_no_rates():
    none = changed(monthly_messages=0, configuration_sets={}, count_sends=False)
    assert added_cost(none, changed(monthly_messages=0, count_sends=False)) == {
        "CloudWatch metrics": pytest.approx(-0.30),
        "CloudWatch alarms": pytest.approx(-0.50),
        "DynamoDB": pytest.approx(-RATE_READS * 0.125e-6),
    }


def test_counting_sends_costs_a_metric_for_each_set_reads_and_alarms():
    without = changed(count_sends=False)
    assert added_cost(changed(), without) == {
        "CloudWatch metrics": pytest.approx(2 * 0.30 + 2 * READ),
        "CloudWatch alarms": pytest.approx(5 * 0.10),
    }


def test_mappings_of_streams_have_two_metrics_more_in_hours_with_changes():
    fed = with_set(feedback=(), archive=(Kind.SEND,))
    few = changed(
        fed, monthly_messages=73
    )  # an hour in ten: one metric of the set, one of its sends, two of the mapping
    added = added_cost(few, changed(fed, monthly_messages=0))
    assert added["CloudWatch metrics"] == pytest.approx((1 + 1 + 2) * 0.1 * 0.30)


def test_values_of_tags_with_metrics_cost_their_groups_and_those_of_all_others():
    tags = changed(counted_tags=("campaign", "genre"))
    assert added_cost(changed(tags, tag_metric_values=5), tags) == {
        "CloudWatch metrics": pytest.approx((5 + 1) * 2 * 12 * 0.30)
    }
    assert added_cost(changed(tag_metric_values=5)) == {}, "no tag is counted"
    alone = changed(count_sends=False)
    assert added_cost(changed(alone, tag_metric_values=5), alone) == {
        "CloudWatch metrics": pytest.approx(0.30),
        "CloudWatch alarms": pytest.approx(5 * 0.10),
    }


def test_values_of_tags_with_metrics_have_an_hour_with_data_for_each_event_at_most():
    few = changed(monthly_messages=7_300, counted_tags=("campaign",))
    most = sum(estimate_volume(few).events.values()) / 730 * 0.30
    assert added_cost(changed(few, tag_metric_values=50), few) == {"CloudWatch metrics": pytest.approx(most)}


def test_canary_costs_a_heartbeat_and_alarms():
    canary = changed(canary=Canary(from_address="canary@a.example", configuration_set="newsletter"))
    assert added_cost(canary) == {"CloudWatch metrics": pytest.approx(0.30), "CloudWatch alarms": pytest.approx(0.30)}


def test_value_of_a_tag_costs_four_writes_a_day():
    assert tag_value_dollars(changed()) == pytest.approx(4 * 365 / 12 * 0.625e-6)


def test_cloudwatch_destination_adds_a_metric_for_each_value_and_type():
    kinds = (Kind.SEND, Kind.DELIVERY, Kind.BOUNCE)
    destination = EventDestination(events=kinds, cloudwatch_dimensions=ONE_DIMENSION)
    environment = with_set(event_destinations={"numbers": destination})
    assert added_cost(environment) == {"CloudWatch metrics": pytest.approx(10 * 3 * 0.30)}


def test_dimensions_multiply_up_to_one_metric_hour_per_event():
    two = EventDestination(events=(Kind.SEND,), cloudwatch_dimensions=TWO_DIMENSIONS)
    many = with_set(event_destinations={"numbers": two})
    assert added_cost(many)["CloudWatch metrics"] == pytest.approx(100 * 0.30)
    few = changed(many, monthly_messages=7_300)
    assert added_cost(few, changed(monthly_messages=7_300))["CloudWatch metrics"] == pytest.approx(10 * 0.30)


def test_disabled_destination_costs_nothing():
    off = EventDestination(events=(Kind.SEND,), enabled=False, sns_topic_arn=TOPIC)
    metrics = EventDestination(events=(Kind.SEND,), enabled=False, cloudwatch_dimensions=ONE_DIMENSION)
    assert added_cost(with_set(event_destinations={"topic": off, "numbers": metrics})) == {}


def test_other_destinations_cost_only_the_publishing_to_topics():
    topic = EventDestination(events=(Kind.SEND,), sns_topic_arn=TOPIC)
    stream = EventDestination(events=(Kind.SEND,), firehose_stream_arn=STREAM)
    bus = EventDestination(events=(Kind.SEND,), event_bridge=True)
    assert added_cost(with_set(event_destinations={"topic": topic})) == {"SNS and SQS": pytest.approx(0.50)}
    assert added_cost(with_set(event_destinations={"stream": stream, "bus": bus})) == {}


def test_reputation_metrics_are_two_metrics():
    assert added_cost(with_set(reputation_metrics=True)) == {"CloudWatch metrics": pytest.approx(0.60)}


def test_encryption_adds_a_key_and_its_requests():
    assert added_cost(changed(encrypted_topics=True)) == {"KMS key": pytest.approx(1.00 + 2 * 8_760 * 3e-6)}
    without_mail = changed(monthly_messages=0)
    assert added_cost(changed(without_mail, encrypted_topics=True), without_mail) == {"KMS key": 1.00}


def test_identity_notifications_add_a_message_per_bounce_and_complaint():
    notified = changed(identities={"bookshop.example": Identity()})
    duplicates = 16_000 / 420_000 * 1e6
    # A message is published, sent, received and deleted.
    assert added_cost(notified)["SNS and SQS"] == pytest.approx(duplicates * (0.50e-6 + 3 * 0.40e-6))
    half = changed(identities={"bookshop.example": Identity(), "orders.example": Identity(notifications=())})
    assert added_cost(half)["SNS and SQS"] == pytest.approx(duplicates / 2 * (0.50e-6 + 3 * 0.40e-6))
    deliveries = changed(identities={"bookshop.example": Identity(notifications=("Bounce", "Complaint", "Delivery"))})
    assert total(deliveries) > total(notified) > total(half)


def test_notifications_of_unpublished_events_cost_something():
    notified = changed(with_set(SILENT), identities={"bookshop.example": Identity()})
    assert {"DynamoDB", "Lambda"} <= added_cost(notified, with_set(SILENT)).keys()


def test_longer_retention_and_shorter_interval_cost_more():
    assert added_cost(changed(archive_days=800)).keys() == {"S3 archive"}
    assert (
        total(changed(archive_interval_seconds=900)) < total(ENVIRONMENT) < total(changed(archive_interval_seconds=0))
    )


def test_firehose_bills_five_kilobytes_per_event():
    archived = changed(with_set(feedback=FEEDBACK, archive=(Kind.SEND,)), archive_days=1)
    assert dollars(archived)["Firehose"] == pytest.approx(1e6 * 5 * 1024 / 2**30 * 0.029)


def test_lambda_cost_uses_the_memory_of_each_function():
    # 1,000,000 messages published through Firehose alone: sends only, so an object per minute.
    month = with_set(feedback=(), archive=(Kind.SEND,))
    objects, counts = 43_800, 1e6 * estimate_counting(1e6 / sum(MIX.values())).invocations
    seconds_archive, seconds_count = objects * 0.06 + 1e6 * 0.001, counts * COUNT_SECONDS
    by_hand = (objects + counts) * 0.20e-6 + (seconds_archive * 1.0 + seconds_count * 0.5) * 13.3334e-6
    assert dollars(month)["Lambda"] == pytest.approx(by_hand)


def test_groups_of_bounces_are_those_of_the_metrics():
    statuses = ((None, None), ("failed", "5.1.1"), ("failed", "5.7.1"))
    subtypes = (None, "General", *SUPPRESSION_LIST_SUBTYPES, *PERMANENT_MEASURES, *TRANSIENT_MEASURES)
    bounces = [
        Event(kind=Kind.BOUNCE, bounce_type=bounce, bounce_subtype=subtype, action=action, status=status)
        for bounce in BounceType
        for subtype in subtypes
        for action, status in statuses
    ]
    assert len(summarize({measure(bounce, Counted()): 1 for bounce in bounces})) == BOUNCE_GROUPS


def test_dashboard_has_as_many_widgets_as_the_estimate_assumes():
    assert len(PANELS) == WIDGETS


MAX_ENVIRONMENT_BYTES = 4 * 1024
"""Of all variables of a function ("Lambda quotas")."""


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_costs_that_the_dashboard_calculates_are_those_of_the_estimate(environment: Environment):
    encoded = msgspec.json.encode(cost_table(environment))
    assert len(encoded) < MAX_ENVIRONMENT_BYTES / 2
    table = msgspec.json.decode(encoded, type=CostTable)
    for messages in VOLUMES:
        expected = dollars(changed(environment, monthly_messages=messages))
        assert {name: amount for name, amount in month_costs(table, messages).items() if amount} == pytest.approx(
            {name: amount for name, amount in expected.items() if amount >= 0.0005}, abs=0.001
        )
    for number in range(1, 40):
        messages = round(1000 * 1.4**number)
        estimated = total(changed(environment, monthly_messages=messages))
        assert sum(month_costs(table, messages).values()) == pytest.approx(estimated, rel=0.08)
