"""Test watch_rates over counters in moto: verdicts, metrics, and the guard, killed between any two of its calls."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from aftersend.aws.guard_states import GuardStates
from aftersend.contract import RATES_METRICS, Variable
from aftersend.counting import FROM_DOMAIN, PROVIDER
from aftersend.metrics.guard import NOTHING, GuardState, resumed
from aftersend.metrics.reputation import Reputation
from lambdas.dependencies import logger
from lambdas.watch_rates import Report
from tests.adapters.reputation import HOUR, NOW, RUN, SETS, Killed, ReputationShop, reputation_shop

__all__ = ["reputation_shop"]

PAUSED = GuardState(paused_at=NOW - timedelta(days=40), reason="figures")


@pytest.fixture
def shop(reputation_shop: ReputationShop) -> ReputationShop:
    return reputation_shop


def storm(shop: ReputationShop) -> None:
    """Count 2,000 messages of the newsletter, of which 248 bounced."""
    shop.count(send=2_000, hard_bounce=248)


def test_storm_of_13_bounced_messages_pauses_nothing_and_one_of_2000_does(shop: ReputationShop):
    shop.count(send=13, hard_bounce=13)
    assert shop.watch() == shop.watch(NOW + RUN) == {}
    storm(shop)
    assert shop.watch(NOW + 2 * RUN) == {"rates_critical": 1}
    assert shop.watch(NOW + 3 * RUN) == {"rates_critical": 1, "guard_paused": 1}
    assert shop.ses.enabled == {"newsletter": False, "receipts": True}
    assert shop.states.get("newsletter").reason.startswith(
        "newsletter: bounce rate 13.0 % (261 of 2,013 sent in 1 hour)"
    )


def test_rate_is_not_acted_on_before_the_sends_that_belong_to_it_are_counted(shop: ReputationShop):
    shop.count(send=250, hard_bounce=30)
    assert shop.watch() == {"rates_critical": 1}
    shop.count(send=1_750)
    assert shop.watch(NOW + RUN) == {}
    assert shop.states.get("newsletter") == NOTHING


def test_storm_after_one_that_ended_by_itself_is_paused(shop: ReputationShop):
    shop.count(send=250, hard_bounce=30)
    shop.watch()
    shop.count(send=1_750)
    assert shop.watch(NOW + RUN) == {}
    shop.count(hard_bounce=248)
    shop.watch(NOW + 2 * RUN)
    assert shop.watch(NOW + 3 * RUN) == {"rates_critical": 1, "guard_paused": 1}


def test_dry_run_reports_what_it_would_pause_and_pauses_nothing(shop: ReputationShop):
    shop.set(Variable.REPUTATION, Reputation())
    storm(shop)
    shop.watch()
    assert shop.watch(NOW + RUN) == {"rates_critical": 1, "guard_would_pause": 1}
    assert shop.ses.calls == []


def test_guard_that_is_off_still_reports_rates(shop: ReputationShop):
    shop.set(Variable.REPUTATION, Reputation(guard="off"))
    storm(shop)
    shop.watch()
    assert shop.watch(NOW + RUN) == {"rates_critical": 1}


@pytest.mark.parametrize("mode", ["off", "dry-run", "pause"])
def test_pause_is_applied_again_in_every_mode_until_an_operator_resumes(shop: ReputationShop, mode: Any):
    shop.set(Variable.REPUTATION, Reputation(guard=mode))
    shop.states.replace("newsletter", NOTHING, PAUSED)
    for _ in range(2):
        shop.ses.enabled["newsletter"] = True  # a deployment, or a click in the console
        assert shop.watch() == {"guard_paused": 1}
        assert not shop.ses.enabled["newsletter"]
    shop.states.replace("newsletter", PAUSED, resumed(PAUSED, NOW, "operator", "repaired"))
    shop.ses.enabled["newsletter"] = True
    assert shop.watch() == {}
    assert shop.ses.enabled["newsletter"]


def test_storm_of_before_the_resumption_does_not_pause_again_but_a_new_one_does(shop: ReputationShop):
    shop.states.replace("newsletter", NOTHING, resumed(PAUSED, NOW, "operator", "repaired"))
    storm(shop)
    later = NOW + timedelta(hours=1)
    assert shop.watch() == shop.watch(later) == shop.watch(later + RUN) == {}
    shop.count(hour=HOUR + timedelta(hours=1), send=2_000, hard_bounce=248)
    shop.watch(later)
    assert shop.watch(later + RUN)["guard_paused"] == 1


@pytest.mark.parametrize("reads_before", [1, 2])
def test_resumption_during_a_run_is_not_undone(shop: ReputationShop, reads_before: int):
    shop.states.replace("newsletter", NOTHING, PAUSED)
    current = shop.states.get

    class Resumed:
        """What is remembered at first is resumed by an operator before it is read once more."""

        replace = shop.states.replace
        reads = count()

        def get(self, name: str) -> GuardState:
            if name == "newsletter" and next(self.reads) == reads_before:
                shop.states.replace(name, PAUSED, resumed(PAUSED, NOW, "operator", "repaired"))
            return current(name)

    shop.watch(states=Resumed())
    assert shop.ses.enabled["newsletter"]


def test_run_that_read_an_older_state_does_not_pause_what_was_resumed_since(shop: ReputationShop):
    storm(shop)
    shop.watch()
    before = shop.states.get("newsletter")
    shop.states.replace("newsletter", before, resumed(PAUSED, NOW, "operator", "repaired"))
    stale = GuardStates(shop.states._dynamodb, "counters")
    stale.get = lambda name: before if name == "newsletter" else NOTHING
    assert shop.watch(NOW + RUN, states=stale) == {"rates_critical": 1}
    assert shop.ses.enabled["newsletter"]


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_run_that_is_killed_at_any_call_converges_with_the_next_one(shop: ReputationShop, after: bool):
    calls = 0
    for kill_at in count(1):
        shop.states._dynamodb.delete_item(
            TableName="counters", Key={"partition_key": {"S": "guard"}, "sort_key": {"S": "newsletter"}}
        )
        shop.ses.enabled["newsletter"] = True
        if kill_at == 1:
            storm(shop)
        shop.watch()
        try:
            calls = kill_during(shop, kill_at, after=after)
        except Killed:
            shop.watch(NOW + 2 * RUN)
            assert not shop.ses.enabled["newsletter"]
            assert shop.states.get("newsletter").is_paused
        else:
            break
    assert calls > 4, "reads and writes of the state of each set, and calls of SES"


def kill_during(shop: ReputationShop, kill_at: int, *, after: bool) -> int:
    """Run the function and end it at its call of this number, or after it; return how many calls it made."""
    made = count(1)

    class Killing:
        def __init__(self, target: Any) -> None:
            self._target = target

        def __getattr__(self, name: str) -> Any:
            method = getattr(self._target, name)

            def call(*arguments: Any, **named: Any) -> Any:
                number = next(made)
                if number == kill_at and not after:
                    raise Killed
                result = method(*arguments, **named)
                if number == kill_at:
                    raise Killed
                return result

            return call

    ses = shop.ses
    shop.ses = Killing(ses)  # ty: ignore[invalid-assignment]
    try:
        shop.watch(NOW + RUN, states=Killing(shop.states))
    finally:
        shop.ses = ses
    return next(made) - 1


def test_set_that_fails_stops_no_other_and_is_logged_without_more_than_the_reason(
    shop: ReputationShop, monkeypatch: pytest.MonkeyPatch
):
    logged: list[Any] = []
    monkeypatch.setattr(
        logger, "error", lambda message, extra: logged.append(extra.get("subject") or extra["configuration_set"])
    )
    for name in SETS:
        shop.states.replace(name, NOTHING, PAUSED)
    shop.ses.failing = {"newsletter"}
    assert shop.watch() == {"guard_paused": 2, "guard_errors": 1}
    assert not shop.ses.enabled["receipts"]
    assert logged == ["ses:configuration-set=newsletter", "receipts"]


class Failing:
    """Counters that cannot be read."""

    def sums(self, tag: str, hours: object) -> None:
        raise ValueError("throttled")


def test_counters_that_cannot_be_read_for_one_run_delay_no_pause(shop: ReputationShop):
    storm(shop)
    shop.watch()
    assert shop.watch(NOW + RUN, counters=Failing()) == {"guard_errors": 3}
    assert shop.watch(NOW + 2 * RUN) == {"rates_critical": 1, "guard_paused": 1}


def test_tag_that_cannot_be_read_stops_no_pause(shop: ReputationShop):
    shop.states.replace("newsletter", NOTHING, PAUSED)

    assert shop.watch(counters=Failing()) == {"guard_paused": 1, "guard_errors": 3}
    assert not shop.ses.enabled["newsletter"]


def test_values_of_counted_tags_and_providers_are_judged_and_pause_nothing(shop: ReputationShop):
    shop.count("spring", tag="campaign", send=2_000, complaint=12)
    shop.count("gmail", tag=PROVIDER, send=2_000, hard_bounce=110)
    shop.count("uncounted", tag="other", send=2_000, hard_bounce=2_000)
    shop.count("bookshop.example", tag=FROM_DOMAIN, send=2_000, hard_bounce=2_000)
    shop.count("not-of-this-environment", send=2_000, hard_bounce=2_000)
    shop.watch()
    assert shop.watch(NOW + RUN) == {"rates_critical": 1, "rates_warning": 1}
    assert shop.ses.calls == []


def test_high_rates_are_logged_with_their_figures(shop: ReputationShop, monkeypatch: pytest.MonkeyPatch):
    logged: list[Any] = []
    monkeypatch.setattr(logger, "warning", lambda message, extra: logged.append((extra["level"], extra["verdict"])))
    shop.count("spring", tag="campaign", send=2_000, complaint=12)
    shop.watch()
    [(level, verdict)] = logged
    assert level == "CRITICAL"
    assert verdict.startswith("campaign=spring: complaint rate 0.60 % (12 of 2,000 sent in 1 hour)")


def test_only_the_heartbeat_is_emitted_when_all_is_well(shop: ReputationShop):
    shop.count(send=900)
    shop.watch()
    [document] = shop.documents
    [directive] = document["_aws"]["CloudWatchMetrics"]
    assert [metric["Name"] for metric in directive["Metrics"]] == ["rates_runs"]
    assert directive["Dimensions"] == [["Environment"]]


def test_rates_of_sets_with_enough_mail_are_metrics_of_the_set(shop: ReputationShop):
    shop.count(send=4_000, hard_bounce=10, complaint=1)
    shop.count("receipts", send=10)
    shop.watch()
    [document, _] = shop.documents
    [directive] = document["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Environment", "ConfigurationSet"]]
    assert (document["ConfigurationSet"], document["bounce_rate"], document["complaint_rate"]) == (
        "newsletter",
        0.25,
        0.025,
    )


def test_every_count_is_a_metric_that_is_documented():
    assert set(Report.__struct_fields__) == set(RATES_METRICS)


def test_calls_of_ses_are_a_second_apart(shop: ReputationShop):
    shop.states.replace("newsletter", NOTHING, PAUSED)
    shop.watch()
    assert shop.pauses == [1.0] * len(shop.ses.calls)


def test_what_the_guard_remembers_is_no_counter(shop: ReputationShop):
    storm(shop)
    before = list(shop.counters.rows())
    shop.states.replace("newsletter", NOTHING, PAUSED)
    assert list(shop.counters.rows()) == before
    assert shop.counters.latest_hour("guard", ["newsletter"], NOW.date()) is None
