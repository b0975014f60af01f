"""Hold the grant for senders to what docs/suppression.md tells others to write, and that to what its examples call."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from aftersend.config.loader import load
from stacks.state import State
from tests.stacks.conftest import CONTEXT, PROJECT

PAGE = (PROJECT / "docs" / "suppression.md").read_text()
SECTION = PAGE.partition("### Permissions")[2].partition("\n### ")[0]


def granted(resources: dict[str, Any]) -> dict[str, set[str]]:
    """Return the actions of the only policy of a template by the type of resource they are granted on."""
    [policy] = [resource for resource in resources.values() if resource["Type"] == "AWS::IAM::Policy"]
    return {
        resources[re.findall(r"'(?:Fn::GetAtt|Ref)': \[?'(\w+)'", str(statement["Resource"]))[0]]["Type"]: {
            *([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        }
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    }


@pytest.fixture
def resources(tmp_path: Path) -> dict[str, Any]:
    """Return the resources of a state that a sender's role was granted to check, by the example of the page."""
    app = cdk.App(context=CONTEXT, outdir=str(tmp_path))
    names: dict[str, Any] = {"iam": iam, "app": app, "environment": load("prod")}
    names["add_stacks"] = lambda app, environment: SimpleNamespace(state=State(app, "State", environment=environment))
    [example] = re.findall(r"^```python\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
    exec(example, names)  # noqa: S102 (our own page)
    return Template.from_stack(names["stacks"].state).to_json()["Resources"]


def test_sender_may_read_entries_and_the_hash_key_and_nothing_else(resources: dict[str, Any]):
    assert granted(resources) == {
        "AWS::DynamoDB::Table": {"dynamodb:BatchGetItem", "dynamodb:Query"},
        "AWS::SecretsManager::Secret": {"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"},
    }


def test_policy_is_attached_to_the_role_of_the_sender(resources: dict[str, Any]):
    [policy] = [resource for resource in resources.values() if resource["Type"] == "AWS::IAM::Policy"]
    assert policy["Properties"]["Roles"] == ["shop"]


def test_sender_may_read_the_suppressions_table_only(resources: dict[str, Any]):
    [policy] = [resource for resource in resources.values() if resource["Type"] == "AWS::IAM::Policy"]
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    [statement] = [each for each in statements if "dynamodb" in str(each["Action"])]
    assert statement["Resource"] == {"Fn::GetAtt": ["SuppressionsB3B49391", "Arn"]}


def test_page_has_the_statements_that_are_granted(resources: dict[str, Any]):
    [document] = re.findall(r"^```json\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
    documented = [set(statement["Action"]) for statement in json.loads(document)["Statement"]]
    assert [actions for actions in granted(resources).values() if actions not in documented] == []


def test_outputs_for_senders_are_described(templates: dict[str, Template]):
    outputs = templates["State"].to_json()["Outputs"]
    for name in ("SuppressionsTableName", "RecipientHashKeySecretArn"):
        assert "docs/suppression.md" in outputs[name]["Description"]
