"""`aftersend lint`, as a person or a script runs it."""

from pathlib import Path

from typer.testing import CliRunner, Result

from aftersend.cli.main import app
from aftersend.config.loader import names


def lint(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["lint", *map(str, arguments)])


def test_all_environments_are_looked_at_where_none_is_named():
    result = lint()
    assert result.exit_code == 0
    assert [line for line in result.stdout.splitlines() if line and not line.startswith(" ")] == names()


def test_an_estimate_of_the_cost_follows():
    assert "a month for 1,000,000 messages, SES aside" in lint("prod").stdout
    assert "a month" not in lint("local").stdout


def test_mistakes_and_findings_are_told_and_fail(tmp_path: Path):
    (tmp_path / "mistaken.toml").write_text('account = "1"')
    (tmp_path / "trapped.toml").write_text(
        'account = "111111111111"\nregion = "eu-west-1"\n[configuration_sets.news]\n'
        '[identities."a.example"]\nconfiguration_set = "newz"\n'
    )
    result = lint("--folder", tmp_path)
    assert result.exit_code == 1
    said = [line.partition(":")[0] for line in result.stdout.splitlines() if line.startswith(("  error", "  warning"))]
    assert said == [
        *[f"  error {tmp_path.name}/mistaken.toml"] * 3,
        '  error identities."a.example".configuration_set',
        "  warning alarm_addresses",
        '  warning identities."a.example".feedback_forwarding',
    ]


def test_an_environment_there_is_not_lists_those_there_are():
    result = lint("prd")
    assert result.exit_code == 1
    assert "There are: dev, local, prod." in result.stdout
