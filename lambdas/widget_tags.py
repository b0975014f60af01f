"""Read the counters of a tag's values for the panel "tags"."""

from collections.abc import Iterable

from aftersend.aws.deployment import Deployment
from aftersend.dashboard.elements import Content
from aftersend.dashboard.request import Request
from aftersend.dashboard.span import span_of
from aftersend.dashboard.tags import Chosen, Table
from aftersend.metrics.tag_table import Order
from lambdas.widget_counters import counted_mail, tracked


def show(request: Request, deployment: Deployment) -> Iterable[Content]:
    """Return the content of the panel."""
    mail, span = counted_mail(deployment), span_of(request.begin, request.end)
    order = request.get("sort")
    chosen = Chosen(
        tag=mail.tag(request.get("tag")),
        search=request.get("search"),
        sort=Order(order) if order in {*Order} else Order.WORST,
        is_all=bool(request.get("all")),
    )
    sums = mail.table.sums(chosen.tag, [*span.previous, *span.hours])
    table = Table(chosen, mail.tags, span, mail.reputation, deployment.name, request.functions.show, tracked())
    return table.render(sums)
