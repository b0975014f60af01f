"""Read what the panel of the suppression list shows: the size that the last sweep has stored."""

from collections.abc import Iterable

from aftersend.aws.deployment import Deployment
from aftersend.aws.list_sizes import ListSizes
from aftersend.dashboard.elements import Content
from aftersend.dashboard.request import Request
from aftersend.dashboard.suppression_list import not_counted, suppression_list

SWEEP_OUTPUT = "SweepFunctionName"
"""Beginning of the output with the name of sweep_suppressions; CloudFormation adds a digest."""


def show(request: Request, deployment: Deployment) -> Iterable[Content]:
    """Return the content of the panel."""
    sizes = ListSizes(deployment.client("dynamodb"), deployment.output("CountersTableName"))
    if size := sizes.get():
        return suppression_list(size, request.now, deployment.name)
    sweep = next((name for key, name in deployment.outputs.items() if key.startswith(SWEEP_OUTPUT)), None)
    return not_counted(request.now, sweep)
