"""Connect the ledger's stream to the counters: count_tags moves them by what is new."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from aftersend.config.environment import Environment
from aftersend.contract import Variable
from stacks.acknowledgments import acknowledge
from stacks.alarms import Alarms
from stacks.counting_alarms import CountingAlarms
from stacks.function import HandlerFunction, to_json
from stacks.state import State

BATCH_SIZE = 1_000
"""Changes of the ledger that are counted together: the larger the batch, the fewer items are written for it."""

WINDOW = cdk.Duration.seconds(10)
"""Nothing is aggregated over the window, but Lambda names the shard of a batch only where a tumbling window is set."""

RETRIES = 10
"""How often a batch is retried before it is written to the archive bucket and left out."""


class Counting(Construct):
    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, alarms: Alarms) -> None:
        super().__init__(scope, id)
        counter = HandlerFunction(
            self,
            "CountTags",
            file="count_tags",
            description="Moves the per-tag counters by what is new in the ledger",
            environment=environment,
            settings={
                Variable.COUNTERS_TABLE: state.counters.table_name,
                Variable.COUNTER_SHARDS: to_json(environment.counter_shards),
                Variable.COUNTED: to_json(environment.counted),
                Variable.RETENTION: to_json(environment.retention),
                Variable.ENVIRONMENT: environment.name,
                **({Variable.EMULATED: to_json(True)} if environment.is_emulated else {}),
            },
        )
        state.counters.grant(counter.function, "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem")
        counter.function.add_event_source(_changes(state))
        acknowledge(counter, "ListStreams has no resource type.", "IAM5[Resource::*]")
        state.archive.acknowledge_writer(counter)
        CountingAlarms(self, "Alarms", counter=counter, alarms=alarms)


def _changes(state: State) -> sources.DynamoEventSource:
    """Read the ledger's stream in order, shard by shard, without removals: expiry does not count backwards."""
    return sources.DynamoEventSource(
        state.ledger,
        starting_position=lambda_.StartingPosition.TRIM_HORIZON,
        batch_size=BATCH_SIZE,
        tumbling_window=WINDOW,
        parallelization_factor=1,
        bisect_batch_on_error=True,
        retry_attempts=RETRIES,
        on_failure=sources.S3OnFailureDestination(state.archive),  # ty: ignore[invalid-argument-type] (jsii)
        filters=[lambda_.FilterCriteria.filter({"eventName": lambda_.FilterRule.or_("INSERT", "MODIFY")})],
    )
