"""Show the panel `status`: what `aftersend status` prints."""

from collections.abc import Iterable

from aftersend.aws.deployment import Deployment
from aftersend.aws.status import read_lines
from aftersend.contract import Variable
from aftersend.dashboard.elements import Content
from aftersend.dashboard.request import Request
from aftersend.dashboard.status import render
from lambdas.settings import text_setting


def runbook(request: Request) -> str:
    """Return where the runbook is: the local page has it elsewhere than the environment."""
    return request.get("runbook") or text_setting(Variable.RUNBOOK_URL)


def show(request: Request, deployment: Deployment) -> Iterable[Content]:
    """Return the panel."""
    lines = read_lines(deployment, request.now)
    return render(lines, request.now, show=request.functions.show, runbook=runbook(request))
