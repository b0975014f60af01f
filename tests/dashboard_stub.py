"""A deployment with a dashboard whose functions are Python functions of a test."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from aftersend.aws.deployment import Deployment

SHOW, CHANGE = "ShowWidgets-1", "ChangeSuppressions-1"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:"
Answer = Callable[[Mapping[str, Any]], Any]


def custom(panel: str, title: str, width: int = 24) -> dict[str, Any]:
    """Return a custom widget as it is in a dashboard's body."""
    properties = {"endpoint": ARN + SHOW, "params": {"panel": panel}, "title": title}
    return {"type": "custom", "width": width, "height": 4, "properties": properties}


def metric(title: str, *rows: Sequence[Any], **properties: Any) -> dict[str, Any]:
    """Return a metric widget as it is in a dashboard's body."""
    return {"type": "metric", "width": 12, "height": 6, "properties": {"title": title, "metrics": rows, **properties}}


class Clients:
    """The clients of Lambda, CloudWatch and DynamoDB, in one."""

    region_name = "eu-central-1"

    def __init__(self, widgets: Sequence[Mapping[str, Any]], answers: Mapping[str, Answer]) -> None:
        self.widgets, self.answers = widgets, answers
        self.invoked: list[tuple[str, Any]] = []

    def client(self, service: str, **_: Any) -> "Clients":
        return self

    def get_dashboard(self, **_: Any) -> dict[str, str]:
        rows = [{"y": number, **each} for number, each in enumerate(self.widgets)]
        return {"DashboardBody": json.dumps({"widgets": rows})}

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        event = json.loads(Payload)
        self.invoked.append((FunctionName, event))
        try:
            content, errors = self.answers[FunctionName](event), {}
        except ValueError as error:
            content, errors = {"errorMessage": str(error)}, {"FunctionError": "Unhandled"}
        return {"Payload": io.BytesIO(json.dumps(content).encode()), **errors}

    def get_paginator(self, operation: str) -> "Clients":
        assert operation == "get_metric_data"
        return self

    def paginate(self, **query: Any) -> list[dict[str, Any]]:
        times = [query["EndTime"] - timedelta(minutes=number) for number in (20, 10)]
        queries = [(each["Id"], each.get("Label", "")) for each in query["MetricDataQueries"]]
        return [
            {"MetricDataResults": [{"Id": name, "Label": text, "Timestamps": times, "Values": [1, 3]}]}
            for name, text in queries
        ]


def deployment(clients: Clients) -> Deployment:
    made = Deployment("shop", clients)
    made.outputs |= {"DashboardName": "Dashboard-1", "ShowWidgetsFunctionName": SHOW}
    made.outputs["ChangeSuppressionsFunctionName"] = CHANGE
    return made
