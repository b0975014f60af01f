"""Hold the evaluator of alarms to the examples of the CloudWatch user guide, and to statistics and dimensions."""

import pytest

from tests.evaluators.alarms import EXTRA_PERIODS, Alarm, Metric, Metrics, alarms_of
from tests.evaluators.templates import Resource

QUEUE = frozenset({("QueueName", "feedback")})


def an_alarm(**changes: object) -> Alarm:
    properties = {
        "Namespace": "AWS/SQS",
        "MetricName": "Age",
        "Dimensions": [{"Name": "QueueName", "Value": "feedback"}],
        "Statistic": "Maximum",
        "Period": 300,
        "EvaluationPeriods": 3,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    } | changes
    return alarms_of([Resource("Pipeline.Late", "AWS::CloudWatch::Alarm", properties)])["Late"]


def series(alarm: Alarm, text: str) -> Metrics:
    """Return data points of the periods before minute 0: 0 is within the threshold, X breaches it, - is missing."""
    metrics, symbols = Metrics(), text.split()
    for number, symbol in enumerate(symbols):
        if symbol != "-":
            minute = (number - len(symbols)) * alarm.period
            metrics.publish(minute, "AWS/SQS", {"QueueName": "feedback"}, Age=1 if symbol == "X" else 0)
    return metrics


@pytest.mark.parametrize(
    ("text", "missing", "breaching", "not_breaching"),
    [
        ("0 - X - X", "OK", "OK", "OK"),
        ("- - - - 0", "OK", "OK", "OK"),
        ("- - - - -", "INSUFFICIENT_DATA", "ALARM", "OK"),
        ("0 X X - X", "ALARM", "ALARM", "ALARM"),
        ("- - X - -", "ALARM", "ALARM", "OK"),
    ],
)
def test_missing_data_is_treated_as_in_the_user_guide(text: str, missing: str, breaching: str, not_breaching: str):
    """Three of three data points, and an evaluation range of five."""
    assert EXTRA_PERIODS == 2
    for treatment, expected in (("missing", missing), ("breaching", breaching), ("notBreaching", not_breaching)):
        alarm = an_alarm(TreatMissingData=treatment)
        assert alarm.state(series(alarm, text), 0) == expected, treatment


def test_some_of_the_evaluated_data_points_may_be_enough():
    two_of_three = an_alarm(DatapointsToAlarm=2)
    assert two_of_three.state(series(two_of_three, "X 0 X"), 0) == "ALARM"
    assert two_of_three.state(series(two_of_three, "X 0 0"), 0) == "OK"
    assert two_of_three.state(series(two_of_three, "X X X 0 0"), 0) == "OK"


@pytest.mark.parametrize(
    ("statistic", "threshold", "state"),
    [("Sum", 8, "ALARM"), ("Maximum", 5, "OK"), ("Maximum", 4, "ALARM"), ("Minimum", 1, "OK"), ("Average", 2, "ALARM")],
)
def test_values_of_a_period_make_one_data_point(statistic: str, threshold: float, state: str):
    metrics = Metrics()
    for minute, value in ((-1, 1), (-3, 3), (-5, 5)):
        metrics.publish(minute, "AWS/SQS", {"QueueName": "feedback"}, Age=value)
    alarm = an_alarm(Statistic=statistic, Threshold=threshold, EvaluationPeriods=1)
    assert alarm.state(metrics, 0) == state


@pytest.mark.parametrize("dimensions", [{}, {"QueueName": "other"}, {"QueueName": "feedback", "Region": "eu-west-1"}])
def test_metric_with_other_dimensions_is_another_metric(dimensions: dict[str, str]):
    metrics, alarm = Metrics(), an_alarm(EvaluationPeriods=1)
    metrics.publish(-1, "AWS/SQS", dimensions, Age=7)
    assert alarm.state(metrics, 0) == "OK"


def test_metrics_are_extracted_from_what_a_function_prints():
    directive = {"Namespace": "Aftersend", "Dimensions": [["Environment"]], "Metrics": [{"Name": "failed"}]}
    metrics = Metrics()
    metrics.publish_document(3, {"_aws": {"CloudWatchMetrics": [directive]}, "Environment": "prod", "failed": 2})
    assert metrics.values(Metric("Aftersend", "failed", frozenset({("Environment", "prod")})), 3, 4) == [2]


def test_alarm_the_evaluator_cannot_evaluate_is_an_error():
    for unknown in ({"Metrics": []}, {"TreatMissingData": "ignore"}):
        with pytest.raises(NotImplementedError, match=r"Pipeline\.Late"):
            an_alarm(**unknown)
