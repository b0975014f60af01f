"""A function as Powertools for AWS Lambda documents it: Logger, Tracer, Metrics, batch processing and idempotency."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

logger, tracer, metrics = Logger(), Tracer(), Metrics()
processor = BatchProcessor(event_type=EventType.SQS)
persistence = DynamoDBPersistenceLayer(table_name="idempotency")
table = boto3.resource("dynamodb").Table("orders")


@idempotent_function(
    data_keyword_argument="record",
    persistence_store=persistence,
    config=IdempotencyConfig(event_key_jmespath="messageId"),
)
def record_order(record: SQSRecord) -> None:
    table.put_item(Item=record.json_body)
    metrics.add_metric(name="Orders", unit=MetricUnit.Count, value=1)


@tracer.capture_method
def handle_record(record: SQSRecord) -> None:
    logger.info("Recording an order.")
    record_order(record=record)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event=event, record_handler=handle_record, processor=processor, context=context)
