"""Show the size of the suppression list that the last sweep has stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aftersend.aws.deployment import Deployment
from aftersend.aws.list_sizes import ListSizes
from aftersend.dashboard.elements import widget
from aftersend.dashboard.request import Functions, parse_request
from aftersend.suppression.list_size import ListSize
from lambdas import widget_suppressions
from tests.adapters.conftest import SESSION

NOW = datetime(2026, 3, 14, 13, 30, tzinfo=UTC)


def shown() -> str:
    deployment = Deployment("shop", SESSION)
    deployment.outputs = {"CountersTableName": "counters", "SweepFunctionName1A2B3C4D": "Aftersend-shop-Sweep"}
    request = parse_request({"panel": "suppressions"}, NOW, Functions("arn:show", None))
    return widget(*widget_suppressions.show(request, deployment), is_dark=False)


def test_size_of_the_last_sweep_is_shown(dynamodb: Any):
    growth = {NOW.date(): {"complaint": 2}}
    ListSizes(dynamodb, "counters").put(ListSize(NOW - timedelta(hours=2), {"complaint": 3}, {"*": 3}, growth))
    text = shown()
    assert "3 suppression entries in force" in text
    assert "last 2 h ago" in text
    assert "14 Mar 2026: complaint 2" in text


def test_list_without_a_sweep_is_not_counted_yet(dynamodb: Any):
    text = shown()
    assert "Not counted yet" in text
    assert "aws lambda invoke --function-name Aftersend-shop-Sweep /dev/stdout" in text
