"""Measure the processor time of an event beside that of the consumers that are usually written for SES's events.

    python -m benchmarks.cpu

All take turns with the lines of one object of the archive and add to the same counters. boto3 serializes, signs and
parses every request; what answers takes no part in the time. The bounces and complaints were recorded over SNS before.
"""

import argparse
import gc
import json
import logging
import os
import statistics
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
from botocore.awsrequest import AWSResponse

from aftersend.aws.clients import client
from benchmarks.cost import COUNTED, FEEDBACK, MIX, archive_lines
from tests.world import calls
from tests.world.world import World, function_process

OBJECTS_MIX = {kind: 3 * number for kind, number in MIX.items()}
"""The events of one object: 3,000 lines."""

STREAM_BATCH = 1_000
"""Changes that count_tags counts at once."""

TAGS = ("ses:from-domain", "ses:configuration-set", *COUNTED.tags)

Consumer = Callable[[list[str]], float]
"""Records and counts the events of lines, and returns the seconds of processor time it took."""


class Body:
    """The body of a response, as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self) -> Iterator[bytes]:
        yield self.content


class Endpoint:
    """Answer the requests of DynamoDB clients within the process, and measure all other processor time."""

    def __init__(self) -> None:
        self.respond: calls.Responder = lambda operation, call: {}
        self.seconds = 0.0

    def attach(self, dynamodb: Any) -> None:
        dynamodb.meta.events.register("before-send.dynamodb", self._answer)

    def measure(self, action: Callable[[], Any]) -> float:
        gc.collect()
        gc.freeze()  # no collection walks through the model
        started, answering = time.process_time(), self.seconds
        action()
        seconds = time.process_time() - started - (self.seconds - answering)
        gc.unfreeze()
        return seconds

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        started = time.process_time()
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        try:
            status, response = 200, self.respond(operation, json.loads(request.body))
        except calls.Fault as fault:
            status, response = 400, {"__type": fault.parsed["Error"]["Code"]}
        answer = AWSResponse(request.url, status, {}, Body(json.dumps(response).encode()))
        self.seconds += time.process_time() - started
        return answer


def aftersend(endpoint: Endpoint) -> Consumer:
    """Return record_archive and count_tags, on the model of AWS in tests/world."""
    endpoint.attach(client("dynamodb"))

    def consume(lines: list[str]) -> float:
        seconds = 0.0
        endpoint.respond = lambda operation, call: calls.responder.get()(operation, call)
        with mock.patch.dict(calls.CLIENTS, dynamodb=client("dynamodb")), function_process(COUNTED):
            world = _world_with_feedback(lines)

            def measured(invoke: Callable[[Any], Any]) -> Callable[[Any], Any]:
                def invoke_measured(event: Any) -> Any:
                    nonlocal seconds
                    responses: list[Any] = []
                    seconds += endpoint.measure(lambda: responses.append(invoke(event)))
                    return responses[0]

                return invoke_measured

            for mapping in (world.object_mapping, world.ledger_mapping):
                mapping.invoke = measured(mapping.invoke)
            world.object_mapping.step(limit=1)
            shard = world.ledger_mapping.table.shards[0]
            for start in range(0, len(shard.records), STREAM_BATCH):
                world.ledger_mapping.deliver(shard, start, min(start + STREAM_BATCH, len(shard.records)))
        return seconds

    return consume


def _world_with_feedback(lines: list[str]) -> World:
    world = World(seed=0)
    for line in lines:
        if json.loads(line)["eventType"] in FEEDBACK:
            world.publish(line)
    while not world.feedback_mapping.is_done():
        world.feedback_mapping.step()
    world.store(lines, "object-1")
    return world


def naive(endpoint: Endpoint) -> Consumer:
    """Return a consumer that puts each event and updates each counter, with boto3's table resource."""
    dynamodb = boto3.resource("dynamodb")
    endpoint.attach(dynamodb.meta.client)
    events, counters = dynamodb.Table("events"), dynamodb.Table("counters")

    def consume_line(line: str) -> None:
        record = json.loads(line)
        events.put_item(Item=_plain_item(record))
        _update_counters(counters, record)

    return _each_line(endpoint, consume_line)


