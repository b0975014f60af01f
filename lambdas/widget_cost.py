"""Show the panel `cost`: the estimate of this month from the messages counted since it began."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from aftersend.aws.counters_table import CountersTable
from aftersend.aws.deployment import Deployment
from aftersend.contract import CostTable, Variable
from aftersend.counting import CONFIGURATION_SET
from aftersend.dashboard.cost import month_start, render
from aftersend.dashboard.elements import Content
from aftersend.dashboard.request import Request
from aftersend.operations.parallel import in_parallel
from lambdas.settings import setting


def show(request: Request, deployment: Deployment) -> Iterable[Content]:
    """Return the panel."""
    messages = count_messages(deployment, request.now)
    return render(setting(Variable.COSTS, CostTable), messages, request.now, deployment.name)


def count_messages(deployment: Deployment, now: datetime) -> int:
    """Return how many messages sent this month were counted, of all configuration sets: a few queries for each day."""
    counters = CountersTable(deployment.client("dynamodb"), deployment.output("CountersTableName"))

    def of_day(day: date) -> int:
        return sum(measures.get("send", 0) for _, measures in counters.rows_of(CONFIGURATION_SET, day))

    first = month_start(now).date()
    days = [first + timedelta(days=number) for number in range((now.date() - first).days + 1)]
    return sum(in_parallel(of_day, days))
