"""Invoke the function that counts with the changes of the ledger."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from aftersend.contract import FAILED_BATCHES_PREFIX
from stacks.acknowledgments import acknowledge
from stacks.state import State

BATCH_SIZE = 1_000
"""Changes of the ledger that are counted together: the larger the batch, the fewer items are written for it."""

WINDOW = cdk.Duration.seconds(10)
"""Nothing is aggregated over the window, but Lambda names the shard of a batch only where a tumbling window is set."""

MAX_RECORD_AGE = cdk.Duration.hours(20)
"""How old a change may become. A batch that fails is retried until then, however often, and then written to the archive
bucket and skipped. The stream itself silently drops changes after 24 hours."""


class LedgerChanges(Construct):
    """The mapping that reads the ledger's stream in order, shard by shard, but no removals: expiry does not count."""

    def __init__(self, scope: Construct, id: str, *, state: State, function: lambda_.Function) -> None:
        super().__init__(scope, id)
        state.ledger.grant_stream_read(function)
        acknowledge(function, "ListStreams has no resource type.", "IAM5[Resource::*]")
        # What Lambda needs to write batches ("Retaining discarded records for a DynamoDB event source").
        state.archive.grant_objects(function, "s3:PutObject", prefix=FAILED_BATCHES_PREFIX)
        state.archive.grant_listing(function)
        self._mapping = lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=function,  # ty: ignore[invalid-argument-type] (jsii)
            event_source_arn=state.ledger.table_stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=BATCH_SIZE,
            tumbling_window=WINDOW,
            parallelization_factor=1,
            bisect_batch_on_error=True,
            retry_attempts=-1,  # without limit
            max_record_age=MAX_RECORD_AGE,
            metrics_config=lambda_.MetricsConfig(metrics=[lambda_.MetricType.EVENT_COUNT]),
            filters=[lambda_.FilterCriteria.filter({"eventName": lambda_.FilterRule.or_("INSERT", "MODIFY")})],
        )
        # Not by the CDK's own class for a bucket as destination: it lets the function read and delete everything.
        resource = self._mapping.node.default_child
        assert isinstance(resource, lambda_.CfnEventSourceMapping)
        resource.add_property_override("DestinationConfig.OnFailure.Destination", state.archive.bucket_arn)

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return a sum that Lambda publishes of a mapping with `metrics_config` ("Event source mapping metrics")."""
        return cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name=name,
            dimensions_map={"EventSourceMappingUUID": self._mapping.event_source_mapping_id},
            statistic="Sum",
        )
