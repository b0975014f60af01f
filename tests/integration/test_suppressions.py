"""Run the commands of the suppression list against the deployed pipeline, as an operator does in a local run."""

import json
from pathlib import Path

from local.pipeline import LocalPipeline
from tests.integration.test_operations import run

READER = "operators@mail.example"


def test_addresses_are_added_listed_checked_and_removed(pipeline: LocalPipeline, tmp_path: Path):
    assert run("suppressions", "add", READER, "--note", "test").exit_code == 0
    assert READER in run("suppressions", "list", "--domain", "mail.example").stdout
    values = json.loads(run("suppressions", "explain", READER, "--json").stdout)
    assert [scope["entry"]["rule"] for scope in values["scopes"]] == ["added-by-operator"]

    file = tmp_path / "list.txt"
    file.write_text(f"{READER}\nnew@mail.example\n")
    assert run("suppressions", "check", file).stdout.startswith("1 of 2 addresses are suppressed.")
    many = run("suppressions", "remove", "--rule", "added-by-operator", "--domain", "mail.example", "--yes")
    assert many.exit_code == 0, many.output
    assert run("suppressions", "check", file).exit_code == 0
