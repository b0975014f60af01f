"""Hold the templates to cdk-nag (AwsSolutions) and cfn-lint: every finding is acknowledged with a reason."""

import json
from pathlib import Path

import aws_cdk as cdk
import pytest

from aftersend.config.loader import load
from tests.stacks.conftest import build_stacks

pytestmark = pytest.mark.slow

IGNORED_CHECKS = ["W3005"]
"""A dependency that a reference implies: the CDK writes many."""


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of prod, synthesized with the checks on. A finding makes the synthesis fail."""
    from cdk_nag import AwsSolutionsChecks

    folder = tmp_path_factory.mktemp("checked")
    app = next(iter(build_stacks(load("prod"), folder).values())).node.root
    assert isinstance(app, cdk.App)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    return folder


def test_cdk_nag_finds_only_what_is_acknowledged(assembly: Path):
    report = json.loads((assembly / "validation-report.json").read_bytes())
    [plugin] = [each for each in report["pluginReports"] if each["pluginName"] == "AwsSolutions"]
    assert plugin["conclusion"] == "success"


def test_cfn_lint_finds_nothing(assembly: Path):
    from cfnlint.api import lint_file  # takes a second, which tests of other files need not wait for
    from cfnlint.config import ManualArgs

    templates = sorted(assembly.glob("*.template.json"))
    assert len(templates) == 4
    for template in templates:
        assert lint_file(template, config=ManualArgs(ignore_checks=IGNORED_CHECKS)) == []
