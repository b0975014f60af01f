"""What a person is told who synthesises: `python app.py` is what the CDK CLI runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.stacks.conftest import PROJECT

ENVIRONMENT = """
account = "111111111111"
region = "eu-west-1"
monthly_messages = 1_000
[configuration_sets.news]
[identities."bookshop.example"]
configuration_set = "%s"
"""


def synthesised(folder: Path, environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "shop.toml").write_text(environment)
    context = {"env": "shop", "environments": str(folder)}
    settings = {
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_OUTDIR": str(folder / "cdk.out"),
        "CDK_VALIDATION": "false",
    }
    command = [sys.executable, "app.py"]
    return subprocess.run(command, cwd=PROJECT, env=os.environ | settings, capture_output=True, text=True, check=False)


def test_what_ses_would_refuse_ends_the_synthesis_with_the_file_and_the_key(tmp_path: Path):
    result = synthesised(tmp_path, ENVIRONMENT % "newz")
    assert result.returncode == 1
    [said] = [line for line in result.stderr.splitlines() if line.startswith("aftersend: ")]
    assert said.startswith(
        f'aftersend: {tmp_path.name}/shop.toml: identities."bookshop.example".configuration_set: this environment'
    )
    assert not list((tmp_path / "cdk.out").glob("*.template.json"))


def test_warnings_go_with_the_stacks_and_the_cost_is_told(tmp_path: Path):
    result = synthesised(tmp_path, ENVIRONMENT % "news")
    assert result.returncode == 0
    assert "a month for 1,000 messages, excluding SES charges" in result.stderr
    metadata = (tmp_path / "cdk.out" / "Aftersend-shop-Publishing.metadata.json").read_text()
    assert "[feedback-forwarding-on]" in metadata
    assert "[no-alarm-recipients]" in metadata
