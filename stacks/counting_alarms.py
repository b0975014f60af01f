"""Notify when counting is late or fails."""

import aws_cdk as cdk
from constructs import Construct

from aftersend.contract import FAILED_BATCHES_PREFIX
from stacks.alarms import Alarms
from stacks.function import HandlerFunction
from stacks.threshold_alarm import ThresholdAlarm

PERIOD = cdk.Duration.minutes(5)
LATE = cdk.Duration.minutes(15)


class CountingAlarms(Construct):
    """Notify when the counters fall behind the ledger, and when counting fails."""

    def __init__(self, scope: Construct, id: str, *, counter: HandlerFunction, alarms: Alarms) -> None:
        super().__init__(scope, id)
        name = counter.function.function_name
        ThresholdAlarm(
            self,
            "CountingLate",
            alarms=alarms,
            metric=counter.function.metric("IteratorAge", period=PERIOD, statistic="Maximum"),
            threshold=LATE.to_milliseconds(),
            periods=3,
            description=f"The counters are more than {LATE.to_minutes():.0f} minutes behind the ledger. Check first "
            f"whether {name} fails. The ledger's stream drops changes after 24 hours: those are never counted.",
        )
        ThresholdAlarm(
            self,
            "CountingFailed",
            alarms=alarms,
            metric=counter.function.metric_errors(period=PERIOD),
            threshold=0,
            periods=3,
            description=f"{name} has failed for 15 minutes. Read its logs first. After its last retry "
            f"Lambda writes a batch to the archive bucket, below {FAILED_BATCHES_PREFIX}, and leaves it uncounted.",
        )
