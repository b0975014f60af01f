"""Hold what `python app.py`, which the CDK CLI runs, prints for a person."""

import json
import os
import runpy
import subprocess
import sys
from functools import partial
from pathlib import Path

import aws_cdk as cdk
import pytest

from aftersend.config.loader import ENVIRONMENTS_FOLDER
from tests.stacks.conftest import CONTEXT, PROJECT

ENVIRONMENT = """
account = "111111111111"
region = "eu-west-1"
monthly_messages = 1_000
[configuration_sets.news]
[identities."bookshop.example"]
configuration_set = "%s"
"""


def synthesize(folder: Path, environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "shop.toml").write_text(environment)
    return run_app(folder / "cdk.out", "false", env="shop", environments=str(folder))


def run_app(output: Path, validation: str, **context: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "CDK_CONTEXT_JSON": json.dumps(CONTEXT | context),
        "CDK_OUTDIR": str(output),
        "CDK_VALIDATION": validation,
    }
    command = [sys.executable, "app.py"]
    return subprocess.run(command, cwd=PROJECT, env=os.environ | variables, capture_output=True, text=True, check=False)


def test_setting_that_ses_refuses_ends_the_synthesis_with_file_and_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "shop.toml").write_text(ENVIRONMENT % "newz")
    context = CONTEXT | {"env": "shop", "environments": str(tmp_path)}
    app = partial(cdk.App, context=context, outdir=str(tmp_path / "cdk.out"))
    monkeypatch.setattr(cdk, "App", app)  # in this process, whose CDK is running already
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(PROJECT / "app.py"))
    [message] = str(ended.value).splitlines()
    assert message.startswith(
        f'aftersend: {tmp_path}/shop.toml: identities."bookshop.example".configuration_set: this environment'
    )
    assert not list((tmp_path / "cdk.out").glob("*.template.json"))


@pytest.mark.slow
def test_synthesis_attaches_warnings_to_the_stacks_and_prints_the_cost(tmp_path: Path):
    result = synthesize(tmp_path, ENVIRONMENT % "news")
    assert result.returncode == 0
    assert "a month for 1,000 messages, excluding SES charges" in result.stderr
    metadata = (tmp_path / "cdk.out" / "Aftersend-shop-Publishing.metadata.json").read_text()
    assert "[feedback-forwarding-on]" in metadata
    assert "[no-alarm-recipients]" in metadata


@pytest.mark.slow
@pytest.mark.parametrize("environment", sorted(file.stem for file in ENVIRONMENTS_FOLDER.glob("*.toml")))
def test_example_environment_passes_the_validation_of_the_cdk(environment: str, tmp_path: Path):
    result = run_app(tmp_path, "true", env=environment)
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "validation-report.json").read_bytes())["pluginReports"] == []
