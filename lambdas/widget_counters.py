"""Read what the panels about counters share."""

from typing import NamedTuple

from aftersend.aws.counters_table import CountersTable
from aftersend.aws.deployed_counters import deployed_counters
from aftersend.aws.deployed_recorder import deployed_counting, deployed_reputation
from aftersend.aws.deployment import Deployment
from aftersend.contract import Variable
from aftersend.counting import Counted
from aftersend.dashboard.tracking import Tracked
from aftersend.metrics.reputation import Reputation
from lambdas.settings import setting


class CountedMail(NamedTuple):
    """The counters of a deployment, and what it counts and judges."""

    table: CountersTable
    counted: Counted
    reputation: Reputation

    def tag(self, name: str) -> str:
        """Return a tag that is counted: the one of that name, or else the first of those that senders choose."""
        names = self.tags
        return name if name in names else names[0]

    @property
    def tags(self) -> tuple[str, ...]:
        """Return the tags of all rows, those that senders choose first."""
        return tuple(dict.fromkeys((*self.counted.value_tags, *self.counted.row_tags)))


def counted_mail(deployment: Deployment) -> CountedMail:
    """Return the counters of a deployment."""
    counted, reputation = deployed_counting(deployment).counted, deployed_reputation(deployment)
    return CountedMail(deployed_counters(deployment), counted, reputation)


def tracked() -> Tracked:
    """Return which of opens and clicks each configuration set publishes."""
    return setting(Variable.TRACKED, dict[str, tuple[str, ...]])
