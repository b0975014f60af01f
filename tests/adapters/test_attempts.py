from itertools import pairwise

from aftersend.aws.attempts import BASE_PAUSE_SECONDS, MAX_PAUSE_SECONDS, attempts


def test_attempts_are_counted_from_one_with_a_pause_between_two():
    pauses: list[float] = []
    assert list(attempts(4, pause=pauses.append)) == [1, 2, 3, 4]
    assert len(pauses) == 3


def test_pauses_are_random_below_a_bound_that_doubles_up_to_a_maximum():
    runs: list[list[float]] = [[] for _ in range(500)]
    for pauses in runs:
        list(attempts(12, pause=pauses.append))
    longest = [max(pauses) for pauses in zip(*runs, strict=True)]
    bounds = [min(MAX_PAUSE_SECONDS, BASE_PAUSE_SECONDS * 2**attempt) for attempt in range(1, 12)]
    assert all(0.9 * bound < pause <= bound for pause, bound in zip(longest, bounds, strict=True))
    assert all(before <= after for before, after in pairwise(bounds))
