"""What SES keeps per identity and CloudFormation cannot set: notification topics, headers in notifications, and whether
feedback is forwarded by e-mail. SES API v1; v2 has no topics.

Source: SES API reference v1, and "Receiving Amazon SES notifications using Amazon SNS" in the SES developer guide.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from aftersend.contract import NOTIFICATION_TYPES, NotificationSettings

PACE_SECONDS = 1.0
"""SES takes one call a second of everything but sending ("Service quotas in Amazon SES"). The local SES takes any."""

ASKED_AT_ONCE = 100
"""Identities one call may ask about."""


def differences(current: NotificationSettings, wanted: NotificationSettings) -> list[str]:
    """In what two settings differ, in words; empty where they are the same."""
    apart = [
        f"{kind} goes to {current.topics.get(kind, 'no topic')}, wanted: {wanted.topics.get(kind, 'no topic')}"
        for kind in NOTIFICATION_TYPES
        if current.topics.get(kind) != wanted.topics.get(kind)
    ]
    headers = {kind for kind in current.headers if kind in current.topics}  # without a topic they mean nothing
    apart += [f"headers in {kind} notifications" for kind in sorted(headers ^ set(wanted.headers))]
    if current.forwarding != wanted.forwarding:
        apart.append(f"feedback forwarding is {'on' if current.forwarding else 'off'}")
    return apart


class IdentitySettings:
    """The notification settings of identities, read and changed at the pace SES allows."""

    def __init__(
        self, ses: Any, *, pace_seconds: float = PACE_SECONDS, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._ses = ses
        self._pause = lambda: pause(pace_seconds)

    def current(self, identities: Iterable[str]) -> dict[str, NotificationSettings]:
        """The settings of each identity as SES has them; of one it does not know, as it would have them."""
        asked = list(identities)
        called = self._called_for(asked, self._ses.get_identity_notification_attributes)
        told = {name: _settings(found) for answer in called for name, found in answer["NotificationAttributes"].items()}
        return {name: told.get(name, NotificationSettings()) for name in asked}

    def verified(self, identities: Iterable[str]) -> set[str]:
        """Which of the identities are verified: SES takes settings of no others."""
        called = self._called_for(identities, self._ses.get_identity_verification_attributes)
        return {
            name
            for answer in called
            for name, found in answer["VerificationAttributes"].items()
            if found["VerificationStatus"] == "Success"
        }

    def change(self, identity: str, current: NotificationSettings, wanted: NotificationSettings) -> None:
        """Change what is not as wanted, and only that: repeating it after an interruption does the rest."""
        for call in self._changes(identity, current, wanted):
            call()
            self._pause()

    def _changes(
        self, identity: str, current: NotificationSettings, wanted: NotificationSettings
    ) -> Iterator[Callable[[], Any]]:
        """In an order SES takes: headers change where there is a topic; feedback is forwarded before topics go, and
        is no more only when they are there."""
        forward = self._ses.set_identity_feedback_forwarding_enabled
        enable_headers = self._ses.set_identity_headers_in_notifications_enabled
        if wanted.forwarding and not current.forwarding:
            yield lambda: forward(Identity=identity, ForwardingEnabled=True)
        for kind in NOTIFICATION_TYPES:
            if kind in current.headers and kind in current.topics and kind not in wanted.headers:
                yield lambda kind=kind: enable_headers(Identity=identity, NotificationType=kind, Enabled=False)
        for kind in NOTIFICATION_TYPES:
            topic = wanted.topics.get(kind)
            if topic != current.topics.get(kind):
                parameters = {"SnsTopic": topic} if topic else {}
                yield lambda kind=kind, parameters=parameters: self._ses.set_identity_notification_topic(
                    Identity=identity, NotificationType=kind, **parameters
                )
        for kind in NOTIFICATION_TYPES:
            if kind in wanted.headers and kind not in current.headers:
                yield lambda kind=kind: enable_headers(Identity=identity, NotificationType=kind, Enabled=True)
        if current.forwarding and not wanted.forwarding:
            yield lambda: forward(Identity=identity, ForwardingEnabled=False)

    def _called_for(self, identities: Iterable[str], call: Callable[..., Any]) -> Iterator[Any]:
        asked = list(identities)
        for start in range(0, len(asked), ASKED_AT_ONCE):
            yield call(Identities=asked[start : start + ASKED_AT_ONCE])
            self._pause()


def _settings(found: dict[str, Any]) -> NotificationSettings:
    topics = {kind: found.get(f"{kind}Topic") for kind in NOTIFICATION_TYPES}
    return NotificationSettings(
        topics={kind: topic for kind, topic in topics.items() if topic},
        headers=tuple(kind for kind in NOTIFICATION_TYPES if found.get(f"HeadersIn{kind}NotificationsEnabled")),
        forwarding=found["ForwardingEnabled"],
    )
