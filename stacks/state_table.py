"""Create a table of the state."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from aftersend.config.environment import Environment
from aftersend.contract import EXPIRES, PARTITION_KEY, SORT_KEY
from stacks.removal import removal_policy


class StateTable(dynamodb.Table):
    """Items under a partition key and a sort key, some of which expire."""

    def __init__(
        self, scope: Construct, id: str, *, environment: Environment, stream: dynamodb.StreamViewType | None = None
    ) -> None:
        super().__init__(
            scope,
            id,
            partition_key=dynamodb.Attribute(name=PARTITION_KEY, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=SORT_KEY, type=dynamodb.AttributeType.STRING),
            time_to_live_attribute=EXPIRES,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            stream=stream,
            deletion_protection=environment.retain_state,
            removal_policy=removal_policy(environment),
        )
