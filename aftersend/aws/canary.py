"""Send the canary's messages, and remember them in the counters table, in a partition that has no counters."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from aftersend.aws.clients import error_code
from aftersend.aws.serialization import deserialize, serialize
from aftersend.aws.table_query import query_items
from aftersend.canary import TAG, Sent
from aftersend.contract import EXPIRES, PARTITION_KEY, SORT_KEY

PARTITION = "canary"

REMEMBERED = timedelta(days=1)

TEXT = "This message of Aftersend tests whether events are published and recorded."


class Unverified(Exception):
    """SES has not verified the identity, and refuses the message. If it was verified once, check_identities reports."""


class CanaryMail:
    """Send messages through one configuration set."""

    def __init__(self, sesv2: Any, *, from_address: str, configuration_set: str) -> None:
        self._sesv2 = sesv2
        self._from_address, self._configuration_set = from_address, configuration_set

    def send(self, sent: Sent) -> None:
        """Send one message.

        Raises:
            Unverified: if SES does not know the sender.
            ClientError, BotoCoreError: if SES does not accept the message for another reason.
        """
        content = {"Subject": {"Data": "Canary"}, "Body": {"Text": {"Data": TEXT}}}
        try:
            self._sesv2.send_email(
                FromEmailAddress=self._from_address,
                Destination={"ToAddresses": [sent.recipient]},
                Content={"Simple": content},
                ConfigurationSetName=self._configuration_set,
                EmailTags=[dict(zip(("Name", "Value"), TAG, strict=True))],
            )
        except ClientError as error:
            # SES has no code of its own for it: "Amazon SES email sending errors" in the developer guide.
            if error_code(error) == "MessageRejected" and "is not verified" in str(error):
                raise Unverified from error
            raise


class SentMessages:
    """Remember which messages were sent."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def put(self, sent: Sent) -> None:
        """Remember a message for REMEMBERED."""
        keys = {PARTITION_KEY: PARTITION, SORT_KEY: f"{sent.run.isoformat()}#{sent.name}"}
        item = serialize(keys | {EXPIRES: int((sent.run + REMEMBERED).timestamp())})
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def all(self) -> Iterator[Sent]:
        """Yield every message that is remembered, the oldest run first."""
        condition, values = f"{PARTITION_KEY} = :partition", {":partition": PARTITION}
        for item in map(deserialize, query_items(self._dynamodb, self._table, condition, values, ConsistentRead=True)):
            run, _, name = item[SORT_KEY].partition("#")
            yield Sent(datetime.fromisoformat(run), name)
