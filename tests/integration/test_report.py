"""Run every report against the deployed work group. The emulator accepts the queries, but does not run them: what they
return is tested in tests/unit/test_reports.py."""

import pytest
from typer.testing import CliRunner

from aftersend.cli.main import app
from aftersend.operations.reports import REPORTS
from local.pipeline import LocalPipeline

SUBJECTS = {"MESSAGE_ID": ["message-1"], "TAG=VALUE": ["campaign=spring-catalogue"], None: []}


def test_work_group_and_table_are_deployed(pipeline: LocalPipeline):
    name = pipeline.outputs["ReportsWorkGroupName"]
    group = pipeline.ses.emulator_client("athena").get_work_group(WorkGroup=name)["WorkGroup"]
    assert group["Configuration"]["ResultConfiguration"]["OutputLocation"].endswith("/reports/")
    glue, database = pipeline.ses.emulator_client("glue"), pipeline.outputs["ReportsDatabaseName"]
    assert glue.get_table(DatabaseName=database, Name="records")["Table"]["PartitionKeys"][0]["Name"] == "arrived"


@pytest.mark.parametrize("name", REPORTS)
def test_report_runs_to_its_end(pipeline: LocalPipeline, name: str):
    result = CliRunner().invoke(app, ["report", name, *SUBJECTS[REPORTS[name].subject], "--env", "local"])
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "Scanned 0.0 MB, which costs $0.00005." in result.stderr
    assert "The emulator accepts queries but does not run them" in result.stderr
