"""Provide what watch_rates and `aftersend resume` are tested with: counters in moto, and a SES that is switched."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from aftersend.aws.counters_table import CountersTable
from aftersend.aws.guard_states import GuardStates
from aftersend.aws.sending_switch import SendingSwitch
from aftersend.contract import Variable
from aftersend.counting import CONFIGURATION_SET, START, Counted, Row
from aftersend.metrics.reputation import Reputation
from lambdas import watch_rates

NOW = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
HOUR = NOW.replace(minute=0)
RUN = timedelta(minutes=5)
SETS = ("newsletter", "receipts")


class Killed(BaseException):
    """The process ends: nothing in it goes on."""


class FakeSes:
    """Answers the SES API v2 about sending, and refuses calls about some configuration sets."""

    def __init__(self) -> None:
        self.enabled = dict.fromkeys(SETS, True)
        self.failing: set[str] = set()
        self.calls: list[str] = []

    def get_configuration_set(self, ConfigurationSetName: str) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        self._call("get", ConfigurationSetName)
        return {"SendingOptions": {"SendingEnabled": self.enabled[ConfigurationSetName]}}

    def put_configuration_set_sending_options(self, ConfigurationSetName: str, SendingEnabled: bool) -> None:  # noqa: N803 (boto3's names)
        self._call("put", ConfigurationSetName)
        self.enabled[ConfigurationSetName] = SendingEnabled

    def _call(self, operation: str, name: str) -> None:
        self.calls.append(f"{operation} {name}")
        if name in self.failing:
            raise ValueError("SES refuses")


class ReputationShop:
    """An environment with two configuration sets, whose mail is counted."""

    def __init__(self, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counters, self.states = CountersTable(dynamodb, "counters"), GuardStates(dynamodb, "counters")
        self.ses, self.pauses = FakeSes(), list[float]()
        self.documents: list[dict[str, Any]] = []
        self._monkeypatch, self._batches = monkeypatch, 0
        self.set(Variable.ENVIRONMENT, "test")
        self.set(Variable.CONFIGURATION_SETS, SETS)
        self.set(Variable.COUNTED, Counted(tags=("campaign",)))
        self.set(Variable.SETTLING_SECONDS, 240)
        self.set(Variable.REPUTATION, Reputation(guard="pause"))

    def set(self, variable: Variable, value: object) -> None:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        self._monkeypatch.setenv(variable, text)

    def count(
        self, value: str = "newsletter", hour: datetime = HOUR, tag: str = CONFIGURATION_SET, **measures: int
    ) -> None:
        """Add to the counters of a tag's value."""
        counts = Counter({(Row(tag, value, hour), measure): count for measure, count in measures.items()})
        self._batches += 1
        self.counters.commit(f"shard-{self._batches}", None, START, counts)

    def watch(self, now: datetime = NOW, **given: Any) -> dict[str, int]:
        """Run the function; return the counts that it emitted, without the heartbeat."""
        given = {"counters": self.counters, "states": self.states} | given
        switch = SendingSwitch(self.ses, pause=self.pauses.append)
        counts = watch_rates.handler(switch=switch, now=now, emit_metric=self.documents.append, **given)
        assert counts.pop("rates_runs") == 1
        return counts


@pytest.fixture
def reputation_shop(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> ReputationShop:
    return ReputationShop(dynamodb, monkeypatch)
