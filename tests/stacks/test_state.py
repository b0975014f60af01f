import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import msgspec
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from aftersend.config.environment import ContactList, ExistingState
from aftersend.config.loader import load
from stacks.state import State
from tests.stacks.conftest import CONTEXT, build_stacks

ADOPTABLE = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret")
STATEFUL = (*ADOPTABLE, "AWS::SES::ContactList")


@pytest.fixture(scope="session")
def resources(templates: dict[str, Template]) -> dict[str, Any]:
    return templates["State"].to_json()["Resources"]


def test_stateful_resources_keep_their_logical_ids(resources: dict[str, Any]):
    """Another logical id is another resource: CloudFormation would begin with an empty one."""
    assert {name for name, resource in resources.items() if resource["Type"] in STATEFUL} == {
        "LedgerB7379752",
        "CountersFDB211E7",
        "SuppressionsB3B49391",
        "ArchiveDA4CB258",
        "RecipientHashKey2DF1B59C",
        "ContactListreadersa90d7d8a",
    }


def test_stateful_resources_outlive_their_stack_but_not_a_first_deployment_that_is_rolled_back(
    resources: dict[str, Any],
):
    """What is left of one is empty, and would be in the way: SES allows one contact list."""
    stateful = [resource for resource in resources.values() if resource["Type"] in STATEFUL]
    policies = {(resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) for resource in stateful}
    assert policies == {("RetainExceptOnCreate", "Retain")}


def test_tables_are_created_once_the_contact_list_is(resources: dict[str, Any]):
    """SES refuses a second list. No table may exist then: a protected one cannot be rolled back."""
    tables = [resource for resource in resources.values() if resource["Type"] == "AWS::DynamoDB::Table"]
    assert [table["DependsOn"] for table in tables] == 3 * [["ContactListreadersa90d7d8a"]]


def test_ledger_alone_has_the_indexes_of_feedback(resources: dict[str, Any]):
    indexes = {
        (name, index["IndexName"], *(key["AttributeName"] for key in index["KeySchema"]))
        for name, resource in resources.items()
        for index in resource.get("Properties", {}).get("GlobalSecondaryIndexes", ())
    }
    assert indexes == {
        ("LedgerB7379752", "feedback-by-message", "message_id", "feedback_day"),
        ("LedgerB7379752", "feedback-by-day", "feedback_day", "sent_at"),
    }


def recoverable(template: Template) -> dict[str, bool]:
    """Return whether each table has point-in-time recovery, which is set in any case."""
    return {
        name: table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        for name, table in template.find_resources("AWS::DynamoDB::Table").items()
    }


def test_counters_and_suppressions_can_be_recovered_and_the_ledger_where_the_environment_asks_for_it(
    templates: dict[str, Template], full_templates: dict[str, Template]
):
    others = {"CountersFDB211E7": True, "SuppressionsB3B49391": True}
    assert recoverable(templates["State"]) == others | {"LedgerB7379752": False}
    assert recoverable(full_templates["State"]) == others | {"LedgerB7379752": True}


def test_tables_are_not_deleted_by_mistake_and_expire_items(templates: dict[str, Template]):
    templates["State"].all_resources_properties(
        "AWS::DynamoDB::Table",
        {
            "DeletionProtectionEnabled": True,
            "BillingMode": "PAY_PER_REQUEST",
            "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
        },
    )


def test_ledger_and_counters_have_the_warm_throughput_that_is_set(tmp_path: Path):
    environment = msgspec.structs.replace(load("dev"), warm_throughput=12_000)
    app = cdk.App(context=CONTEXT, outdir=str(tmp_path))
    tables = Template.from_stack(State(app, "State", environment=environment)).find_resources("AWS::DynamoDB::Table")
    warm = {name: table["Properties"].get("WarmThroughput") for name, table in tables.items()}
    writes = {"WriteUnitsPerSecond": 12_000}
    assert warm == {"LedgerB7379752": writes, "CountersFDB211E7": writes, "SuppressionsB3B49391": None}


