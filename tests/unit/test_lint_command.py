"""Test `aftersend lint` as a person or a script runs it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from aftersend.cli.main import app
from aftersend.config import environment_names


def lint(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["lint", *map(str, arguments)])


def test_all_environments_are_checked_by_default():
    result = lint()
    assert result.exit_code == 0
    assert [line for line in result.stdout.splitlines() if line and not line.startswith(" ")] == environment_names()


def test_cost_estimate_is_printed_except_for_the_emulator():
    assert "a month for 1,000,000 messages, excluding SES charges" in lint("prod").stdout
    assert "a month" not in lint("local").stdout


def test_cost_can_be_estimated_for_any_number_of_messages():
    assert "a month for 5,000,000 messages, excluding SES charges" in lint("prod", "--messages", "5000000").stdout
    assert "a month without any mail" in lint("prod", "--messages", "0").stdout
    assert lint("prod", "--messages", "-1").exit_code == 2


def write_environments(folder: Path) -> None:
    (folder / "invalid.toml").write_text('account = "1"')
    (folder / "warned.toml").write_text(
        'account = "111111111111"\nregion = "eu-west-1"\n[configuration_sets.news]\n'
        '[identities."a.example"]\nconfiguration_set = "newz"\n'
    )


def test_json_has_a_line_for_each_environment(tmp_path: Path):
    write_environments(tmp_path)
    result = lint("--folder", tmp_path, "--json", "--messages", "1000")
    assert result.exit_code == 1
    invalid, warned = map(json.loads, result.stdout.splitlines())
    assert (invalid["environment"], invalid["file"]) == ("invalid", f"{tmp_path}/invalid.toml")
    assert [error.split(": ")[1] for error in invalid["errors"]] == ["region", "configuration_sets", "account"]
    assert (invalid["findings"], invalid["cost"]) == ([], None)
    assert warned["errors"] == []
    assert [(finding["id"], finding["is_error"]) for finding in warned["findings"]] == [
        ("unknown-configuration-set", True),
        ("no-alarm-recipients", False),
        ("feedback-forwarding-on", False),
    ]
    assert set(warned["findings"][0]) == {"id", "key", "problem", "fix", "is_error"}
    cost = warned["cost"]
    assert (cost["monthly_messages"], cost["prices"]) == (1_000, "eu-west-1")
    assert cost["dollars"] == pytest.approx(sum(round(part["dollars"], 2) for part in cost["parts"]))


def test_json_of_the_emulator_has_no_cost():
    result = lint("local", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["cost"] is None


def test_invalid_files_and_findings_are_printed_and_fail(tmp_path: Path):
    write_environments(tmp_path)
    result = lint("--folder", tmp_path)
    assert result.exit_code == 1
    printed = [
        ":".join(line.split(":")[:2])
        for line in result.stdout.splitlines()
        if line.startswith(("  error", "  warning"))
    ]
    assert printed == [
        *[f"  error {tmp_path}/invalid.toml: {key}" for key in ("region", "configuration_sets", "account")],
        f'  error {tmp_path}/warned.toml: identities."a.example".configuration_set',
        f"  warning {tmp_path}/warned.toml: alarm_addresses",
        f'  warning {tmp_path}/warned.toml: identities."a.example".feedback_forwarding',
    ]


def test_unknown_environment_suggests_a_similar_name():
    result = lint("prd")
    assert result.exit_code == 1
    assert 'There is no environment "prd" in environments. Did you mean "prod"?' in result.stdout
