"""Show the panels of the dashboard. A CloudWatch dashboard invokes this for each of its custom widgets.

It reads and never changes anything. Each panel has a module `widget_…` with a function that returns its content.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

from aftersend.aws.clients import USER_AGENT
from aftersend.aws.deployment import Deployment
from aftersend.aws.query_parser import parse_queries_faster
from aftersend.contract import Variable
from aftersend.dashboard import layout
from aftersend.dashboard.elements import Action, Content, banner, element, link, widget
from aftersend.dashboard.request import Functions, Request, parse_request
from lambdas import (
    widget_campaign,
    widget_cost,
    widget_failures,
    widget_rates,
    widget_recipient,
    widget_status,
    widget_suppressions,
    widget_tags,
)
from lambdas.settings import text_setting
from lambdas.widget_failure import describe_failure

Panel = Callable[[Request, Deployment], Iterable[Content]]

PANELS: Mapping[str, Panel] = {
    "status": widget_status.show,
    "failures": widget_failures.show,
    "cost": widget_cost.show,
    "recipient": widget_recipient.show,
    "suppressions": widget_suppressions.show,
    "rates": widget_rates.show,
    "tags": widget_tags.show,
    "campaign": widget_campaign.show,
}
"""What renders each panel of aftersend/dashboard/layout.py."""

DESCRIPTION = """### Aftersend
Shows a panel of Aftersend's dashboard: `{"panel": "NAME"}`, with one of these names: %s.
"""


FASTER = Config(user_agent=USER_AGENT, parameter_validation=False)
"""What a month of counters needs hundreds of requests without."""


class FunctionSession:
    """Makes clients as a boto3 session does, of botocore alone: boto3 also imports what manages transfers to S3."""

    def __init__(self) -> None:
        self._session = botocore.session.get_session()
        parse_queries_faster(self._session)

    @property
    def region_name(self) -> str:
        return self._session.get_config_variable("region")

    def client(self, service: str, endpoint_url: str | None, config: Any) -> Any:
        """Create a client."""
        return self._session.create_client(service, endpoint_url=endpoint_url, config=config.merge(FASTER))


@cache
def deployment() -> Deployment:
    """Return the deployment that this function belongs to. Its outputs are read again after a failure."""
    found = Deployment(text_setting(Variable.ENVIRONMENT), FunctionSession())
    found.read_outputs(account=None)
    return found


def handler(event: Mapping[str, Any], context: Any = None, *, now: datetime | None = None) -> Any:
    """Return the HTML of a panel, or of the error that prevents it; a description if the event asks for one."""
    if "describe" in event:
        return {"markdown": DESCRIPTION % ", ".join(sorted(PANELS))}
    functions = Functions(getattr(context, "invoked_function_arn", ""), text_setting(Variable.CHANGE_FUNCTION) or None)
    request = parse_request(event, now or datetime.now(UTC), functions)
    return widget(*_content(request), is_dark=request.is_dark)


def _content(request: Request) -> Iterable[Content]:
    panel = PANELS.get(request.panel)
    if panel is None:
        return [banner(f"There is no panel {request.panel!r}. Deploy the stack Dashboard again.", tone="bad")]
    try:
        return [*_way_back(request), *panel(request, deployment())]
    except Exception as error:  # noqa: BLE001 (each panel fails alone, with a sentence)
        sentence = describe_failure(error, "A panel could not be shown.", panel=request.panel)
    deployment.cache_clear()  # a deployment since then may have replaced what the outputs name
    failure = banner("This cannot be shown.", element("p", sentence), tone="bad")
    failure.set("data-failed", "")  # the page of `aftersend dashboard` then keeps what it shows
    return [failure]


def _way_back(request: Request) -> Iterable[Content]:
    """Return the link to the panel in whose place this one is shown."""
    titles = [panel.title for panel in layout.PANELS if panel.name == request.get("back")]
    action = Action(request.functions.show, {"panel": request.get("back")})
    return [element("p", *link(f"← {title}", action)) for title in titles]
