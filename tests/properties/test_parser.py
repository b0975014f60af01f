"""Test properties of all records, valid and damaged. `make fuzz N=…` parses any number of damaged ones."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aftersend.parsing import DEFAULT_OPTIONS, Options, Unreadable, parse, parser
from aftersend.parsing.envelopes import Content
from tests.fuzz import check, damaged, valid, with_extreme_times
from tests.record_files import EVENTS

many = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def drawn_by(generate: Callable[[random.Random], str | bytes]) -> st.SearchStrategy:
    """Make a strategy of a function that draws payloads. Hypothesis makes the generator, and so can shrink failures."""
    return st.randoms(use_true_random=False).map(generate)


OPTIONS = Options(tag_headers={"subject": "subject", "x-campaign": "campaign"}, keep_subject=True)


@settings(many, max_examples=1500)
@given(record=drawn_by(valid), options=st.sampled_from([DEFAULT_OPTIONS, OPTIONS]))
def test_fast_and_lenient_path_give_the_same(record: str, options: Options):
    assert list(parser._parse_leniently(Content(record), 0, options)) == parse(record, options)


@settings(many, max_examples=1500)
@given(record=drawn_by(lambda rng: with_extreme_times(valid(rng), rng)))
def test_fast_and_lenient_path_give_the_same_times(record: str):
    """Times have up to twelve decimals and lie around the first and the last year that are possible."""
    parsed = parse(record)
    assert list(parser._parse_leniently(Content(record), 0, DEFAULT_OPTIONS)) == parsed
    assert parse(json.dumps(json.loads(record) | {"other": "\ud83d"})) == parsed


@settings(many, max_examples=500)
@given(record=drawn_by(valid))
def test_valid_record_is_an_event_without_coerced_fields(record: str):
    [result] = parse(record)
    assert isinstance(result, list)
    assert all(event.coerced_fields == () for event in result)


@settings(many, max_examples=5000)
@given(seed=st.integers(0, 2**32))
def test_damaged_record_has_a_result_and_no_invented_recipient(seed: int):
    check(damaged(random.Random(seed)))


@pytest.mark.parametrize("file", sorted(EVENTS.glob("regressions/*")), ids=lambda file: file.stem)
def test_regression_stays_fixed(file: Path):
    for result in check(file.read_bytes()):
        assert not isinstance(result, Unreadable)
