"""Build the tables of counts, once per process and on first use."""

from functools import cache

from aftersend.aws.clients import client
from aftersend.aws.counters_table import CountersTable
from aftersend.aws.list_sizes import ListSizes
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


@cache
def list_sizes() -> ListSizes:
    return ListSizes(client("dynamodb"), text_setting(Variable.COUNTERS_TABLE))
