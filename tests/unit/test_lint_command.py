"""Test `aftersend lint` as a person or a script runs it."""

from pathlib import Path

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


def test_invalid_files_and_findings_are_printed_and_fail(tmp_path: Path):
    (tmp_path / "invalid.toml").write_text('account = "1"')
    (tmp_path / "warned.toml").write_text(
        'account = "111111111111"\nregion = "eu-west-1"\n[configuration_sets.news]\n'
        '[identities."a.example"]\nconfiguration_set = "newz"\n'
    )
    result = lint("--folder", tmp_path)
    assert result.exit_code == 1
    printed = [
        line.partition(":")[0] for line in result.stdout.splitlines() if line.startswith(("  error", "  warning"))
    ]
    assert printed == [
        *[f"  error {tmp_path.name}/invalid.toml"] * 3,
        '  error identities."a.example".configuration_set',
        "  warning alarm_addresses",
        '  warning identities."a.example".feedback_forwarding',
    ]


def test_unknown_environment_suggests_a_similar_name():
    result = lint("prd")
    assert result.exit_code == 1
    assert 'There is no environment "prd" in environments/. Did you mean "prod"?' in result.stdout
