from collections import Counter
from datetime import UTC, date, datetime, timedelta

from aftersend.counting import Counts, Row
from aftersend.metrics import (
    Changes,
    Published,
    add_increases,
    choose_values,
    decreases,
    emf_documents,
    metric_changes,
)

NOW = datetime(2026, 3, 14, 10, tzinfo=UTC)
NINE, TEN = (datetime(2026, 3, 14, hour, tzinfo=UTC) for hour in (9, 10))
NEWSLETTER = (("ConfigurationSet", "newsletter"),)
NOTHING = Published()
TODAY, TOMORROW = date(2026, 3, 14), date(2026, 3, 15)


def in_set(hour: datetime) -> Row:
    return Row("ses:configuration-set", "newsletter", hour)


def increases(counts: Counts, published: Published = NOTHING) -> Changes:
    total = Changes()
    add_increases(total, metric_changes(counts, published))
    return total


def test_configuration_set_has_one_document_with_all_its_groups():
    counts = Counter(
        {
            (in_set(NINE), "send"): 2,
            (in_set(TEN), "send"): 3,
            (in_set(TEN), "hard_bounce"): 1,
            (in_set(TEN), "hard_bounce_no_email"): 1,
            (in_set(TEN), "simulated_send"): 9,
            (Row("campaign", "spring", TEN), "send"): 5,
        }
    )
    [document] = emf_documents(increases(counts), "prod", NOW)
    assert document == {
        "_aws": {
            "Timestamp": 1773482400000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Aftersend",
                    "Dimensions": [["Environment", "ConfigurationSet"]],
                    "Metrics": [{"Name": "send", "Unit": "Count"}, {"Name": "hard_bounce", "Unit": "Count"}],
                }
            ],
        },
        "Environment": "prod",
        "ConfigurationSet": "newsletter",
        "send": 5,
        "hard_bounce": 2,
    }


def test_counts_that_move_to_another_hour_are_no_new_ones():
    moved: Counts = Counter({(in_set(NINE), "send"): -1, (in_set(TEN), "send"): 1})
    assert increases(moved) == {}
    assert increases(Counter({**moved, (in_set(TEN), "send"): 3})) == {NEWSLETTER: {"send": 2}}
    assert increases(Counter({**moved, (in_set(NINE), "open"): 3})) == {NEWSLETTER: {"open": 3}}


def test_count_that_moves_to_another_value_is_taken_back_before_it_is_added():
    published = Published(TODAY, {"campaign": ("spring", "summer")})
    spring, summer = (Row("campaign", name, NINE) for name in ("spring", "summer"))
    changes = metric_changes(Counter({(spring, "send"): -1, (summer, "send"): 1}), published)
    assert decreases(changes) == {(("Tag", "campaign"), ("Value", "spring")): {"send": -1}}
    added = Changes()
    add_increases(added, changes)
    assert added == {(("Tag", "campaign"), ("Value", "summer")): {"send": 1}}


def test_values_without_a_metric_of_their_own_are_added_up():
    published = Published(TODAY, {"campaign": ("spring",)})
    rows = [Row("campaign", value, NINE) for value in ("spring", "summer", "autumn")]
    counts: Counts = Counter({(row, "send"): number for number, row in enumerate(rows, 1)})
    assert increases(counts, published) == {
        (("Tag", "campaign"), ("Value", "spring")): {"send": 1},
        (("Tag", "campaign"), ("Value", "other")): {"send": 5},
    }


def test_largest_values_of_yesterday_keep_their_places_and_todays_take_what_is_left():
    yesterday, today = {"campaign": {"old": 9, "older": 3}}, {"campaign": {"new": 500, "newer": 400}}
    chosen = choose_values(NOTHING, TODAY, tags=("campaign",), yesterday=yesterday, today=today, limit=3)
    assert chosen == Published(TODAY, {"campaign": ("old", "older", "new")})
    later = {"campaign": {"newest": 9_000}}
    assert choose_values(chosen, TODAY, tags=("campaign",), yesterday={}, today=later, limit=3) == chosen
    assert choose_values(chosen, TOMORROW, tags=("campaign",), yesterday=today, today=later, limit=2).values == {
        "campaign": ("new", "newer")
    }


def test_day_that_is_over_is_not_chosen_for_again():
    chosen = Published(TOMORROW, {"campaign": ("new",)})
    late = {"campaign": {"old": 9}}
    assert choose_values(chosen, TODAY, tags=("campaign",), yesterday=late, today=late, limit=1) is chosen


def test_values_have_metrics_on_their_day_and_the_next():
    chosen = Published(TODAY, {"campaign": ("spring",)})
    assert not chosen.has_expired(TODAY)
    assert not chosen.has_expired(TOMORROW)
    assert chosen.has_expired(TOMORROW + timedelta(days=1))
    assert not NOTHING.has_expired(TODAY)


def test_value_that_cloudwatch_does_not_take_has_no_metric():
    sends = {
        "campaign": {"": 9, "stra\N{LATIN SMALL LETTER SHARP S}e": 9, " ": 9, "x" * 1_025: 9, "other": 9, "spring": 1}
    }
    chosen = choose_values(NOTHING, TODAY, tags=("campaign", "genre"), yesterday=sends, today={}, limit=9)
    assert chosen.values == {"campaign": ("spring",), "genre": ()}


def test_empty_counts_have_no_document():
    assert list(emf_documents(increases(Counter()), "prod", NOW)) == []
