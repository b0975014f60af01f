from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from aftersend.config.loader import load
from tests.stacks.conftest import stacks_of

STATEFUL = ("AWS::DynamoDB::Table", "AWS::S3::Bucket")


@pytest.fixture(scope="session")
def resources(templates: dict[str, Template]) -> dict[str, Any]:
    return templates["State"].to_json()["Resources"]


def test_what_is_worth_keeping_keeps_its_logical_id(resources: dict[str, Any]):
    """Another logical id is another resource: CloudFormation would begin with an empty one."""
    assert {name for name, found in resources.items() if found["Type"] in STATEFUL} == {
        "LedgerB7379752",
        "CountersFDB211E7",
        "SuppressionsB3B49391",
        "ArchiveDA4CB258",
    }


def test_what_is_worth_keeping_outlives_its_stack(resources: dict[str, Any]):
    kept = [found for found in resources.values() if found["Type"] in STATEFUL]
    assert {(found["DeletionPolicy"], found["UpdateReplacePolicy"]) for found in kept} == {("Retain", "Retain")}


def test_tables_can_be_recovered_and_are_not_deleted_by_mistake(templates: dict[str, Template]):
    templates["State"].all_resources_properties(
        "AWS::DynamoDB::Table",
        {
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "DeletionProtectionEnabled": True,
            "BillingMode": "PAY_PER_REQUEST",
            "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
        },
    )


def test_the_ledger_streams_both_images(templates: dict[str, Template]):
    templates["State"].has_resource_properties(
        "AWS::DynamoDB::Table", {"StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"}}
    )


def test_the_archive_is_private_and_what_is_overwritten_can_be_recovered(templates: dict[str, Template]):
    public = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    templates["State"].has_resource_properties(
        "AWS::S3::Bucket",
        {"PublicAccessBlockConfiguration": public, "VersioningConfiguration": {"Status": "Enabled"}},
    )


def test_everything_worth_keeping_is_in_this_stack(templates: dict[str, Template]):
    for name in ("Pipeline", "Publishing", "Dashboard"):
        for stateful in STATEFUL:
            templates[name].resource_count_is(stateful, 0)


def test_what_is_not_to_be_kept_goes_with_its_stack(tmp_path: Path):
    state = Template.from_stack(stacks_of(load("dev"), tmp_path)["State"])
    kept = {found["DeletionPolicy"] for found in state.to_json()["Resources"].values() if found["Type"] in STATEFUL}
    assert kept == {"Delete"}
    state.resource_count_is("Custom::S3AutoDeleteObjects", 1)
