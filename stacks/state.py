"""Keep the tables and the archive in a stack of their own, so that everything else can be replaced."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from aftersend.config.environment import Environment
from stacks.archive_bucket import ArchiveBucket
from stacks.outputs import add_outputs
from stacks.state_table import StateTable


class State(cdk.Stack):
    """The tables and the archive."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, **stack: Any) -> None:
        stack |= {"description": "Aftersend: tables and archive", "termination_protection": environment.retain_state}
        super().__init__(scope, id, **stack)
        images = dynamodb.StreamViewType.NEW_AND_OLD_IMAGES
        self.ledger = StateTable(self, "Ledger", environment=environment, stream=images)
        self.counters = StateTable(self, "Counters", environment=environment)
        self.suppressions = StateTable(self, "Suppressions", environment=environment)
        self.archive = ArchiveBucket(self, "Archive", environment=environment)
        add_outputs(
            self,
            LedgerTableName=self.ledger.table_name,
            CountersTableName=self.counters.table_name,
            SuppressionsTableName=self.suppressions.table_name,
            ArchiveBucketName=self.archive.bucket_name,
        )
