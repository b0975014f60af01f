"""Judge the rates of configuration sets and mailbox providers for the panel "rates"."""

from collections.abc import Iterable

from aftersend.aws.deployment import Deployment
from aftersend.aws.guard_states import GuardStates
from aftersend.counting import CONFIGURATION_SET, PROVIDER
from aftersend.dashboard.elements import Content
from aftersend.dashboard.rates import Rates, render
from aftersend.dashboard.request import Request
from aftersend.metrics.reputation import judge, watched_hours
from aftersend.operations.parallel import in_parallel
from lambdas.widget_counters import counted_mail


def show(request: Request, deployment: Deployment) -> Iterable[Content]:
    """Return the content of the panel."""
    mail, now = counted_mail(deployment), request.now
    names = [name for name in deployment.outputs.get("ConfigurationSets", "").split(", ") if name]
    guard = GuardStates(deployment.client("dynamodb"), deployment.output("CountersTableName"))
    hours = watched_hours(now)
    sums = mail.table.sums(CONFIGURATION_SET, hours)
    states = dict(zip(names, in_parallel(guard.get, names), strict=True))
    sets = [
        Rates(CONFIGURATION_SET, name, judge(sums.get(name, {}), now, mail.reputation, state.judged_since), state)
        for name, state in states.items()
    ]
    by_provider = mail.table.sums(PROVIDER, hours)
    providers = [Rates(PROVIDER, name, judge(each, now, mail.reputation)) for name, each in by_provider.items()]
    return render(sets, providers, mail.reputation, deployment.name, request.functions.show)
