"""Run the commands of the suppression list against the deployed pipeline, as an operator does in a local run."""

import json
from pathlib import Path

from local.pipeline import LocalPipeline
from tests.integration.test_operations import is_suppressed, run
from tests.integration.test_pipeline import a_bounce_of

READER = "operators@mail.example"


def test_address_is_explained_checked_removed_and_added(pipeline: LocalPipeline, tmp_path: Path):
    body = a_bounce_of(READER)
    pipeline.ses.emulator_client("sqs").send_message(QueueUrl=pipeline.outputs["FeedbackQueueUrl"], MessageBody=body)
    is_suppressed(pipeline, READER)
    explained = run("suppressions", "explain", READER)
    assert (explained.exit_code, "Suppressed everywhere: hard-bounce" in explained.stdout) == (1, True), (
        explained.output
    )
    assert f"SES's account list does not have {READER}." in explained.stdout
    assert READER in run("suppressions", "list", "--domain", "mail.example").stdout

    file = tmp_path / "list.txt"
    file.write_text(f"{READER}\nnew@mail.example\n")
    assert run("suppressions", "check", file).stdout.startswith("1 of 2 addresses are suppressed.")
    removed = run("suppressions", "remove", READER, "--note", "test", "--account-list")
    assert (removed.exit_code, ": removed; " in removed.stdout) == (0, True), removed.output
    assert run("suppressions", "check", file).exit_code == 0

    assert run("suppressions", "add", READER, "--note", "test").exit_code == 0
    values = json.loads(run("suppressions", "explain", READER, "--json").stdout)
    assert [scope["entry"]["rule"] for scope in values["scopes"]] == ["added-by-operator"]
    many = run("suppressions", "remove", "--rule", "added-by-operator", "--domain", "mail.example", "--yes")
    assert many.exit_code == 0, many.output
    assert run("suppressions", "check", file).exit_code == 0
