"""Run the commands of the suppression list against the deployed pipeline, as an operator does in a local run."""

import json
from pathlib import Path
from typing import Any

from local.pipeline import LocalPipeline
from tests.integration.test_operations import run

DOMAIN = "operators.example"  # of no other test: its entries are removed at once
READER = f"reader@{DOMAIN}"


def test_addresses_are_added_listed_checked_and_removed(pipeline: LocalPipeline, tmp_path: Path):
    assert run("suppressions", "add", READER, "--note", "test").exit_code == 0
    assert READER in run("suppressions", "list", "--domain", DOMAIN).stdout
    values = json.loads(run("suppressions", "explain", READER, "--json").stdout)
    assert [scope["entry"]["rule"] for scope in values["scopes"]] == ["added-by-operator"]

    file = tmp_path / "list.txt"
    file.write_text(f"{READER}\nnew@mail.example\n")
    assert run("suppressions", "check", file).stdout.startswith("1 of 2 addresses are suppressed.")
    many = run("suppressions", "remove", "--rule", "added-by-operator", "--domain", DOMAIN, "--yes")
    assert many.exit_code == 0, many.output
    assert run("suppressions", "check", file).exit_code == 0


def test_address_is_added_removed_and_counted_on_the_dashboard(pipeline: LocalPipeline):
    def panel(output: str, **event: Any) -> str:
        functions = pipeline.ses.emulator_client("lambda")
        answer = functions.invoke(FunctionName=pipeline.outputs[output], Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    stated = {"widgetContext": {"forms": {"all": {"operator": "Kim", "reason": "asked by telephone"}}}}
    button = {"address": "Dashboard@mail.example", "scope": "*", "show": "arn", **stated}
    added = panel("ChangeSuppressionsFunctionName", change="add", **button)
    assert "Added: suppressed everywhere" in added
    pipeline.ses.account_list.put("Dashboard@mail.example", "BOUNCE")
    shown = panel("ShowWidgetsFunctionName", panel="recipient", query="dashboard@mail.example")
    assert "By Kim: asked by telephone" in shown
    assert "SES's account list has Dashboard@mail.example" in shown
    pipeline.sweep_suppressions()
    assert "added-by-operator" in panel("ShowWidgetsFunctionName", panel="suppressions")
    assert "dashboard@mail.example</a>" in panel("ShowWidgetsFunctionName", panel="recipient", query="dashboard@")
    removed = panel("ChangeSuppressionsFunctionName", change="remove", **button)
    assert "Removed: no longer suppressed everywhere. SES's account list no longer has it." in removed
    assert "<strong>Not suppressed.</strong>" in removed
