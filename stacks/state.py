"""Keep tables, archive, hash key and contact list in a stack of their own, so that all else can be replaced."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import FEEDBACK_INDEXES
from stacks.acknowledgments import acknowledge
from stacks.archive_bucket import ArchiveBucket
from stacks.contact_list import SubscriberList
from stacks.names import construct_id
from stacks.outputs import add_outputs
from stacks.removal import removal_policy
from stacks.state_table import state_table

KEY_LENGTH = 64
"""Letters and digits of the hash key: more than the 256 bits that HMAC-SHA256 makes use of."""


class State(cdk.Stack):
    """Stateful resources. Those that an earlier deployment retained are used, and not created."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, **stack: Any) -> None:
        stack |= {"description": "Aftersend: tables and archive", "termination_protection": environment.retain_state}
        super().__init__(scope, id, **stack)
        existing = environment.existing_state
        self.ledger = state_table(
            self,
            "Ledger",
            environment=environment,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            existing=existing.ledger_table,
            existing_stream_arn=existing.ledger_stream_arn,
            warm_writes=environment.warm_throughput,
            is_recoverable=environment.ledger_recovery,
            indexes=FEEDBACK_INDEXES,
        )
        if not environment.ledger_recovery:
            acknowledge(self.ledger, "The archive, which is versioned, is replayed into a new ledger.", "DDB3")
        self.counters = state_table(
            self,
            "Counters",
            environment=environment,
            existing=existing.counters_table,
            warm_writes=environment.warm_throughput,
        )
        self.suppressions = state_table(
            self,
            "Suppressions",
            environment=environment,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            existing=existing.suppressions_table,
            existing_stream_arn=existing.suppressions_stream_arn,
        )
        self.archive = ArchiveBucket(self, "Archive", environment=environment)
        self.recipient_hash_key = _secret(self, "RecipientHashKey", environment)
        self._create_contact_lists(environment)
        if not any(isinstance(each, cdk.CfnResource) for each in self.node.find_all()):
            # The CDK deploys no stack without resources, and this one has outputs. A handle does nothing.
            cdk.CfnWaitConditionHandle(self, "EverythingWasRetained")
        self._add_outputs()

    def _create_contact_lists(self, environment: Environment) -> None:
        for name, settings in environment.contact_lists.items():
            if not settings.existing and not environment.is_emulated:  # its CloudFormation has no contact lists
                list_id = construct_id("ContactList", name)
                contacts = SubscriberList(self, list_id, name=name, settings=settings, environment=environment)
                # SES refuses a second list. No table may exist then: a protected one cannot be rolled back.
                for table in (self.ledger, self.counters, self.suppressions):
                    table.node.add_dependency(contacts)

    def _add_outputs(self) -> None:
        add_outputs(
            self,
            LedgerTableName=self.ledger.table_name,
            CountersTableName=self.counters.table_name,
            ArchiveBucketName=self.archive.bucket_name,
        )
        cdk.CfnOutput(
            self,
            "SuppressionsTableName",
            value=self.suppressions.table_name,
            description="Table with the suppression list: senders read it before they send (docs/suppression.md)",
        )
        cdk.CfnOutput(
            self,
            "RecipientHashKeySecretArn",
            value=self.recipient_hash_key.secret_arn,
            description="Secret with the hash key of forgotten recipients, for senders (docs/suppression.md)",
        )

    def grant_check(self, grantee: iam.IGrantable) -> None:
        """Allow a sender's role to find out whether recipients are suppressed (`aftersend.check`)."""
        self.suppressions.grant(grantee, "dynamodb:BatchGetItem", "dynamodb:Query")
        self.recipient_hash_key.grant_read(grantee)

    def hash_key_statement(self) -> iam.PolicyStatement:
        """Return the permission to read the hash key of forgotten recipients, and nothing else about the secret."""
        return iam.PolicyStatement(
            actions=["secretsmanager:GetSecretValue"], resources=[self.recipient_hash_key.secret_arn]
        )


def _secret(scope: Construct, id: str, environment: Environment) -> secretsmanager.ISecret:
    """Return the secret with the hash key of forgotten recipients, or the one that an earlier deployment retained."""
    if existing := environment.existing_state.recipient_hash_key_secret_arn:
        return secretsmanager.Secret.from_secret_complete_arn(scope, id, existing)
    secret = secretsmanager.Secret(
        scope,
        id,
        description="Aftersend: hash key of forgotten recipients. With another key, their suppression is lost.",
        # Never change how it is generated: CloudFormation would generate another key (AWS::SecretsManager::Secret).
        generate_secret_string=secretsmanager.SecretStringGenerator(
            password_length=KEY_LENGTH, exclude_punctuation=True
        ),
        removal_policy=removal_policy(environment),
    )
    acknowledge(secret, "With another key, the hashes of forgotten recipients could not be looked up.", "SMG4")
    resource = secret.node.default_child
    assert isinstance(resource, secretsmanager.CfnSecret)
    # By its attribute: on the emulator, a reference to a secret is its name and no ARN, which policies need.
    return secretsmanager.Secret.from_secret_complete_arn(scope, f"{id}ByArn", resource.attr_id)
