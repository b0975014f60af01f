"""Decode the images of the ledger's stream, as far as counting needs them: by type, which is compiled code.

To deserialize whole items takes three times as long, and counting reads nothing else of them.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec

from aftersend import ledger
from aftersend.events import Event


class _Text(msgspec.Struct):
    S: str


class _Time(msgspec.Struct):
    S: datetime


class _Number(msgspec.Struct):
    N: str


class _Texts(msgspec.Struct):
    L: list[_Text]


class _Tags(msgspec.Struct):
    M: dict[str, _Texts]


class _Image(msgspec.Struct):
    """The attributes of an item that `counting.contributions` depends on, as DynamoDB's API writes them."""

    kind: _Text
    sent_at: _Time | None = None
    occurred_at: _Time | None = None
    recipient: _Text | None = None
    source: _Text | None = None
    tags: _Tags | None = None
    bounce_type: _Text | None = None
    bounce_subtype: _Text | None = None
    action: _Text | None = None
    status: _Text | None = None
    feedback_type: _Text | None = None
    complaint_subtype: _Text | None = None
    machine: _Text | None = None
    link_tags: _Tags | None = None
    schema: _Number | None = None


def countable_event(image: Mapping[str, Any], tags: Collection[str]) -> Event:
    """Return the event of an image with what is counted of it, and of its tags those named.

    Raises:
        ValueError: if the image is not the item of an event.
        NewerSchema: if a newer version wrote it.
    """
    item = msgspec.convert(image, _Image)
    if item.schema:
        ledger.checked({"schema": int(item.schema.N)})
    counted = item.tags.M.items() if item.tags else ()
    return Event(
        kind=item.kind.S,
        sent_at=_value(item.sent_at),
        occurred_at=_value(item.occurred_at),
        recipient=_value(item.recipient),
        source=_value(item.source) or "",
        tags={name: [text.S for text in texts.L] for name, texts in counted if name in tags},
        bounce_type=_value(item.bounce_type),
        bounce_subtype=_value(item.bounce_subtype),
        action=_value(item.action),
        status=_value(item.status),
        feedback_type=_value(item.feedback_type),
        complaint_subtype=_value(item.complaint_subtype),
        machine=_value(item.machine),
        link_tags={name: [text.S for text in texts.L] for name, texts in item.link_tags.M.items()}
        if item.link_tags
        else {},
    )


def _value(attribute: _Text | _Time | None) -> Any:
    return attribute.S if attribute else None
