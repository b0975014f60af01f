"""Invoke a function with the changes of a table."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from aftersend.contract import FAILED_BATCHES_PREFIX
from stacks.acknowledgments import acknowledge
from stacks.archive_bucket import ArchiveBucket

MAX_RECORD_AGE = cdk.Duration.hours(20)
"""How old a change may become. A batch that fails is retried until then, however often, and then written to the archive
bucket and skipped. The stream itself silently drops changes after 24 hours."""


class TableChanges(Construct):
    """The mapping that reads a table's stream in order, shard by shard, but no removals."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        table: dynamodb.ITable,
        archive: ArchiveBucket,
        function: lambda_.Function,
        batch_size: int,
        batching_window: cdk.Duration | None = None,
        tumbling_window: cdk.Duration | None = None,
        report_failures: bool = False,
    ) -> None:
        super().__init__(scope, id)
        table.grant_stream_read(function)
        acknowledge(function, "ListStreams has no resource type.", "IAM5[Resource::*]")
        # What Lambda needs to write batches ("Retaining discarded records for a DynamoDB event source").
        archive.grant_objects(function, "s3:PutObject", prefix=FAILED_BATCHES_PREFIX)
        archive.grant_listing(function)
        self._mapping = lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=function,  # ty: ignore[invalid-argument-type] (jsii)
            event_source_arn=table.table_stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=batch_size,
            max_batching_window=batching_window if batching_window and batching_window.to_seconds() else None,
            tumbling_window=tumbling_window,
            report_batch_item_failures=report_failures or None,
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
        resource.add_property_override("DestinationConfig.OnFailure.Destination", archive.bucket_arn)

    @property
    def mapping_id(self) -> str:
        """Return the id of the mapping, which is part of the keys of failed batches."""
        return self._mapping.event_source_mapping_id

    @property
    def mapping_arn(self) -> str:
        return self._mapping.event_source_mapping_arn

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return a sum that Lambda publishes of a mapping with `metrics_config` ("Event source mapping metrics")."""
        return cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name=name,
            dimensions_map={"EventSourceMappingUUID": self._mapping.event_source_mapping_id},
            statistic="Sum",
        )
