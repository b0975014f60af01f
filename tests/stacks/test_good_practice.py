"""cdk-nag (AwsSolutions) and cfn-lint have nothing to say that is not acknowledged with a reason."""

import json
from pathlib import Path

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from aftersend.config.loader import load
from tests.stacks.conftest import stacks_of

SAID_OF_ALL_THE_CDK_WRITES = ["W3005"]
"""A dependency that a reference makes already."""


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prod, synthesised with the checks on; they make the synthesis fail where they find anything."""
    folder = tmp_path_factory.mktemp("checked")
    app = next(iter(stacks_of(load("prod"), folder).values())).node.root
    assert isinstance(app, cdk.App)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    return folder


def test_cdk_nag_finds_nothing_that_is_not_acknowledged(assembly: Path):
    report = json.loads((assembly / "validation-report.json").read_bytes())
    [plugin] = [found for found in report["pluginReports"] if found["pluginName"] == "AwsSolutions"]
    assert plugin["conclusion"] == "success"


def test_cfn_lint_finds_nothing(assembly: Path):
    templates = sorted(assembly.glob("*.template.json"))
    assert len(templates) == 4
    for template in templates:
        assert lint_file(template, config=ManualArgs(ignore_checks=SAID_OF_ALL_THE_CDK_WRITES)) == []