def powertools(endpoint: Endpoint) -> Consumer:
    """Return a consumer that is made idempotent by Powertools, record by record, and updates each counter."""
    session = boto3.Session()
    dynamodb = session.resource("dynamodb")
    layer = DynamoDBPersistenceLayer(table_name="idempotency", boto3_client=session.client("dynamodb"))
    for each in (dynamodb.meta.client, layer.client):
        endpoint.attach(each)
    counters = dynamodb.Table("counters")
    config = IdempotencyConfig(event_key_jmespath="[eventType, mail.messageId, mail.destination]")
    config.register_lambda_context(SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000))  # ty: ignore[invalid-argument-type]

    @idempotent_function(data_keyword_argument="record", persistence_store=layer, config=config)
    def consume_once(record: dict[str, Any]) -> None:
        _update_counters(counters, record)

    return _each_line(endpoint, lambda line: consume_once(record=json.loads(line)))


def _each_line(endpoint: Endpoint, consume_line: Callable[[str], None]) -> Consumer:
    def consume(lines: list[str]) -> float:
        endpoint.respond = lambda operation, call: {}
        return endpoint.measure(lambda: [consume_line(line) for line in lines])

    return consume


def _plain_item(record: dict[str, Any]) -> dict[str, Any]:
    mail, kind = record["mail"], record["eventType"]
    details = record[kind[0].lower() + kind[1:]]
    key = {"recipient": mail["destination"][0], "event": f"{mail['messageId']}#{kind}#{details.get('timestamp')}"}
    return key | {"sent_at": mail["timestamp"], "source": mail["source"], "tags": mail["tags"], "details": details}


def _update_counters(counters: Any, record: dict[str, Any]) -> None:
    mail = record["mail"]
    for tag in TAGS:
        for value in mail["tags"].get(tag, ()):
            counters.update_item(
                Key={"tag": f"{tag}#{value}", "hour": mail["timestamp"][:13]},
                UpdateExpression="ADD #kind :one",
                ExpressionAttributeNames={"#kind": record["eventType"]},
                ExpressionAttributeValues={":one": 1},
            )


def measure(rounds: int) -> dict[str, float]:
    """Return the median seconds of an event by consumer. All take turns in each round."""
    lines = archive_lines(OBJECTS_MIX)
    consumers = {"Aftersend": aftersend, "the naive consumer": naive, "Powertools idempotency": powertools}
    made = {name: make(Endpoint()) for name, make in consumers.items()}
    seconds = [{name: consume(lines) / len(lines) for name, consume in made.items()} for _ in range(rounds)]
    return {name: statistics.median(each[name] for each in seconds) for name in made}


def figures(seconds: dict[str, float]) -> dict[str, float]:
    """Return how many times Aftersend's processor time each of the others takes, by the name of the figure."""
    own, *others = seconds.items()
    return {f"processor time of {name}, in Aftersend's": value / own[1] for name, value in others}


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the processor time of an event with other consumers'.")
    parser.add_argument("--rounds", type=int, default=3, help="rounds in which all consumers take turns (3)")
    parser.add_argument("--figures", action="store_true", help="print the ratios as JSON")
    arguments = parser.parse_args()
    logging.disable()
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    with mock.patch.dict(os.environ, credentials):
        seconds = measure(arguments.rounds)
    if arguments.figures:
        print(json.dumps(figures(seconds)))
        return
    for name, value in seconds.items():
        print(f"{name}: {value * 1e6:.0f} µs an event")
    for name, ratio in figures(seconds).items():
        print(f"{name}: {ratio:.1f} times")


if __name__ == "__main__":
    main()
