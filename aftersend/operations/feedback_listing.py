"""Select feedback, and describe it as a row: what happened, to whom, and the rule that says why it matters. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from aftersend.events import Event
from aftersend.suppression import Policy, rule_for_feedback

COLUMNS = (
    *("sent_at", "occurred_at", "kind", "type", "subtype", "status", "diagnostic_code", "recipient"),
    *("message_id", "tags", "rule", "effect"),
)
"""The columns of the CSV format."""

OWN_TAGS_OF_SES = "ses:"


class FeedbackSelection(msgspec.Struct, frozen=True, kw_only=True):
    """Describe the feedback that is wanted; what is empty or None is not asked for."""

    tags: tuple[tuple[str, str], ...] = ()
    """Names and values of message tags, all of which the message has."""
    kinds: frozenset[str] = frozenset()
    since: datetime | None = None
    """Messages sent at this time or later."""
    until: datetime | None = None
    """Messages sent before this time."""

    def includes(self, event: Event) -> bool:
        sent_at = event.sent_at
        return (
            (not self.kinds or event.kind in self.kinds)
            and all(value in event.tags.get(name, ()) for name, value in self.tags)
            and (self.since is None or (sent_at is not None and self.since <= sent_at))
            and (self.until is None or (sent_at is not None and sent_at < self.until))
        )


def feedback_values(event: Event, policy: Policy) -> dict[str, Any]:
    """Return what a listing states about an event, by column: for a subscription, `type` is its source and `subtype`
    its contact list."""
    rule = rule_for_feedback(event, policy)
    return {
        "sent_at": event.sent_at,
        "occurred_at": event.occurred_at,
        "kind": event.kind,
        "type": event.bounce_type or event.feedback_type or event.subscription_source,
        "subtype": event.bounce_subtype or event.complaint_subtype or event.contact_list,
        "status": event.status,
        "diagnostic_code": event.diagnostic_code,
        "recipient": event.recipient_raw or event.recipient,
        "message_id": event.message_id,
        "tags": event.tags,
        "rule": rule and rule.id,
        "effect": rule and rule.effect.value,
    }


def flat_values(values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as texts, with the tags that are not SES's own as `name=value`, separated by spaces."""
    texts = {name: "" if value is None else str(msgspec.to_builtins(value)) for name, value in values.items()}
    return texts | {"tags": " ".join(own_tags(values["tags"]))}


def own_tags(tags: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the tags that are not SES's own, each as `name=value`."""
    return [
        f"{name}={each}" for name, values in tags.items() for each in values if not name.startswith(OWN_TAGS_OF_SES)
    ]
