"""Find where the failed records of a deployment are: its dead-letter queues and prefixes of its archive bucket."""

from aftersend.aws.dead_letters import DeadLetters
from aftersend.aws.deployment import Deployment
from aftersend.aws.stored_objects import StoredFailures
from aftersend.aws.unpublished_batches import FUNCTION_OUTPUT, MAPPING_OUTPUT, UnpublishedBatches, unpublished_prefix
from aftersend.operations.failures import PREFIXES, QUEUES, FailureKind


def sources(deployment: Deployment) -> list[DeadLetters | StoredFailures]:
    """Return the sources of failed records. Older deployments have no dead-letter queue of the subscription."""
    sqs = deployment.client("sqs")
    queues = [
        DeadLetters(sqs, kind, deployment.output(names.dead_letters), deployment.output(names.source))
        for kind, names in QUEUES.items()
        if kind is not FailureKind.SUBSCRIPTION or names.dead_letters in deployment.outputs
    ]
    return [*queues, *(stored_failures(deployment, kind) for kind in PREFIXES), *unpublished_batches(deployment)]


def stored_failures(deployment: Deployment, kind: FailureKind, key: str | None = None) -> StoredFailures:
    """Return the stored records of a kind; of failed batches, those that unpublished_batches does not have."""
    is_divided = kind is FailureKind.BATCH and MAPPING_OUTPUT in deployment.outputs
    excluded = unpublished_prefix(deployment.output(MAPPING_OUTPUT)) if is_divided else ""
    return StoredFailures(deployment.client("s3"), deployment.output("ArchiveBucketName"), kind, key, excluded=excluded)


def unpublished_batches(deployment: Deployment, key: str | None = None) -> list[UnpublishedBatches]:
    """Return the unpublished batches, or the one with a key; older deployments have none."""
    if MAPPING_OUTPUT not in deployment.outputs:
        return []
    prefix = unpublished_prefix(deployment.output(MAPPING_OUTPUT))
    if key is not None and not key.startswith(prefix):
        return []
    s3, functions, bucket = deployment.client("s3"), deployment.client("lambda"), deployment.output("ArchiveBucketName")
    return [UnpublishedBatches(s3, functions, bucket, prefix, deployment.output(FUNCTION_OUTPUT), key)]


def count_records(source: DeadLetters | StoredFailures, max_opened: int | None = None) -> int:
    """Return how many failed records a source has; of dead letters, as SQS approximates it.

    Objects beyond `max_opened` count once.
    """
    if isinstance(source, DeadLetters):
        return source.count()
    if max_opened is None:
        return sum(1 for stored in source.objects() for _ in source.records(stored))
    return sum(failure.count for failure in source.failures(max_opened))
