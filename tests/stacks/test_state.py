from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from aftersend.config.loader import load
from stacks.state import State
from tests.stacks.conftest import CONTEXT

STATEFUL = ("AWS::DynamoDB::Table", "AWS::S3::Bucket")


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
    }


def test_stateful_resources_outlive_their_stack(resources: dict[str, Any]):
    stateful = [resource for resource in resources.values() if resource["Type"] in STATEFUL]
    policies = {(resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) for resource in stateful}
    assert policies == {("Retain", "Retain")}


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


def test_ledger_streams_both_images(templates: dict[str, Template]):
    templates["State"].has_resource_properties(
        "AWS::DynamoDB::Table", {"StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"}}
    )


def test_archive_is_private_and_overwritten_objects_can_be_recovered(templates: dict[str, Template]):
    public = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    templates["State"].has_resource_properties(
        "AWS::S3::Bucket",
        {"PublicAccessBlockConfiguration": public, "VersioningConfiguration": {"Status": "Enabled"}},
    )


def test_no_other_stack_has_tables_or_buckets(templates: dict[str, Template]):
    for name in ("Pipeline", "Publishing", "Dashboard"):
        for stateful in STATEFUL:
            templates[name].resource_count_is(stateful, 0)


def test_state_that_is_not_retained_is_deleted_with_its_stack(tmp_path: Path):
    app = cdk.App(context=CONTEXT, outdir=str(tmp_path))
    state = Template.from_stack(State(app, "State", environment=load("dev")))
    resources = [resource for resource in state.to_json()["Resources"].values() if resource["Type"] in STATEFUL]
    assert {resource["DeletionPolicy"] for resource in resources} == {"Delete"}
    state.resource_count_is("Custom::S3AutoDeleteObjects", 1)
