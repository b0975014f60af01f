"""Connect the ledger's stream to the counters: count_tags adds the contributions of new items."""

import aws_cdk as cdk
from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import UNCOUNTABLE_RECORDS, Variable
from stacks.alarms import Alarms
from stacks.function import HandlerFunction, to_json
from stacks.state import State
from stacks.table_changes import TableChanges

BATCH_SIZE = 4_000
"""Changes of the ledger that are counted together at most: the more, the fewer items are written for them. Lambda also
cuts a batch at 6 MB, its limit for a payload."""

TUMBLING_WINDOW = cdk.Duration.minutes(15)
"""Nothing is aggregated over the window, but Lambda names the shard of a batch only where a tumbling window is set. No
batch reaches over its end, so it is as long as Lambda allows."""


class Counting(Construct):
    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, alarms: Alarms) -> None:
        super().__init__(scope, id)
        counter = HandlerFunction(
            self,
            "CountTags",
            file="count_tags",
            description="Updates the per-tag counters from changes in the ledger",
            environment=environment,
            settings={
                Variable.COUNTERS_TABLE: state.counters.table_name,
                Variable.COUNTED: to_json(environment.counted),
                Variable.RETENTION: to_json(environment.retention),
                Variable.ENVIRONMENT: environment.name,
                **({Variable.EMULATED: to_json(True)} if environment.is_emulated else {}),
            },
        )
        state.counters.grant(counter.function, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
        changes = TableChanges(
            self,
            "Changes",
            table=state.ledger,
            archive=state.archive,
            function=counter.function,
            batch_size=BATCH_SIZE,
            batching_window=cdk.Duration.seconds(environment.counting_window_seconds),
            tumbling_window=TUMBLING_WINDOW,
        )
        alarms.watch(
            self,
            CountingLate=counter.function.metric("IteratorAge", statistic="Maximum"),
            CountingFailed=counter.function.metric_errors(),
            CountingDiscarded=changes.metric("OnFailureDestinationDeliveredEventCount"),
            CountingDropped=changes.metric("DroppedEventCount"),
            UncountableRecords=alarms.own_metric(UNCOUNTABLE_RECORDS, "Sum"),
        )
        self.function, self.mapping_arn, self.mapping_id = counter.function, changes.mapping_arn, changes.mapping_id
