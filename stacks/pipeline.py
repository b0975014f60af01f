"""Connect SES to the tables: two routes that record events, counting, and events of the suppression list."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from aftersend.config import Environment, Severity
from stacks.account_list_sync import AccountListSync
from stacks.alarms import Alarms
from stacks.archive_route import ArchiveRoute
from stacks.count_check import CountComparison
from stacks.counting import Counting
from stacks.feedback_route import FeedbackRoute
from stacks.operator_policies import OperatorPolicies
from stacks.outputs import add_outputs
from stacks.reports import Reports
from stacks.reputation_watch import ReputationWatch
from stacks.state import State
from stacks.suppression_events import SuppressionEvents
from stacks.suppression_sweep import SuppressionSweep
from stacks.topic_encryption import TopicEncryption


class Pipeline(cdk.Stack):
    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, **stack: Any) -> None:
        super().__init__(scope, id, description="Aftersend: from events to suppressions and counts", **stack)
        key = TopicEncryption(self, "TopicEncryption", environment=environment).key
        alarms = Alarms(self, "Alarms", environment=environment, key=key)
        feedback = FeedbackRoute(self, "Feedback", environment=environment, state=state, alarms=alarms, key=key)
        archive = ArchiveRoute(self, "Archive", environment=environment, state=state, alarms=alarms)
        self.counting = Counting(self, "Counting", environment=environment, state=state, alarms=alarms)
        self.suppression_events = SuppressionEvents(
            self, "SuppressionEvents", environment=environment, state=state, alarms=alarms
        )
        AccountListSync(self, "AccountList", environment=environment, state=state, alarms=alarms)
        CountComparison(self, "Counts", environment=environment, state=state, alarms=alarms)
        SuppressionSweep(self, "Sweep", environment=environment, state=state, alarms=alarms)
        ReputationWatch(self, "Reputation", environment=environment, state=state, alarms=alarms)
        self.reports = Reports(self, "Reports", environment=environment, archive=state.archive)
        self.policies = OperatorPolicies(
            self,
            "Policies",
            environment=environment,
            state=state,
            alarms=alarms,
            feedback=feedback,
            archive=archive,
            publisher=self.suppression_events.function,
            counting=self.counting,
            reports=self.reports,
        )
        self.alarms, self.feedback, self.archive = alarms, feedback, archive
        self._add_outputs(self.policies)
        self._keep_exports()

    def _add_outputs(self, policies: OperatorPolicies) -> None:
        """Add the outputs that people and the command `aftersend` read."""
        add_outputs(
            self,
            AlarmTopicArn=self.alarms.topics[Severity.PAGE].topic_arn,
            TicketTopicArn=self.alarms.topics[Severity.TICKET].topic_arn,
            FeedbackTopicArn=self.feedback.topic.topic_arn,
            FeedbackQueueUrl=self.feedback.queues.queue.queue_url,
            FeedbackDeadLetterQueueUrl=self.feedback.queues.dead_letter_queue.queue_url,
            FeedbackSubscriptionDeadLetterQueueUrl=self.feedback.subscription_dead_letter_queue.queue_url,
            ArchiveQueueUrl=self.archive.queues.queue.queue_url,
            ArchiveDeadLetterQueueUrl=self.archive.queues.dead_letter_queue.queue_url,
            RecordFeedbackFunctionName=self.feedback.recorder.function.function_name,
            CountTagsFunctionName=self.counting.function.function_name,
            CountTagsMappingId=self.counting.mapping_id,
            PublishSuppressionsFunctionName=self.suppression_events.function.function_name,
            PublishSuppressionsMappingId=self.suppression_events.mapping_id,
            ReportsWorkGroupName=self.reports.work_group_name,
            ReportsDatabaseName=self.reports.database_name,
            ReaderPolicyArn=policies.reader.managed_policy_arn,
            OperatorPolicyArn=policies.operator.managed_policy_arn,
        )

    def _keep_exports(self) -> None:
        """Export what Publishing uses, even while it does not, as when no `archive` lists an event.

        This stack is deployed first, and CloudFormation does not remove an export that is still in use.
        """
        for topic in (self.feedback.topic, *self.alarms.topics.values()):
            self.export_value(topic.topic_arn)
        self.export_value(self.archive.stream.delivery_stream_arn)
