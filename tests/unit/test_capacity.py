"""Test what an environment carries, and hold the constants of that and docs/scale.md to what they repeat."""

import math
from pathlib import Path

import msgspec
import pytest

from aftersend.aws.counters_table import SUFFIXES
from aftersend.config import capacity
from aftersend.config.capacity import Capacity, capacities, peak_events
from aftersend.config.environment import Environment, ExistingState, Functions
from aftersend.config.lint import findings
from benchmarks.month.arrival import CAMPAIGN_HOURS, HOUR, Arrival
from benchmarks.month.parameters import Parameters
from benchmarks.month.report import ENVIRONMENT
from benchmarks.scale import TABLES

PAGE = (Path(__file__).parent.parent.parent / "docs" / "scale.md").read_text()


def parts(**settings: object) -> dict[str, Capacity]:
    environment = msgspec.structs.replace(ENVIRONMENT, **settings)
    return {each.part.partition(" in ")[0]: each for each in capacities(environment)}


@pytest.mark.parametrize("table", TABLES)
def test_page_shows_the_computed_table(table):
    assert "\n".join(table()) in PAGE


def test_findings_have_the_numbers_of_the_page():
    environment = msgspec.structs.replace(ENVIRONMENT, monthly_messages=10**10)
    text = " ".join(finding.problem for finding in findings(environment))
    exceeded = [each for each in capacities(environment) if each.events < peak_events(environment)]
    assert exceeded
    assert [each.part for each in exceeded if f"{each.part} carries {each.events:,.0f}" not in text] == []


@pytest.mark.slow
def test_peak_is_that_of_the_simulated_day():
    arrival, window = Arrival(1e8, Parameters(), seed=1), HOUR / 2
    begins = (hour * HOUR for hour in range(*CAMPAIGN_HOURS))
    busiest = max(arrival.number(begin, begin + window) for begin in begins) / window
    environment = msgspec.structs.replace(ENVIRONMENT, monthly_messages=100_000_000)
    assert busiest <= peak_events(environment) < 1.2 * busiest


def test_constants_are_those_of_the_simulation_and_the_counters():
    assumed = Parameters()
    assert assumed.record_bytes == capacity.RECORD_BYTES
    assert assumed.count_record_seconds == capacity.COUNT_SECONDS
    assert capacity.COUNTER_PARTITIONS == SUFFIXES


def test_smallest_capacity_comes_first():
    carried = [each.events for each in capacities(ENVIRONMENT)]
    assert carried == sorted(carried)


def test_settings_multiply_what_their_parts_carry():
    default = parts()
    warm = parts(warm_throughput=8_000)
    assert {name for name in default if warm[name].events == 2 * default[name].events} == {
        "ledger",
        "counters",
        "count_tags",
    }
    concurrent = parts(functions=Functions(feedback_max_concurrency=20, archive_max_concurrency=20))
    assert {name for name in default if concurrent[name].events == 2 * default[name].events} == {
        "record_feedback",
        "record_archive",
    }


def test_firehose_carries_more_in_large_regions():
    assert parts(region="eu-west-1")["Firehose"].limit == 5 * parts(region="eu-north-1")["Firehose"].limit


def test_what_is_needed_is_just_enough():
    ledger = parts()["ledger"]
    enough = parts(warm_throughput=ledger.needed(5_000))["ledger"]
    assert 5_000 <= enough.events < 5_001


def test_capacity_of_retained_tables_is_not_limited_here():
    retained = parts(existing_state=ExistingState(ledger_table="ledger", counters_table="counters"))
    assert {retained[name].events for name in ("ledger", "counters", "count_tags")} == {math.inf}


def test_environment_without_events_carries_any_number():
    silent = Environment(name="silent", account="111111111111", region="eu-west-1", configuration_sets={})
    assert {each.events for each in capacities(silent)} == {math.inf}
    assert peak_events(silent) == 0
