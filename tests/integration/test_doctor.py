"""`aftersend doctor` against the deployed pipeline: healthy, and broken at every check that the emulator can show."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner, Result

from aftersend.aws import dead_letters
from aftersend.aws.deployment import LOCAL_RUN_VARIABLE
from aftersend.cli.doctor_checks import CHECKS
from aftersend.cli.main import app
from local.deployment import deployed_pipeline
from local.pipeline import LocalPipeline
from local.traffic import plan_mails
from tests.integration.breaks import LASTING, REPAIRED, Break

SKIPPED = ["dkim", "contact-lists", "time-to-live", "point-in-time-recovery"]
"""Checks that are not made in a local run, because the emulator lacks what they ask about."""

NOT_SHOWN = {
    "clock": "the emulator's clock is this machine's",
    "sending": "its account cannot be paused",
    "account-review": "its account is never reviewed",
    "sandbox": "its account has no sandbox",
    "quota": "its quota is not used up",
    "mail-from": "its API sets no MAIL FROM domain",
    "functions": "its functions never fail to start",
    "tables": "its tables are always active",
    "recount": "a recount on it is too quick to be interrupted",
    "ledger-stream": "without its stream, the emulator's ledger cannot be used again",
    "suppressions-stream": "without its stream, the emulator's suppressions table cannot be used again",
    "alarm-recipients": "its subscriptions need no confirmation",
}
"""Checks that are made, but that the emulator cannot show broken; tests/adapters/test_doctor_findings.py does."""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Generator[LocalPipeline]:
    """A deployment of its own: others leave dead letters, and this test wants a healthy one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LOCAL_RUN_VARIABLE, str(tmp_path_factory.mktemp("doctor") / "run.json"))
        patch.setattr(dead_letters, "WAIT_SECONDS", 0)
        with deployed_pipeline(seed=2) as pipeline:
            list(pipeline.send(plan_mails(20, 2, datetime.now(UTC))))
            list(pipeline.wait_until_processed())
            yield pipeline


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--env", "local", *arguments])


def findings() -> list[tuple[str, str]]:
    """Return the check and the problem of each finding."""
    result = run("--json")
    assert result.exit_code == 1
    return [(each["check"], each["problem"]) for each in json.loads(result.stdout)["findings"]]


def test_every_check_is_broken_or_named_as_one_that_the_emulator_cannot_show():
    broken = [check for check, _, _ in REPAIRED + LASTING]
    assert {*broken, *NOT_SHOWN, *SKIPPED} == {check.id for check in CHECKS}
    assert {*broken} & {*NOT_SHOWN, *SKIPPED} == set()


def test_healthy_local_run_has_no_findings(deployed: LocalPipeline):
    result = run()
    assert result.exit_code == 0, result.stdout
    assert f"Nothing found: {len(CHECKS) - len(SKIPPED)} checks.\n" in result.stdout


@pytest.mark.parametrize(("check", "problem", "break_"), REPAIRED)
def test_what_is_broken_is_named(deployed: LocalPipeline, check: str, problem: str, break_: Break):
    with contextmanager(break_)(deployed):
        named = findings()
    assert {name for name, _ in named} - {check} <= ({"configuration-sets"} if check == "configuration" else set())
    assert any(problem in text for name, text in named if name == check)


def test_repaired_deployment_has_no_findings(deployed: LocalPipeline):
    document = json.loads(run("--json").stdout)
    assert document["findings"] == []
    assert [each["check"] for each in document["skipped"]] == SKIPPED
    assert not any(each["is_refused"] for each in document["skipped"])


@pytest.mark.parametrize(("check", "problem", "break_"), LASTING)
def test_what_stays_broken_is_named(deployed: LocalPipeline, check: str, problem: str, break_: Break):
    with contextmanager(break_)(deployed):
        assert any(problem in text for name, text in findings() if name == check)
