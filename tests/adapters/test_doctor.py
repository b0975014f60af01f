"""Run the command `aftersend doctor`: failed checks, output, exit codes and pace."""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as errors
from typer.testing import CliRunner, Result

from aftersend.aws import identity_settings, observer
from aftersend.cli import doctor
from aftersend.cli.deployment import Target
from aftersend.cli.doctor_checks import CHECKS
from aftersend.cli.main import app
from aftersend.config.environment import Environment
from aftersend.operations.findings import RESTORE
from tests.adapters.healthy import (
    ENVIRONMENT,
    a_mapping,
    an_alarm,
    an_identity,
    examine,
    healthy_answers,
    refusal,
    shop,
    stack,
)

DOCUMENTATION = Path(__file__).parent.parent.parent / "docs" / "operations.md"

IAM_ACTIONS = {"GetBucketNotificationConfiguration": "GetBucketNotification"}
"""Actions that are not named like their operation."""


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect how long it waits between its requests to SES."""
    collected: list[float] = []
    monkeypatch.setattr(observer.time, "sleep", collected.append)
    return collected


def test_worst_is_first():
    findings, _ = examine(stack("UPDATE_IN_PROGRESS") | an_alarm(StateValue="ALARM") | a_mapping(State="Disabled"))
    assert [each.check for each in findings] == ["mappings", "alarms"] + ["stacks"] * 4
    assert [each.weight for each in findings] == ["critical", "warning"] + ["notice"] * 4


def test_check_that_is_denied_is_named_with_its_permission_and_the_others_go_on():
    message = "User: x is not authorized to perform: ses:GetAccount on resource: y"
    findings, skipped = examine(
        {"get_account": refusal("AccessDeniedException", message)} | a_mapping(State="Disabled")
    )
    assert [finding.check for finding in findings] == ["mappings"]
    assert [each.check for each in skipped] == ["sending", "account-review", "sandbox", "quota"]
    assert all("perform: ses:GetAccount on resource: y" in each.reason for each in skipped)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (errors.EndpointConnectionError(endpoint_url="https://x"), "AWS cannot be reached"),
        (refusal("Throttling"), "AWS refused Operation (Throttling)"),
    ],
)
def test_check_that_fails_names_the_reason(answer: Exception, reason: str):
    findings, [skipped] = examine({"get_bucket_notification_configuration": answer})
    assert (findings, skipped.check, skipped.is_refused) == ([], "archive-notifications", True)
    assert skipped.reason.startswith(reason)


def test_object_that_cannot_be_read_keeps_only_its_own_check_from_being_made():
    class Damaged:
        def read(self) -> bytes:
            return b"{]"

    findings, [skipped] = examine({"get_object": {"Body": Damaged(), "ETag": "1"}})
    assert (findings, skipped.check) == ([], "notification-settings")


def test_what_is_gone_without_a_sentence_of_its_own_is_still_a_finding():
    [finding], skipped = examine({"get_queue_attributes": refusal("Q", "The specified queue does not exist.")})
    assert (finding.check, finding.weight, skipped) == ("dead-letters", "critical", [])


def test_missing_output_is_reported_with_the_fix():
    deployment = shop({})
    del deployment.outputs["ArchiveQueueUrl"]
    _, skipped = doctor.examine(Target(deployment, ENVIRONMENT))
    assert {"archive-notifications", "dead-letters", "late-records"} == {each.check for each in skipped}
    assert all("make deploy ENV=shop" in each.reason and each.is_refused for each in skipped)


def test_only_checks_of_the_file_are_skipped_without_it():
    findings, skipped = examine({}, None)
    assert findings == []
    assert [each.check for each in skipped] == [
        "configuration",
        "event-destinations",
        "tracking",
        "dkim",
        "mail-from",
        "contact-lists",
    ]
    assert not any(each.is_refused for each in skipped)
    findings, _ = examine(an_identity(VerifiedForSendingStatus=False), None)
    assert [finding.check for finding in findings] == ["identities"]


def test_ses_is_queried_once_a_second(pauses: list[float], monkeypatch: pytest.MonkeyPatch):
    examine({})
    assert pauses == [identity_settings.PACE_SECONDS] * 6, "account, set, its destinations, identity, drift, lists"


@contextmanager
def _connected(changes: dict[str, Any], environment: Environment | None) -> Generator[Target]:
    yield Target(shop(changes), environment)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(changes: dict[str, Any], *arguments: str, environment: Environment | None = ENVIRONMENT) -> Result:
        monkeypatch.setattr(doctor, "connected", lambda _: _connected(changes, environment))
        return CliRunner().invoke(app, ["doctor", "--env", "shop", *arguments])

    return run


def test_absence_of_problems_is_reported_with_the_number_of_checks(run: Any):
    result = run({})
    assert (result.exit_code, result.stdout) == (0, f"Nothing found: {len(CHECKS)} checks.\n")
    document = json.loads(run({}, "--json").stdout)
    assert document == {"environment": "shop", "checks": len(CHECKS), "findings": [], "skipped": []}


def test_findings_are_printed_with_their_fix_and_with_control_characters_escaped(run: Any):
    result = run(an_alarm(StateValue="ALARM", StateReason="2\x1b[2J", AlarmDescription="Look\nhere."))
    assert result.exit_code == 1
    assert result.stdout.startswith("WARNING alarms: The alarm CountingLate has been in ALARM since ")
    assert result.stdout.endswith(" UTC: 2\\x1b[2J\n    Look here.\n")
    [finding] = json.loads(run(an_alarm(StateValue="ALARM"), "--json").stdout)["findings"]
    assert finding["check"], finding["weight"] == ("alarms", "warning")


def test_exit_code_distinguishes_findings_from_refused_checks(run: Any):
    denied = {"get_account": refusal("AccessDenied", "no")}
    result = run(denied)
    assert (result.exit_code, len(result.stdout.splitlines())) == (2, 2)
    assert "Skipped (sending, account-review, sandbox, quota): Operation is denied" in result.stdout
    assert run(denied | a_mapping(State="Disabled")).exit_code == 1
    assert run({}, environment=None).exit_code == 0


def test_documentation_names_every_check_in_the_order_in_which_they_are_made():
    section = DOCUMENTATION.read_text().partition("## Doctor")[2].partition("\n## ")[0]
    assert re.findall(r"(?m)^\| `([\w-]+)` \|", section) == [check.id for check in CHECKS]
    assert f"Nothing found: {len(CHECKS)} checks." in section


def test_documentation_lists_every_permission():
    section = DOCUMENTATION.read_text().partition("## Permissions")[2]
    for operation in healthy_answers().keys() - {"get_caller_identity", "get_object", "list_objects_v2"}:
        name = operation.title().replace("_", "")
        assert f":{IAM_ACTIONS.get(name, name)}`" in section


def test_installed_cdk_cli_has_the_option_that_restores():
    script = DOCUMENTATION.parent.parent / "node_modules" / "aws-cdk" / "lib" / "index.js"
    assert "--revert-drift" in RESTORE
    assert '"revert-drift"' in script.read_text()
