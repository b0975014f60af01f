"""Read how recent and how late the work of a deployment is."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from aftersend.aws.deployment import Deployment
from aftersend.aws.metric_values import Metric, metric_values
from aftersend.aws.stored_objects import list_objects
from aftersend.contract import EVENTS_PREFIX

RECENT = timedelta(minutes=20)
"""The window of which the latest age is taken: metrics of SQS arrive some minutes late."""

MAX_LISTED = 1_000
"""Objects that are listed of an hour: one page of S3."""


class Route(NamedTuple):
    """A queue, or a stream's function, in which records wait."""

    output: str
    """The output of the Pipeline stack with the queue's URL or the function's name."""
    text: str
    section: str
    """The anchor of its alarm in docs/operations.md."""

    @property
    def is_queue(self) -> bool:
        return self.output.endswith("Url")


ROUTES = (
    Route("FeedbackQueueUrl", "feedback queue", "feedbacklate"),
    Route("ArchiveQueueUrl", "archive queue", "archivelate"),
    Route("CountTagsFunctionName", "counting", "countinglate"),
    Route("PublishSuppressionsFunctionName", "list events", "suppressioneventslate"),
)


def ages(deployment: Deployment, now: datetime) -> dict[Route, float | None]:
    """Return how many seconds the oldest record of each queue and stream has waited.

    Older deployments have no output for some streams.
    """
    routes = [route for route in ROUTES if route.is_queue or route.output in deployment.outputs]
    metrics = {route: _age(route, deployment.output(route.output)) for route in routes}
    points = metric_values(deployment.client("cloudwatch"), metrics, "Maximum", now - RECENT, now)
    latest = {route: values[-1] if values else None for route, values in points.items()}
    return {route: value and value / (1 if route.is_queue else 1000) for route, value in latest.items()}


def _age(route: Route, value: str) -> Metric:
    if route.is_queue:
        return Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", ("QueueName", queue_name(value)))
    return Metric("AWS/Lambda", "IteratorAge", ("FunctionName", value))


def queue_name(url: str) -> str:
    """Return the name of a queue, given its URL."""
    return url.rpartition("/")[2]


def newest_object(deployment: Deployment, hours: Iterable[datetime]) -> datetime | None:
    """Return when the newest object of the archive was written, if that was within some hours, the latest first."""
    bucket = deployment.output("ArchiveBucketName")
    for hour in hours:
        objects = list_objects(deployment.client("s3"), bucket, f"{EVENTS_PREFIX}{hour:%Y/%m/%d/%H}/")
        if newest := max((stored.since for stored in islice(objects, MAX_LISTED)), default=None):
            return newest
    return None


def set_names(deployment: Deployment) -> list[str]:
    """Return the configuration sets of the environment."""
    return [name for name in deployment.output("ConfigurationSets").split(", ") if name]
