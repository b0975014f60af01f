"""Show the panel `failures`: the records that `aftersend failures list` lists, of each kind a few opened."""

from collections.abc import Iterable, Mapping

from aftersend.aws.activity import queue_name
from aftersend.aws.dead_letters import DeadLetters
from aftersend.aws.deployment import Deployment
from aftersend.aws.failure_sources import sources
from aftersend.aws.stored_objects import StoredFailures
from aftersend.contract import FAILED_BATCHES_PREFIX
from aftersend.dashboard.elements import Content
from aftersend.dashboard.failures import render
from aftersend.dashboard.request import Request
from aftersend.operations.failures import PREFIXES, QUEUES, Failure, FailureKind, group_by_reason
from aftersend.operations.parallel import in_parallel
from lambdas.widget_status import runbook

MAX_OPENED = 10
"""Messages and objects of each kind that are opened for their reasons."""


def show(request: Request, deployment: Deployment) -> Iterable[Content]:
    """Return the panel."""
    failures = (failure for part in in_parallel(_failures, sources(deployment)) for failure in part)
    groups, places = group_by_reason(failures), _places(deployment)
    return render(groups, places, request.now, environment=deployment.name, runbook=runbook(request))


def _failures(source: DeadLetters | StoredFailures) -> list[Failure]:
    """Return the failures of a source. An empty queue is not received from, which would wait for messages."""
    limit = min(MAX_OPENED, source.count()) if isinstance(source, DeadLetters) else MAX_OPENED
    return [*source.failures(limit)]


def _places(deployment: Deployment) -> Mapping[FailureKind, str]:
    bucket = deployment.output("ArchiveBucketName")
    prefixes = {**PREFIXES, FailureKind.UNPUBLISHED: FAILED_BATCHES_PREFIX}
    queues = {kind: deployment.outputs.get(names.dead_letters, "") for kind, names in QUEUES.items()}
    return {kind: f"s3://{bucket}/{prefix}" for kind, prefix in prefixes.items()} | {
        kind: queue_name(url) for kind, url in queues.items()
    }
