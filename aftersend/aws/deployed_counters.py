"""Read the counters of a deployment."""

from aftersend.aws.counters_table import CountersTable
from aftersend.aws.deployment import Deployment
from aftersend.operations.parallel import in_parallel


def deployed_counters(deployment: Deployment) -> CountersTable:
    """Return the counters of a deployment, which are read several partitions at a time."""
    table = deployment.output("CountersTableName")
    return CountersTable(deployment.client("dynamodb"), table, each=in_parallel)
