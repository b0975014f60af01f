"""Read the counters and the newest feedback of one value of a tag for the panel "campaign"."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby

from aftersend.aws.deployed_recorder import deployed_settings
from aftersend.aws.deployment import Deployment
from aftersend.aws.feedback_indexes import FeedbackIndexes
from aftersend.counting import LINK, PROVIDER
from aftersend.dashboard.campaign import Campaign, Feedback, choose
from aftersend.dashboard.elements import Content
from aftersend.dashboard.request import Request
from aftersend.dashboard.span import HOUR, Span, span_of
from aftersend.events import Event
from aftersend.metrics.tag_table import Order, range_row, sort_rows
from aftersend.operations.feedback_listing import feedback_values
from aftersend.operations.parallel import in_parallel
from lambdas.widget_counters import CountedMail, counted_mail, tracked

LEAD = timedelta(hours=24)
"""How long before the range mail is read by which its first hours are judged."""
NEWEST = 20
MAX_DAYS_OF_FEEDBACK = 7
"""On how many days with feedback the newest is looked for."""


def show(request: Request, deployment: Deployment) -> Iterable[Content]:
    """Return the content of the panel: of the value asked for, or of the worst and what others there are."""
    mail, span, asked = counted_mail(deployment), span_of(request.begin, request.end), request.get("tag")
    tags = [each for each in mail.tags if not each.startswith(LINK)]
    tag = asked if asked in tags else tags[0]
    if (value := request.get("value")) and not asked.startswith(LINK):  # a link's tag says nothing about its mail
        return _campaign(mail, tag, value, span, request, deployment)
    sums = mail.table.sums(tag, span.hours)
    rows = [range_row(tag, name, by_hour, span.hours, mail.reputation) for name, by_hour in sums.items()]
    worst = sort_rows(rows, Order.WORST)[0].value if rows else ""
    choice = choose(tag, tags, {row.value: row.sends for row in rows}, span, request.functions.show, worst)
    return [*choice, *(_campaign(mail, tag, worst, span, request, deployment) if worst else ())]


def _campaign(
    mail: CountedMail, tag: str, value: str, span: Span, request: Request, deployment: Deployment
) -> Iterable[Content]:
    hours = [span.begin - number * HOUR for number in range(1, LEAD // HOUR + 1)] + [*span.hours]
    by_hour = mail.table.sums(tag, hours, value).get(value, {})
    campaign = Campaign(tag, value, span, by_hour, mail.reputation, deployment.name, request.functions.show)
    feedback = None if tag == PROVIDER else _feedback(campaign, deployment)
    return campaign.render(tracked(), feedback)


def _feedback(campaign: Campaign, deployment: Deployment) -> Feedback:
    """Read the newest feedback, on the days of which the counters know that there is some."""
    indexes = FeedbackIndexes(deployment.client("dynamodb"), deployment.output("LedgerTableName"))
    days = [[*hours] for _, hours in groupby(campaign.feedback_hours, key=lambda hour: hour.date())][::-1]
    events: list[Event] = []
    complete: list[bool] = [len(days) <= MAX_DAYS_OF_FEEDBACK]
    for hours in days[:MAX_DAYS_OF_FEEDBACK]:
        if (missing := NEWEST - len(events)) <= 0:
            complete.append(False)
            break
        found, is_whole = indexes.newest(
            (campaign.tag, campaign.value), hours[0], hours[-1] + HOUR, missing, each=in_parallel
        )
        events += found
        complete.append(is_whole)
    policy = deployed_settings(deployment).policy if events else None
    return Feedback([feedback_values(event, policy) for event in events if policy], is_complete=all(complete))
