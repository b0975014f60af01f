"""Make the graphs of the dashboard: of configuration sets, of tag values, and of the pipeline itself."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from aftersend.config import Environment
from aftersend.config.alarms import HEARTBEATS
from aftersend.config.cost import alarm_names
from aftersend.contract import (
    ENVIRONMENT_DIMENSION,
    FAILED_OBJECTS_METRICS,
    METRICS_DIMENSIONS,
    METRICS_NAMESPACE,
    RATE_METRICS,
    TAG_DIMENSIONS,
)
from stacks.pipeline import Pipeline

Row = list[cloudwatch.IWidget]
Metrics = Sequence[cloudwatch.IMetric]

EVENT_GRAPHS = (
    {
        "Sent and delivered": ("send", "delivery", "delivery_delay", "reject", "rendering_failure"),
        "Opened and clicked": ("open", "click", "unique_opens", "unique_clicks"),
    },
    {
        "Bounces": ("hard_bounce", "soft_bounce", "sender_refused", "suppression_list_echo"),
        "Complaints": ("complaint", "not_spam"),
    },
)
"""Rows of graphs: the title and the measures of each."""

MAX_SETS = 25
"""Configuration sets that graphs show, the first of the file: more lines cannot be told apart, and CloudWatch draws
500 metrics in a widget and 2,500 on a dashboard ("CloudWatch quotas")."""

TAG_MEASURES = {"Sent": "send", "Hard bounces": "hard_bounce", "Complaints": "complaint"}
"""Measures of tag values with a graph each. A search finds up to 100 metrics, and new ones by itself."""

MINUTE, HOUR = cdk.Duration.minutes(1), cdk.Duration.hours(1)


def rate_graphs(environment: Environment) -> Row:
    """Return a graph of each rate of 24 hours, with the thresholds as lines."""
    return [graph for name in RATE_METRICS for graph in _rate_graph(environment, name)]


def _rate_graph(environment: Environment, name: str) -> Row:
    signal = name.removesuffix("_rate")
    levels = {level: f"{signal}_{level}_percent" for level in ("warning", "critical")}
    marks = {level: getattr(environment.reputation, setting) for level, setting in levels.items()}
    rates = [_of_set(environment, each, name, each, "Maximum", HOUR) for each in _set_names(environment)]
    return _graph(f"{signal.capitalize()} rate of 24 hours, %", rates, marks=marks)


def mail_graphs(environment: Environment) -> list[Row]:
    """Return rows of graphs of what happened a minute, for each configuration set."""
    return [
        [
            graph
            for title, measures in row.items()
            for graph in _graph(
                title,
                [
                    _of_set(environment, name, measure, f"{name} {measure.replace('_', ' ')}", "Sum", MINUTE)
                    for name in _set_names(environment)
                    for measure in measures
                ],
            )
        ]
        for row in EVENT_GRAPHS
    ]


def tag_graphs(environment: Environment) -> list[Row]:
    """Return a row for each counted tag whose values have metrics: a line for each value, and one for all others."""
    tags = environment.counted_tags if environment.tag_metric_values else ()
    return [
        [graph for title, measure in TAG_MEASURES.items() for graph in _tag_graph(environment, tag, title, measure)]
        for tag in tags
    ]


def _tag_graph(environment: Environment, tag: str, title: str, measure: str) -> Row:
    dimensions = ",".join((METRICS_NAMESPACE, ENVIRONMENT_DIMENSION, *TAG_DIMENSIONS))
    terms = f'{ENVIRONMENT_DIMENSION}="{environment.name}" {TAG_DIMENSIONS[0]}="{tag}" MetricName="{measure}"'
    search = cloudwatch.MathExpression(
        expression=f"SEARCH('{{{dimensions}}} {terms}', 'Sum')", label="", using_metrics={}, period=HOUR
    )
    return _graph(f"{title} an hour, by {tag}", [search], width=8)


def pipeline_graphs(environment: Environment, pipeline: Pipeline) -> Row:
    """Return graphs of what waits, of what failed, and of the scheduled functions that ran."""
    feedback, archive = pipeline.feedback, pipeline.archive
    waiting = {
        "feedback queue": feedback.queues.metric_oldest_message_seconds(),
        "archive queue": archive.queues.metric_oldest_message_seconds(),
        "Firehose": archive.stream.metric("DeliveryToS3.DataFreshness", statistic="Maximum"),
    }
    streams = {"counting": pipeline.counting.function, "list events": pipeline.suppression_events.function}
    late = {name: each.metric("IteratorAge", statistic="Maximum") for name, each in streams.items()}
    failed = {
        "feedback": feedback.queues.dead_letter_queue.metric_dead_letters(),
        "feedback subscription": feedback.subscription_dead_letter_queue.metric_dead_letters(),
        "archive": archive.queues.dead_letter_queue.metric_dead_letters(),
    }
    own = pipeline.alarms.own_metric
    stored = {name.replace("_", " "): own(name, "Maximum") for name in FAILED_OBJECTS_METRICS}
    beats = {
        name.replace("_", " "): own(name, "Sum")
        for alarm, name in HEARTBEATS.items()
        if alarm in alarm_names(environment)
    }
    return [
        *_graph("Age of the oldest record, seconds", _labelled(waiting), marks={"late": 15 * 60}, width=6),
        *_graph("Age of the oldest change, milliseconds", _labelled(late), marks={"late": 15 * 60_000}, width=6),
        *_graph("Dead letters and stored failures", _labelled(failed | stored), width=6),
        *_graph("Runs of scheduled functions an hour", _labelled(beats, HOUR), width=6),
    ]


def _set_names(environment: Environment) -> list[str]:
    return [*environment.configuration_sets][:MAX_SETS]


def _of_set(
    environment: Environment, name: str, measure: str, label: str, statistic: str, period: cdk.Duration
) -> cloudwatch.Metric:
    dimensions = dict(zip(METRICS_DIMENSIONS, (environment.name, name), strict=True))
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=measure,
        dimensions_map=dimensions,
        label=label,
        statistic=statistic,
        period=period,
    )


def _labelled(metrics: Mapping[str, cloudwatch.Metric], period: cdk.Duration | None = None) -> Metrics:
    return [metric.with_(label=label, period=period) for label, metric in metrics.items()]


def _graph(title: str, metrics: Metrics, *, marks: Mapping[str, float] | None = None, width: int = 12) -> Row:
    """Return a graph with horizontal lines at some values, or nothing where there are no metrics."""
    if not metrics:
        return []
    lines = [cloudwatch.HorizontalAnnotation(value=value, label=label) for label, value in (marks or {}).items()]
    axis = cloudwatch.YAxisProps(min=0, show_units=False)
    return [cloudwatch.GraphWidget(title=title, left=metrics, left_annotations=lines, left_y_axis=axis, width=width)]
