"""Build the table of the counters, once per process and on first use."""

from functools import cache

from aftersend.aws.clients import client
from aftersend.aws.counters_table import CountersTable
from aftersend.contract import Variable
from aftersend.retention import Retention
from lambdas.settings import setting, text_setting


@cache
def counters() -> CountersTable:
    return CountersTable(
        client("dynamodb"),
        text_setting(Variable.COUNTERS_TABLE),
        retention_days=setting(Variable.RETENTION, Retention).counters_days,
    )
