"""Hold the table and the work group of the reports to the archive and to what the command needs."""

from typing import Any

import pytest
from aws_cdk.assertions import Template

from aftersend.operations.reports import REPORTS
from stacks.reports import MAX_SCANNED_BYTES
from tests.evaluators.iam import Call, is_allowed, statements_of_policy
from tests.evaluators.templates import ARNS, Templates

ATHENA = "arn:aws:athena:eu-west-1:222222222222:workgroup/Aftersend-prod"
GLUE = "arn:aws:glue:eu-west-1:222222222222:"


@pytest.fixture(scope="module")
def environment(templates: dict[str, Template]) -> Templates:
    return Templates({name: template.to_json() for name, template in templates.items()})


def test_work_group_limits_what_a_query_scans_and_stores_results_encrypted_in_the_archive(environment: Templates):
    bucket = environment.only("AWS::S3::Bucket").name
    configuration = environment.only("AWS::Athena::WorkGroup").properties["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == MAX_SCANNED_BYTES
    assert configuration["ResultConfiguration"] == {
        "OutputLocation": f"s3://{bucket}/reports/",
        "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
    }
    assert configuration["PublishCloudWatchMetricsEnabled"] is False, "metrics cost"


def test_results_expire_after_a_day_and_are_gone_after_another(environment: Templates):
    rules = environment.only("AWS::S3::Bucket").properties["LifecycleConfiguration"]["Rules"]
    [rule] = [rule for rule in rules if rule["Prefix"] == "reports/"]
    assert (rule["ExpirationInDays"], rule["NoncurrentVersionExpiration"]["NoncurrentDays"]) == (1, 1)


def test_table_has_the_lines_of_the_archive_by_the_hour_of_arrival(environment: Templates):
    bucket = environment.only("AWS::S3::Bucket").name
    [stream] = environment.of_type("AWS::KinesisFirehose::DeliveryStream")
    assert stream.properties["ExtendedS3DestinationConfiguration"]["Prefix"] == "events/"
    table: dict[str, Any] = environment.only("AWS::Glue::Table").properties["TableInput"]
    assert table["StorageDescriptor"]["Location"] == f"s3://{bucket}/events/"
    assert table["Parameters"]["storage.location.template"] == f"s3://{bucket}/events/${{arrived}}/"
    assert [each["Name"] for each in table["StorageDescriptor"]["Columns"] + table["PartitionKeys"]] == [
        "record",
        "arrived",
    ]
    for report in REPORTS.values():
        assert f"FROM {table['Name']}\n" in report.query
        assert "WHERE arrived >= ? AND arrived < ?\n" in report.query


def test_reader_may_run_a_report_and_see_nothing_else_of_the_catalog(environment: Templates):
    """Athena reads the catalog and the archive, and writes the results, with the permissions of the caller ("Access to
    workgroups and tags", "Configure access to databases and tables" in its guide)."""
    [reader] = [each for each in environment.of_type("AWS::IAM::ManagedPolicy") if "Reader" in each.name]
    statements = statements_of_policy(reader)
    bucket = ARNS["AWS::S3::Bucket"].format(environment.only("AWS::S3::Bucket").name)
    needed = [
        *(Call(f"athena:{name}QueryExecution", ATHENA) for name in ("Start", "Get", "Stop")),
        Call("athena:GetQueryResults", ATHENA),
        *(Call("glue:GetDatabase", GLUE + name) for name in ("catalog", "database/aftersend_prod", "database/default")),
        *(Call(f"glue:{name}", f"{GLUE}table/aftersend_prod/records") for name in ("GetTable", "GetPartitions")),
        *(Call(f"s3:{name}", bucket) for name in ("GetBucketLocation", "ListBucket")),
        Call("s3:GetObject", f"{bucket}/events/2026/03/14/09/key"),
        *(Call(f"s3:{name}", f"{bucket}/reports/key") for name in ("GetObject", "PutObject", "AbortMultipartUpload")),
    ]
    assert [call for call in needed if not is_allowed(call, statements)] == []
    others = [
        Call("athena:StartQueryExecution", ATHENA.replace("Aftersend-prod", "primary")),
        Call("glue:GetTable", f"{GLUE}table/other/records"),
        Call("s3:PutObject", f"{bucket}/events/key"),
    ]
    assert [call for call in others if is_allowed(call, statements)] == []
