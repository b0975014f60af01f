"""Connect the stream of the suppressions table to an event bus: publish_suppressions publishes what changes."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import UNPUBLISHABLE_CHANGES, Variable
from stacks.alarms import Alarms
from stacks.function import HandlerFunction, to_json
from stacks.state import State
from stacks.table_changes import TableChanges

BATCH_SIZE = 100
"""Changes of entries that one invocation publishes: ten requests to EventBridge."""


class SuppressionEvents(Construct):
    """The event bus of the environment and the function that publishes to it. Rules on the bus are the subscribers'."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, alarms: Alarms) -> None:
        super().__init__(scope, id)
        self.bus = events.EventBus(self, "Bus", description="Aftersend: changes of the suppression list")
        publisher = HandlerFunction(
            self,
            "PublishSuppressions",
            file="publish_suppressions",
            description="Publishes changes of the suppression list as events",
            environment=environment,
            settings={
                Variable.ENVIRONMENT: environment.name,
                Variable.EVENT_BUS: self.bus.event_bus_name,
                Variable.HASH_KEY_SECRET: state.recipient_hash_key.secret_arn,
                Variable.POLICY: to_json(environment.suppression),
                Variable.INCLUDE_ADDRESS: to_json(environment.suppression_events.include_address),
            },
        )
        self.bus.grant_put_events_to(publisher.function)
        state.recipient_hash_key.grant_read(publisher.function)
        changes = TableChanges(
            self,
            "Changes",
            table=state.suppressions,
            archive=state.archive,
            function=publisher.function,
            batch_size=BATCH_SIZE,
            report_failures=True,
        )
        self.function, self.mapping_id = publisher.function, changes.mapping_id
        self._watch(alarms, changes)
        cdk.CfnOutput(
            cdk.Stack.of(self),
            "SuppressionEventBusArn",
            value=self.bus.event_bus_arn,
            description="Event bus with changes of the suppression list, for rules (docs/suppression.md)",
        )

    def _watch(self, alarms: Alarms, changes: TableChanges) -> None:
        alarms.watch(
            self,
            SuppressionEventsLate=self.function.metric("IteratorAge", statistic="Maximum"),
            # Not the function's errors: a batch of which some records failed is none ("Event source mapping metrics").
            SuppressionEventsFailed=changes.metric("FailedInvokeEventCount"),
            SuppressionEventsDiscarded=changes.metric("OnFailureDestinationDeliveredEventCount"),
            SuppressionEventsDropped=changes.metric("DroppedEventCount"),
            UnpublishableChanges=alarms.own_metric(UNPUBLISHABLE_CHANGES, "Sum"),
        )
