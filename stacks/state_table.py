"""Create a table of the state, or use one that an earlier deployment retained."""

from collections.abc import Mapping

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import EXPIRES, PARTITION_KEY, SORT_KEY
from stacks.removal import removal_policy


def state_table(
    scope: Construct,
    id: str,
    *,
    environment: Environment,
    existing: str | None,
    stream: dynamodb.StreamViewType | None = None,
    existing_stream_arn: str | None = None,
    warm_writes: int | None = None,
    is_recoverable: bool = True,
    indexes: Mapping[str, tuple[str, str]] | None = None,
) -> dynamodb.ITable:
    """Return a table with a partition key and a sort key, some of whose items expire. `warm_writes` are the writes a
    second that it takes at once; without them, DynamoDB's default. `is_recoverable` is its point-in-time recovery.
    `indexes` are global secondary indexes with all attributes, by name: partition and sort key, which are texts."""
    if existing:
        return dynamodb.Table.from_table_attributes(
            scope, id, table_name=existing, table_stream_arn=existing_stream_arn
        )
    table = dynamodb.Table(
        scope,
        id,
        partition_key=dynamodb.Attribute(name=PARTITION_KEY, type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name=SORT_KEY, type=dynamodb.AttributeType.STRING),
        time_to_live_attribute=EXPIRES,
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=is_recoverable
        ),
        stream=stream,
        warm_throughput=dynamodb.WarmThroughput(write_units_per_second=warm_writes)
        if warm_writes and not environment.is_emulated
        else None,
        deletion_protection=environment.retain_state,
        removal_policy=removal_policy(environment),
    )
    _add_indexes(table, indexes or {})
    return table


def _add_indexes(table: dynamodb.Table, indexes: Mapping[str, tuple[str, str]]) -> None:
    """Add indexes by their L1 properties: with those of the L2, every grant would allow its actions on all indexes."""
    resource = table.node.default_child
    assert isinstance(resource, dynamodb.CfnTable)
    if not indexes:
        return
    keys = {PARTITION_KEY, SORT_KEY}.union(*indexes.values())
    resource.attribute_definitions = [
        dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name=name, attribute_type="S") for name in sorted(keys)
    ]
    resource.global_secondary_indexes = [
        dynamodb.CfnTable.GlobalSecondaryIndexProperty(
            index_name=name,
            key_schema=[
                dynamodb.CfnTable.KeySchemaProperty(attribute_name=partition, key_type="HASH"),
                dynamodb.CfnTable.KeySchemaProperty(attribute_name=sort, key_type="RANGE"),
            ],
            projection=dynamodb.CfnTable.ProjectionProperty(projection_type="ALL"),
        )
        for name, (partition, sort) in indexes.items()
    ]
