"""Notify of dead letters and late messages of a queue."""

import aws_cdk as cdk
from constructs import Construct

from stacks.alarms import Alarms
from stacks.queue import RETENTION, ConsumerQueue
from stacks.threshold_alarm import ThresholdAlarm

PERIOD = cdk.Duration.minutes(5)
LATE = cdk.Duration.minutes(15)


class QueueAlarms(Construct):
    """Notify of dead letters and of messages that wait too long. Ids of the alarms begin with the route's name."""

    def __init__(self, scope: Construct, id: str, *, route: str, queues: ConsumerQueue, alarms: Alarms) -> None:
        super().__init__(scope, id)
        function_name = queues.consumer.function.function_name
        dead_letters = queues.dead_letter_queue.metric_approximate_number_of_messages_visible(
            period=PERIOD, statistic="Maximum"
        )
        ThresholdAlarm(
            self,
            f"{route}DeadLetters",
            alarms=alarms,
            metric=dead_letters,
            threshold=0,
            description=f"{function_name} could not handle messages. They are in the dead-letter queue "
            f"{queues.dead_letter_queue.queue_name}. Read the function's logs first, remove the cause, then redrive "
            f"the messages. SQS deletes them {RETENTION.to_days():.0f} days after they were sent.",
        )
        ThresholdAlarm(
            self,
            f"{route}Late",
            alarms=alarms,
            metric=queues.queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum"),
            threshold=LATE.to_seconds(),
            periods=3,
            description=f"Messages have waited in {queues.queue.queue_name} for more than {LATE.to_minutes():.0f} "
            f"minutes. Check first whether {function_name} fails. If it does not, it cannot keep up: raise "
            f"functions.{route.lower()}_max_concurrency in the environment file.",
        )
