"""What holds of any record, valid or damaged. `make fuzz N=…` reads as many damaged ones as one likes."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aftersend.parsing import parser
from aftersend.parsing.parser import Unreadable, parse
from tests.fuzz import check, damaged, valid
from tests.record_files import EVENTS

many = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def drawn(by: Callable[[random.Random], str | bytes]) -> st.SearchStrategy:
    """Records drawn by a function of chance; Hypothesis makes the chances, and so can shrink what it finds."""
    return st.randoms(use_true_random=False).map(by)


@settings(many, max_examples=1500)
@given(record=drawn(valid))
def test_the_short_way_and_the_long_way_give_the_same(record: str):
    assert list(parser._parse_leniently(record, 0, None)) == parse(record)


@settings(many, max_examples=500)
@given(record=drawn(valid))
def test_a_valid_record_is_an_event_and_nothing_of_it_is_mended(record: str):
    [outcome] = parse(record)
    assert isinstance(outcome, list)
    assert all(event.coerced_fields == () for event in outcome)


@settings(many, max_examples=5000)
@given(seed=st.integers(0, 2**32))
def test_a_damaged_record_becomes_something_and_nobody_is_made_up(seed: int):
    check(damaged(random.Random(seed)))


@pytest.mark.parametrize("file", sorted(EVENTS.glob("regressions/*")), ids=lambda file: file.stem)
def test_what_was_found_stays_mended(file: Path):
    for outcome in check(file.read_bytes()):
        assert not isinstance(outcome, Unreadable)
