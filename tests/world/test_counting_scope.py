"""Count a sample of the small streams in every way; `make chaos` counts all of them."""

from itertools import islice

from tests.world.counting_scope import cases, failures, small_transactions

EVERY = 101
"""A prime, so that the sample has every kill and every batch."""


def test_small_stream_is_counted_exactly_whatever_the_order_the_kill_and_the_batches():
    with small_transactions():
        assert next(failures(islice(cases(), 0, None, EVERY)), None) is None
