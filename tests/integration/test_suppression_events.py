"""Subscribe to the event bus of the deployed pipeline, as docs/suppression.md describes."""

import json
from typing import Any

import pytest

from aftersend.recipient_hash import keyed_hash
from local.pipeline import LocalPipeline
from tests.integration.test_pipeline import a_bounce_of, wait_for

RECIPIENT = "unlucky-events@mail.example"


@pytest.fixture
def received(pipeline: LocalPipeline) -> Any:
    """Put a rule with a queue on the event bus; return a function that receives what has arrived."""
    events, sqs = pipeline.ses.emulator_client("events"), pipeline.ses.emulator_client("sqs")
    bus = pipeline.outputs["SuppressionEventBusArn"].rpartition("/")[2]
    queue = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="subscriber", EventBusName=bus, EventPattern=json.dumps({"source": ["aftersend"]}))
    events.put_targets(Rule="subscriber", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    arrived: list[dict[str, Any]] = []

    def receive() -> list[dict[str, Any]]:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()):
            arrived.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return arrived

    return receive


def test_suppressed_recipient_arrives_and_a_repetition_has_the_same_id(pipeline: LocalPipeline, received: Any):
    topic = pipeline.ses.notification_settings["bookshop.example"].topics["Bounce"]
    bounce = a_bounce_of(RECIPIENT)
    pipeline.ses.emulator_client("sns").publish(TopicArn=topic, Message=bounce)
    [event] = wait_for(received, "the event arrives")
    assert (event["source"], event["detail-type"]) == ("aftersend", "Recipient Suppressed")
    secrets = pipeline.ses.emulator_client("secretsmanager")
    key = secrets.get_secret_value(SecretId=pipeline.outputs["RecipientHashKeySecretArn"])["SecretString"]
    recipient_hash, detail = keyed_hash(RECIPIENT, key), event["detail"]
    since = json.loads(bounce)["bounce"]["timestamp"]
    assert detail.pop("since") <= max(since, json.loads(bounce)["mail"]["timestamp"])
    assert detail == {
        "id": f"{recipient_hash}:1:*",
        "environment": "local",
        "scope": "*",
        "version": 1,
        "reason": "bounce",
        "rule": "hard-bounce",
        "message_id": json.loads(bounce)["mail"]["messageId"],
        "recipient_hash": recipient_hash,
    }
    deliver_again(pipeline)
    assert wait_for(lambda: len(received()) > 1, "the repetition arrives")
    assert {each["detail"]["id"] for each in received()} == {detail["id"]}


def deliver_again(pipeline: LocalPipeline) -> None:
    """Invoke the function with the change of the entry once more, as Lambda may."""
    table = pipeline.outputs["SuppressionsTableName"]
    [item] = pipeline.ses.emulator_client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="partition_key = :recipient",
        ExpressionAttributeValues={":recipient": {"S": RECIPIENT}},
    )["Items"]
    record = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "NewImage": item}}
    response = pipeline.ses.emulator_client("lambda").invoke(
        FunctionName=pipeline.outputs["PublishSuppressionsFunctionName"], Payload=json.dumps({"Records": [record]})
    )
    assert json.loads(response["Payload"].read()) == {"batchItemFailures": []}
