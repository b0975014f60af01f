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
from aftersend.metrics.summary import summarize
from aftersend.operations.feedback_listing import feedback_values
from aftersend.operations.parallel import in_parallel
from lambdas.widget_counters import CountedMail, counted_mail, tracked

LEAD = timedelta(hours=24)
"""How long before the range mail is read by which its first hours are judged."""
NEWEST = 20
MAX_DAYS_OF_FEEDBACK = 7
"""On how many days with feedback the newest is looked for."""


def show(request: Request, deployment: Deployment) -> Iterable[Content]:
    """Return the content of the panel."""
    mail, span, value = counted_mail(deployment), span_of(request.begin, request.end), request.get("value")
    tag = mail.tag(request.get("tag"))
    if not value or tag.startswith(LINK):
        return _choice(mail, "" if tag.startswith(LINK) else tag, span, request)
    hours = [span.begin - number * HOUR for number in range(1, LEAD // HOUR + 1)] + [*span.hours]
    by_hour = mail.table.sums(tag, hours, value).get(value, {})
    campaign = Campaign(tag, value, span, by_hour, mail.reputation, deployment.name, request.functions.show)
    feedback = None if tag == PROVIDER else _feedback(campaign, deployment)
    return campaign.render(tracked(), feedback)


def _choice(mail: CountedMail, tag: str, span: Span, request: Request) -> Iterable[Content]:
    """Return a form with the values of the most mail."""
    tags = [each for each in mail.tags if not each.startswith(LINK)]
    chosen = tag or tags[0]
    sums = mail.table.sums(chosen, span.hours)
    sends = {
        value: sum(summarize(measures)["send"] for measures in by_hour.values()) for value, by_hour in sums.items()
    }
    return choose(chosen, tags, sends, span, request.functions.show)


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