def test_ledger_and_suppressions_stream_both_images(resources: dict[str, Any]):
    streams = {name: resource["Properties"].get("StreamSpecification") for name, resource in resources.items()}
    assert {name: stream for name, stream in streams.items() if stream} == {
        "LedgerB7379752": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
        "SuppressionsB3B49391": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


def test_archive_is_private_and_overwritten_objects_can_be_recovered(templates: dict[str, Template]):
    public = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    templates["State"].has_resource_properties(
        "AWS::S3::Bucket",
        {"PublicAccessBlockConfiguration": public, "VersioningConfiguration": {"Status": "Enabled"}},
    )


def test_hash_key_is_generated_once_and_for_all(templates: dict[str, Template]):
    """CloudFormation generates another key when any of this changes; then forgotten recipients would get mail again."""
    [secret] = templates["State"].find_resources("AWS::SecretsManager::Secret").values()
    assert secret["Properties"]["GenerateSecretString"] == {"PasswordLength": 64, "ExcludePunctuation": True}
    assert not {"SecretString", "Name"} & secret["Properties"].keys()
    templates["State"].resource_count_is("AWS::SecretsManager::RotationSchedule", 0)


def test_no_other_stack_has_tables_buckets_or_secrets(templates: dict[str, Template]):
    for name in ("Pipeline", "Publishing", "Dashboard"):
        for stateful in STATEFUL:
            templates[name].resource_count_is(stateful, 0)


def test_state_that_is_not_retained_is_deleted_with_its_stack(tmp_path: Path):
    app = cdk.App(context=CONTEXT, outdir=str(tmp_path))
    state = Template.from_stack(State(app, "State", environment=load("dev")))
    resources = [resource for resource in state.to_json()["Resources"].values() if resource["Type"] in STATEFUL]
    assert {resource["DeletionPolicy"] for resource in resources} == {"Delete"}
    state.resource_count_is("Custom::S3AutoDeleteObjects", 1)


RETAINED = {
    "ledger_table": "Shop-Ledger",
    "ledger_stream_arn": "arn:aws:dynamodb:eu-west-1:222222222222:table/Shop-Ledger/stream/2026-01-01T00:00:00.000",
    "counters_table": "Shop-Counters",
    "suppressions_table": "Shop-Suppressions",
    "suppressions_stream_arn": "arn:aws:dynamodb:eu-west-1:222222222222:table/Shop-Suppressions/stream/2026-01-01T00",
    "archive_bucket": "shop-archive",
    "recipient_hash_key_secret_arn": "arn:aws:secretsmanager:eu-west-1:222222222222:secret:ShopHashKey-a1B2c3",
}
LOGICAL_IDS = {
    "ledger_table": "LedgerB7379752",
    "counters_table": "CountersFDB211E7",
    "suppressions_table": "SuppressionsB3B49391",
    "archive_bucket": "ArchiveDA4CB258",
    "recipient_hash_key_secret_arn": "RecipientHashKey2DF1B59C",
}


def adopt(folder: Path, **existing: str) -> dict[str, Template]:
    """Return the templates of prod with state that an earlier deployment retained."""
    prod = msgspec.structs.replace(load("prod"), existing_state=ExistingState(**existing))
    return {name: Template.from_stack(stack) for name, stack in build_stacks(prod, folder).items()}


@pytest.mark.slow
@pytest.mark.parametrize("key", LOGICAL_IDS)
def test_table_bucket_or_secret_that_was_retained_is_used_instead_of_a_new_one(key: str, tmp_path: Path):
    named = {name: value for name, value in RETAINED.items() if name.startswith(key.partition("_")[0])}
    templates = adopt(tmp_path, **named)
    stateful = [name for name, each in templates["State"].to_json()["Resources"].items() if each["Type"] in ADOPTABLE]
    assert {*stateful} == {*LOGICAL_IDS.values()} - {LOGICAL_IDS[key]}
    outputs = [output["Value"] for output in templates["State"].find_outputs("*").values()]
    assert named[key] in outputs


@pytest.mark.slow
def test_functions_and_policies_use_the_retained_state(tmp_path: Path):
    """Nothing is created, imported or granted but what was retained."""
    templates = adopt(tmp_path, **RETAINED)
    assert not [each for each in templates["State"].to_json()["Resources"].values() if each["Type"] in ADOPTABLE]
    pipeline = templates["Pipeline"]
    text = json.dumps(pipeline.to_json())
    assert "Aftersend-prod-State" not in text.replace("stack/Aftersend-prod-State/*", "")
    for key in ("ledger_stream_arn", "suppressions_stream_arn"):
        pipeline.has_resource_properties("AWS::Lambda::EventSourceMapping", {"EventSourceArn": RETAINED[key]})
    for resource in ("table/Shop-Ledger", "table/Shop-Counters", "table/Shop-Suppressions", ":::shop-archive/events/*"):
        assert resource in text


@pytest.mark.slow
def test_stack_of_which_everything_was_retained_is_still_deployed(tmp_path: Path):
    """The commands read its outputs, and the CDK deletes a stack that has no resources."""
    lists = {"readers": ContactList(existing=True)}
    prod = msgspec.structs.replace(load("prod"), existing_state=ExistingState(**RETAINED), contact_lists=lists)
    state = Template.from_stack(build_stacks(prod, tmp_path)["State"]).to_json()
    assert [each["Type"] for each in state["Resources"].values()] == ["AWS::CloudFormation::WaitConditionHandle"]


def test_sender_may_read_the_hash_key_that_was_retained(tmp_path: Path):
    arn = RETAINED["recipient_hash_key_secret_arn"]
    prod = msgspec.structs.replace(load("prod"), existing_state=ExistingState(recipient_hash_key_secret_arn=arn))
    state = State(cdk.App(context=CONTEXT, outdir=str(tmp_path)), "State", environment=prod)
    state.grant_check(iam.Role.from_role_arn(state, "Sender", "arn:aws:iam::222222222222:role/shop"))
    [policy] = Template.from_stack(state).find_resources("AWS::IAM::Policy").values()
    assert arn in [statement["Resource"] for statement in policy["Properties"]["PolicyDocument"]["Statement"]]


@pytest.mark.slow
def test_contact_list_that_was_retained_is_not_created_again(tmp_path: Path):
    prod = msgspec.structs.replace(load("prod"), contact_lists={"readers": ContactList(existing=True)})
    for stack in build_stacks(prod, tmp_path).values():
        Template.from_stack(stack).resource_count_is("AWS::SES::ContactList", 0)
