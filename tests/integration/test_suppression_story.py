"""Follow one address to the end: bounced, explained, published, listed by SES, removed, bounced again, forgotten."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

import aftersend
from aftersend.aws.erasure import Erasure
from aftersend.recipient_hash import keyed_hash
from local.emulator import REGION
from local.pipeline import LocalPipeline
from local.ses import SIMULATION_HEADER
from tests.integration.test_account_list import compare
from tests.integration.test_operations import run
from tests.integration.test_pipeline import wait_for

SPELLING, READER, NEIGHBOUR = "Unlucky.Reader@mail.example", "unlucky.reader@mail.example", "neighbour@mail.example"
SEND = {"event": "Send"}
BOUNCE = {
    "event": "Bounce",
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "action": "failed",
    "status": "5.1.1",
}
ECHO = {"event": "Bounce", "bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"}

COUNTS = Counter(send=2, hard_bounce=1, suppression_list_echo=1)
"""What is counted until the first removal."""


class Story:
    """Do what a sender, an operator, a subscriber, SES and Lambda do."""

    def __init__(self, pipeline: LocalPipeline) -> None:
        self.pipeline, self.account_list = pipeline, pipeline.ses.account_list
        self.began_at, self.archived_before = datetime.now(UTC), self.last_archived()
        self.tables = [pipeline.outputs[f"{name}TableName"] for name in ("Ledger", "Suppressions")]
        self.sesv2: Any = boto3.Session("test", "test", region_name=REGION).client(
            "sesv2", endpoint_url=pipeline.run.ses_endpoint
        )
        secret = pipeline.outputs["RecipientHashKeySecretArn"]
        secrets = pipeline.ses.emulator_client("secretsmanager")
        self.hash_key = secrets.get_secret_value(SecretId=secret)["SecretString"]
        self.changes, self.queue = self.iterate_changes(), self.subscribe()
        self.published: list[dict[str, Any]] = []

    def send(self, recipient: str, *events: dict[str, Any], campaign: str = "story") -> str:
        """Send a message; with events, these happen instead of what SES decides."""
        header = {"Name": SIMULATION_HEADER, "Value": json.dumps({"events": [*events]})}
        return self.sesv2.send_email(
            FromEmailAddress="news@bookshop.example",
            Destination={"ToAddresses": [recipient]},
            Content={"Simple": {"Subject": {"Data": ""}, "Body": {}, "Headers": [header] if events else []}},
            EmailTags=[{"Name": "campaign", "Value": campaign}],
            ConfigurationSetName="newsletter",
        )["MessageId"]

    def refused(self, address: str = SPELLING) -> str | None:
        """Return the rule for which `check` refuses an address; None if it is allowed."""
        dynamodb = self.pipeline.ses.emulator_client("dynamodb")
        result = aftersend.check([address], table=self.tables[1], client=dynamodb, hash_key=self.hash_key)
        return next((each.rule or each.reason for each in result.suppressed.values()), None)

    def explain(self) -> dict[str, Any]:
        return json.loads(run("suppressions", "explain", READER, "--json").stdout)

    def is_listed(self) -> bool:
        return SPELLING in self.account_list.addresses

    def is_recorded(self, message: str, subtype: str) -> bool:
        events = self.pipeline.events_for(READER)
        return any((event.message_id, event.bounce_subtype) == (message, subtype) for event in events)

    def counts(self) -> Counter[str]:
        """Return what is counted for the campaign, by measure."""
        counts = self.pipeline.result().counts
        return Counter(key.measure for key in counts.elements() if key.value == "story")

    def process(self) -> None:
        list(self.pipeline.wait_until_processed())

    def replay(self) -> None:
        """Announce again what was archived since the story began."""
        hours = ("--from", self.began_at.isoformat(), "--to", (self.began_at + timedelta(hours=1)).isoformat())
        after = ("--after", self.archived_before) if self.archived_before else ()
        replayed = run("replay", *hours, *after, "--yes")
        assert "Announced" in replayed.stdout, replayed.output

    def last_archived(self) -> str:
        s3, bucket = self.pipeline.ses.emulator_client("s3"), self.pipeline.outputs["ArchiveBucketName"]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="events/2")
        return max((item["Key"] for page in pages for item in page.get("Contents", ())), default="")

    def subscribe(self) -> str:
        """Put a rule with a queue on the event bus, as docs/suppression.md describes; return the queue's URL."""
        events, sqs = self.pipeline.ses.emulator_client("events"), self.pipeline.ses.emulator_client("sqs")
        bus = self.pipeline.outputs["SuppressionEventBusArn"].rpartition("/")[2]
        pattern = {"source": ["aftersend"], "detail": {"recipient_hash": [keyed_hash(READER, self.hash_key)]}}
        queue = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="subscriber", EventBusName=bus, EventPattern=json.dumps(pattern))
        events.put_targets(Rule="subscriber", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        return queue

    def receive(self) -> list[dict[str, Any]]:
        """Return every event that has arrived, in the order of versions."""
        sqs = self.pipeline.ses.emulator_client("sqs")
        for message in sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", ()):
            self.published.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return sorted(self.published, key=lambda event: event["detail"]["version"])

    def iterate_changes(self) -> str:
        """Return a position in the stream of the suppressions table: its end."""
        table = self.pipeline.ses.emulator_client("dynamodb").describe_table(TableName=self.tables[1])["Table"]
        streams, arn = self.pipeline.ses.emulator_client("dynamodbstreams"), table["LatestStreamArn"]
        [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        return streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST")[
            "ShardIterator"
        ]

    def publish_again(self) -> None:
        """Give the function all changes since the story began once more, as Lambda may."""
        streams, functions = (self.pipeline.ses.emulator_client(name) for name in ("dynamodbstreams", "lambda"))
        records = streams.get_records(ShardIterator=self.changes)["Records"]
        assert records
        answer = functions.invoke(
            FunctionName=self.pipeline.outputs["PublishSuppressionsFunctionName"],
            Payload=json.dumps({"Records": records}, default=str),
        )
        assert json.loads(answer["Payload"].read()) == {"batchItemFailures": []}


@pytest.fixture
def story(pipeline: LocalPipeline) -> Story:
    return Story(pipeline)


def test_bounced_address_is_refused_until_removed_and_by_a_new_bounce_alone_and_for_ever_once_forgotten(story: Story):
    assert story.refused() is None
    first = story.send(SPELLING, SEND, BOUNCE)
    wait_for(lambda: story.refused() == "hard-bounce", "the bounce suppresses")
    published_once_per_change(story, first)
    listed_by_ses_and_put_back_by_the_comparison(story)
    explained(story, first)
    removed_from_both_lists(story)
    second = story.send(SPELLING, SEND, BOUNCE)
    wait_for(lambda: story.refused() == "hard-bounce", "a new bounce suppresses")
    published_again_with_the_same_ids(story, [first, None, second])
    forgotten(story)


def published_once_per_change(story: Story, first: str) -> None:
    [event] = wait_for(story.receive, "the event arrives")
    assert (event["source"], event["detail-type"]) == ("aftersend", "Recipient Suppressed")
    recipient_hash, detail = keyed_hash(READER, story.hash_key), event["detail"]
    assert datetime.fromisoformat(detail.pop("since")) >= story.began_at
    assert detail == {
        "id": f"{recipient_hash}:1:*",
        "environment": "local",
        "scope": "*",
        "version": 1,
        "reason": "bounce",
        "rule": "hard-bounce",
        "message_id": first,
        "recipient_hash": recipient_hash,
    }


def listed_by_ses_and_put_back_by_the_comparison(story: Story) -> None:
    assert story.is_listed(), "SES lists it by itself"
    story.account_list.delete(SPELLING)
    wait_for(lambda: compare(story.pipeline) and story.is_listed(), "the comparison puts it on the list")
    assert story.account_list.get(SPELLING).reason == "BOUNCE"


def explained(story: Story, first: str) -> None:
    echoed = story.send(READER)
    wait_for(lambda: story.is_recorded(echoed, "OnAccountSuppressionList"), "SES refuses to send, and says so")
    explanation = story.explain()
    [scope] = explanation["scopes"]
    assert scope["verdict"].startswith("Suppressed everywhere: hard-bounce since ")
    assert scope["lifted_when"] == "An operator removes the address."
    assert [each["address"] for each in explanation["account_list"]["spellings"] if each["listed"]] == [SPELLING]
    moments = {(each["event"]["message_id"], each["rule"]): each["is_evidence"] for each in explanation["events"]}
    assert moments.pop((first, "hard-bounce"))
    assert not moments.pop((echoed, "suppression-list-echo"))
    assert not any(moments.values()), "nothing else is evidence"


def removed_from_both_lists(story: Story) -> None:
    removed = run("suppressions", "remove", READER, "--note", "mailbox was repaired")
    assert (removed.exit_code, story.refused(), story.is_listed()) == (0, None, False), removed.output
    story.pipeline.ses.drain()
    wait_for(lambda: story.counts() == COUNTS, "both messages are counted")
    story.replay()
    echoed = story.send(READER, SEND, ECHO, campaign="echo")
    wait_for(lambda: story.is_recorded(echoed, ECHO["bounceSubType"]), "the echo is recorded")
    story.process()
    compare(story.pipeline)
    assert (story.refused(), story.is_listed()) == (None, False), "neither duplicates nor echoes undo the removal"
    assert story.counts() == COUNTS, "duplicates are not counted"


def published_again_with_the_same_ids(story: Story, messages: list[str | None]) -> None:
    changes = ["Recipient Suppressed", "Suppression Lifted", "Recipient Suppressed"]
    wait_for(lambda: len(story.receive()) == len(changes), "each change is published")
    events = story.receive()
    assert [each["detail-type"] for each in events] == changes
    assert [each["detail"].get("message_id") for each in events] == messages
    story.publish_again()
    wait_for(lambda: len(story.receive()) > len(changes), "the repetitions arrive")


def forgotten(story: Story) -> None:
    """Forget the reader, and erase a neighbour without forgetting them: a replay restores the neighbour alone."""
    story.send(NEIGHBOUR, SEND, BOUNCE, campaign="neighbour")
    wait_for(lambda: story.refused(NEIGHBOUR), "the neighbour is suppressed")
    story.process()
    counts = COUNTS + Counter(send=1, hard_bounce=1)
    assert story.counts() == counts
    erased = json.loads(run("forget", READER, "--account-list", "--yes", "--json").stdout)
    assert (erased["entries"], erased["account_list"], erased["events"] > 0) == (1, 1, True)
    Erasure(story.pipeline.ses.emulator_client("dynamodb"), *story.tables).erase(NEIGHBOUR)
    assert (story.refused(), story.refused(NEIGHBOUR)) == ("forgotten", None)
    story.replay()
    wait_for(lambda: story.refused(NEIGHBOUR), "the replay restores the neighbour")
    story.process()
    compare(story.pipeline)
    explanation = story.explain()
    assert (explanation["forgotten"], explanation["scopes"], explanation["events"]) == (True, [], [])
    assert (story.refused(), story.is_listed()) == ("forgotten", False)
    assert story.counts() == counts, "nothing is counted twice"
    assert len({each["detail"]["id"] for each in story.receive()}) == 3, "repetitions have the ids of the first copies"
