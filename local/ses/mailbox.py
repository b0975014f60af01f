"""Keep the messages that were delivered, as their recipients have them, and the records of their events."""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from email.message import Message as Mime
from typing import Any

from local.ses import mime, tracking
from local.ses.addresses import address_of
from local.ses.records import Message

MAX_MESSAGES, MAX_RECORDS = 5_000, 20_000
"""How many are kept; then the oldest are dropped, so that a long run does not fill the memory."""


@dataclass(frozen=True)
class DeliveredMessage:
    """A message with the links that lead back to the local SES."""

    message: Message
    content: Mime
    recipients: list[str]
    links: list[tracking.Link] = field(default_factory=list)
    list_management: dict[str, Any] | None = None

    def describe(self) -> dict[str, Any]:
        """Return the message as `GET /messages` does."""
        html = mime.body(self.content, "html")
        return {
            "id": self.message.id,
            "operation": self.message.operation,
            "source": self.message.source,
            "recipients": self.recipients,
            "configuration_set": self.message.configuration_set,
            "tags": self.message.tags,
            "subject": self.message.subject,
            "headers": [[name, str(value)] for name, value in self.content.items()],
            "text": mime.body(self.content, "plain"),
            "html": html,
            "links": list(tracking.find_links(html or "")),
        }


class Mailbox:
    """The mailbox of all recipients."""

    def __init__(self) -> None:
        self._messages: OrderedDict[str, DeliveredMessage] = OrderedDict()
        self._records: deque[dict[str, Any]] = deque(maxlen=MAX_RECORDS)
        self._lock = threading.Lock()

    def put(self, delivered: DeliveredMessage) -> None:
        with self._lock:
            self._messages[delivered.message.id] = delivered
            if len(self._messages) > MAX_MESSAGES:
                self._messages.popitem(last=False)

    def get(self, message_id: str) -> DeliveredMessage | None:
        return self._messages.get(message_id)

    def messages(self, recipient: str | None = None) -> list[DeliveredMessage]:
        """Return the messages of a recipient, or all, oldest first."""
        with self._lock:
            listed = list(self._messages.values())
        return [each for each in listed if recipient is None or recipient in map(address_of, each.recipients)]

    def add_record(self, record: dict[str, Any]) -> None:
        with self._lock:
            self._records.append(record)

    def records(self, message_id: str | None = None) -> list[dict[str, Any]]:
        """Return the records of event publishing of a message, or all, oldest first."""
        with self._lock:
            listed = list(self._records)
        return [each for each in listed if message_id is None or each["mail"]["messageId"] == message_id]

    def clear(self) -> None:
        with self._lock:
            self._messages.clear()
            self._records.clear()
