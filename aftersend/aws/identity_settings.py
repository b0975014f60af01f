"""What SES keeps per identity and CloudFormation cannot set: the notification topics. SES API v1; there is no v2."""

import time
from collections.abc import Callable
from typing import Any

NOTIFICATION_TYPES = ("Bounce", "Complaint", "Delivery")

PACE_SECONDS = 1.0
"""SES takes one call a second of everything but sending ("Service quotas in Amazon SES")."""


class IdentitySettings:
    """The notification settings of identities."""

    def __init__(self, ses: Any, pause: Callable[[float], None] = time.sleep) -> None:
        self._ses = ses
        self._pause = pause

    def set_topics(self, identity: str, topics: dict[str, str]) -> None:
        """Have SES publish each notification type to its topic; types without a topic are published no more."""
        for notification_type in NOTIFICATION_TYPES:
            topic = topics.get(notification_type)
            self._ses.set_identity_notification_topic(
                Identity=identity,
                NotificationType=notification_type,
                **({"SnsTopic": topic} if topic else {}),
            )
            self._pause(PACE_SECONDS)
