"""Show the panel `cost`: the estimate of this month from the messages counted since it began."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from aftersend.aws.deployed_counters import deployed_counters
from aftersend.aws.deployment import Deployment
from aftersend.contract import CostTable, Variable
from aftersend.counting import CONFIGURATION_SET
from aftersend.dashboard.cost import month_start, render
from aftersend.dashboard.elements import Content
from aftersend.dashboard.request import Request
from lambdas.settings import setting


def show(request: Request, deployment: Deployment) -> Iterable[Content]:
    """Return the panel."""
    messages = count_messages(deployment, request.now)
    return render(setting(Variable.COSTS, CostTable), messages, request.now, deployment.name)


def count_messages(deployment: Deployment, now: datetime) -> int:
    """Return how many messages sent this month were counted, of all configuration sets: a few queries for each day."""
    first, tomorrow = month_start(now), now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    hours = [first + timedelta(hours=number) for number in range((tomorrow - first) // timedelta(hours=1))]
    return deployed_counters(deployment).totals(CONFIGURATION_SET, hours)["send"]
