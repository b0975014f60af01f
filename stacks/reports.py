"""Create the table of the archive's records and the Athena work group that `aftersend report` queries it with."""

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import ARRIVED_COLUMN, EVENTS_PREFIX, RECORD_COLUMN, RECORDS_TABLE, REPORTS_PREFIX
from stacks.archive_bucket import ArchiveBucket

MAX_SCANNED_BYTES = 200 * 2**30
"""What one query may scan: it then costs a dollar. Athena cancels a query that scans more."""

HOURLY_PARTITIONS = {
    "projection.enabled": "true",
    f"projection.{ARRIVED_COLUMN}.type": "date",
    f"projection.{ARRIVED_COLUMN}.format": "yyyy/MM/dd/HH",
    f"projection.{ARRIVED_COLUMN}.range": "2026/01/01/00,NOW",
    f"projection.{ARRIVED_COLUMN}.interval": "1",
    f"projection.{ARRIVED_COLUMN}.interval.unit": "HOURS",
}
"""Firehose arranges objects by the hour of arrival, so no partition needs to be added ("Partition projection")."""

RESULT_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
"""What Athena needs to write results, and to read them again ("Identity-based policies" in its guide)."""

HIVE = "org.apache.hadoop.hive"


class Reports(Construct):
    """Lines of the archive are rows of text, which the queries parse: see docs/decisions/0022-records-as-text.md."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, archive: ArchiveBucket) -> None:
        super().__init__(scope, id)
        self._archive, self._stack = archive, cdk.Stack.of(self)
        # Names are required (work group), or part of queries that people write (database).
        self.work_group_name = f"Aftersend-{environment.name}"
        self.database_name = f"aftersend_{environment.name.replace('-', '_').lower()}"
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=self._stack.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self.database_name, description="Aftersend: the archive of SES events"
            ),
        )
        table = glue.CfnTable(
            self, "Records", catalog_id=self._stack.account, database_name=self.database_name, table_input=self._table()
        )
        table.add_dependency(database)
        athena.CfnWorkGroup(
            self,
            "WorkGroup",
            name=self.work_group_name,
            description="Aftersend: reports over the archive",
            recursive_delete_option=True,  # without it, a work group with a history of queries is not removed
            work_group_configuration=self._configuration(),
        )

    def _table(self) -> glue.CfnTable.TableInputProperty:
        location = f"s3://{self._archive.bucket_name}/{EVENTS_PREFIX}"
        text = glue.CfnTable.ColumnProperty(name=RECORD_COLUMN, type="string", comment="a record as SES wrote it")
        hour = glue.CfnTable.ColumnProperty(name=ARRIVED_COLUMN, type="string", comment="the hour: yyyy/MM/dd/HH, UTC")
        return glue.CfnTable.TableInputProperty(
            name=RECORDS_TABLE,
            table_type="EXTERNAL_TABLE",
            parameters={**HOURLY_PARTITIONS, "storage.location.template": f"{location}${{{ARRIVED_COLUMN}}}/"},
            partition_keys=[hour],
            storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                columns=[text],
                location=location,
                input_format="org.apache.hadoop.mapred.TextInputFormat",
                output_format=f"{HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat",
                # It splits lines at U+0001, which JSON escapes: a line is one value.
                serde_info=glue.CfnTable.SerdeInfoProperty(
                    serialization_library=f"{HIVE}.serde2.lazy.LazySimpleSerDe",
                    parameters={"serialization.format": "1"},
                ),
            ),
        )

    def _configuration(self) -> athena.CfnWorkGroup.WorkGroupConfigurationProperty:
        return athena.CfnWorkGroup.WorkGroupConfigurationProperty(
            enforce_work_group_configuration=True,
            publish_cloud_watch_metrics_enabled=False,
            bytes_scanned_cutoff_per_query=MAX_SCANNED_BYTES,
            engine_version=athena.CfnWorkGroup.EngineVersionProperty(selected_engine_version="Athena engine version 3"),
            result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                output_location=f"s3://{self._archive.bucket_name}/{REPORTS_PREFIX}",
                encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                    encryption_option="SSE_S3"
                ),
            ),
        )

    def statements(self) -> list[iam.PolicyStatement]:
        """Return the permissions to run reports: Athena reads and writes with those of the caller."""
        database = self.database_name
        # Athena also looks at the database `default` ("Configure access to databases and tables" in its guide).
        glue_arns = ["catalog", "database/default", f"database/{database}", f"table/{database}/{RECORDS_TABLE}"]
        return [
            iam.PolicyStatement(
                actions=[
                    *("athena:StartQueryExecution", "athena:GetQueryExecution"),
                    *("athena:GetQueryResults", "athena:StopQueryExecution"),
                ],
                resources=[self._arn("athena", f"workgroup/{self.work_group_name}")],
            ),
            iam.PolicyStatement(
                actions=["glue:GetDatabase", "glue:GetTable", "glue:GetPartitions"],
                resources=[self._arn("glue", resource) for resource in glue_arns],
            ),
            self._archive.statement("s3:GetBucketLocation"),
            self._archive.statement("s3:GetObject", objects=f"{EVENTS_PREFIX}*"),
            self._archive.statement(*RESULT_ACTIONS, objects=f"{REPORTS_PREFIX}*"),
        ]

    def _arn(self, service: str, resource: str) -> str:
        return self._stack.format_arn(service=service, resource=resource)
