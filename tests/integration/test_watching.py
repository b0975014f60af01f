"""Compare the deployed counters with the local SES's own metrics, and send the canary through everything."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.pipeline import LocalPipeline

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)


def invoke(pipeline: LocalPipeline, output: str, time: datetime) -> dict[str, int]:
    """Invoke a scheduled function as at some time; return the counts that are not 0."""
    [name] = [value for key, value in pipeline.outputs.items() if key.startswith(output)]
    event = json.dumps({"source": "aws.events", "time": time.isoformat()})
    answer = pipeline.ses.emulator_client("lambda").invoke(FunctionName=name, Payload=event)
    counts: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "errorMessage" not in counts, counts
    return {name: count for name, count in counts.items() if count}


def process(pipeline: LocalPipeline) -> None:
    for _ in pipeline.wait_until_processed():
        pass


@pytest.fixture(scope="module")
def canary(pipeline: LocalPipeline) -> LocalPipeline:
    """Send eight runs of the canary, and wait until their events are recorded and counted."""
    for number in range(8):
        assert invoke(pipeline, "CanaryFunctionName", NOW - HOUR + timedelta(minutes=number)) == {"canary_runs": 1}
    process(pipeline)
    return pipeline


def test_events_of_the_canary_arrive(canary: LocalPipeline):
    assert invoke(canary, "CanaryFunctionName", NOW) == {"canary_runs": 1}
    process(canary)


def test_canary_suppresses_nobody_and_is_in_no_rate(canary: LocalPipeline):
    result = canary.result()
    recipients = {recipient for recipient in result.entries if recipient.endswith("@simulator.amazonses.com")}
    assert not recipients
    measures = {key.measure for key in result.counts if key.value == "receipts"}
    assert {"simulated_send", "simulated_hard_bounce", "simulated_complaint"} <= measures


def test_counters_agree_with_the_metrics_of_ses(canary: LocalPipeline):
    counts = invoke(canary, "CountsFunctionName", NOW + 3 * HOUR)
    # For a query without dimensions, the emulator adds up the metrics of all dimensions.
    counts.pop("unseen_percent", None)
    assert counts == {"count_check_runs": 1}


def test_sends_that_only_ses_has_counted_are_missing(canary: LocalPipeline):
    dimensions = [{"Name": "ses:configuration-set", "Value": "receipts"}]
    data = {"MetricName": "Send", "Value": 1_000.0, "Timestamp": NOW - 9 * HOUR, "Dimensions": dimensions}
    canary.ses.emulator_client("cloudwatch").put_metric_data(Namespace="AWS/SES", MetricData=[data])
    counts = invoke(canary, "CountsFunctionName", NOW + 3 * HOUR)
    assert counts["counts_missing_percent"] > 90
