"""Read and change the notification settings that SES stores per identity and CloudFormation cannot set: topics, headers
in notifications and feedback forwarding. They belong to the SES API v1; v2 has no topics.

Source: SES API reference v1, and "Receiving Amazon SES notifications using Amazon SNS" in the SES developer guide.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from aftersend.aws.clients import PACE_SECONDS, error_code
from aftersend.contract import NOTIFICATION_TYPES, NotificationSettings

MAX_IDENTITIES_PER_CALL = 100


def differences(current: NotificationSettings, wanted: NotificationSettings) -> list[str]:
    """Describe in which settings SES differs from what is wanted; empty if in none."""
    descriptions = [
        f"{kind} notifications go to {current.topics.get(kind, 'no topic')} instead of "
        f"{wanted.topics.get(kind, 'no topic')}"
        for kind in NOTIFICATION_TYPES
        if current.topics.get(kind) != wanted.topics.get(kind)
    ]
    headers = {kind for kind in current.headers if kind in current.topics}  # without a topic they have no effect
    descriptions += [
        f"{kind} notifications {'have' if kind in headers else 'do not have'} the original headers"
        for kind in sorted(headers ^ set(wanted.headers))
    ]
    if current.forwarding != wanted.forwarding:
        descriptions.append(f"feedback forwarding is {'on' if current.forwarding else 'off'}")
    return descriptions


class IdentitySettings:
    """Read and change the notification settings of identities at the pace that SES allows."""

    def __init__(
        self, ses: Any, *, pace_seconds: float = PACE_SECONDS, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._ses = ses
        self._pause = lambda: pause(pace_seconds)

    def current(self, identities: Iterable[str]) -> dict[str, NotificationSettings]:
        """Return the settings of each identity; for an identity that does not exist, SES's defaults."""
        names = list(identities)
        known = {
            name: _settings(attributes)
            for response in self._call_for(names, self._ses.get_identity_notification_attributes)
            for name, attributes in response["NotificationAttributes"].items()
        }
        return {name: known.get(name, NotificationSettings()) for name in names}

    def verified(self, identities: Iterable[str]) -> set[str]:
        """Return which of the identities are verified. SES accepts settings of no others."""
        operation = self._ses.get_identity_verification_attributes
        statuses = self._statuses(identities, operation, "Verification", "VerificationStatus")
        return {name for name, status in statuses if status == "Success"}

    def failed_dkim(self, identities: Iterable[str]) -> list[str]:
        """Return the identities whose DKIM records SES no longer finds, or never has. Addresses have their domain's."""
        statuses = self._statuses(identities, self._ses.get_identity_dkim_attributes, "Dkim", "DkimVerificationStatus")
        return sorted(name for name, status in statuses if status in ("Failed", "TemporaryFailure"))

    def failed_mail_from(self, identities: Iterable[str]) -> list[str]:
        """Return the identities whose MAIL FROM domain lacks its MX record: SES uses its own, or rejects the mail."""
        operation = self._ses.get_identity_mail_from_domain_attributes
        statuses = self._statuses(identities, operation, "MailFromDomain", "MailFromDomainStatus")
        return sorted(name for name, status in statuses if status == "Failed")

    def _statuses(
        self, identities: Iterable[str], operation: Callable[..., Any], subject: str, key: str
    ) -> Iterator[tuple[str, str | None]]:
        for response in self._call_for(identities, operation):
            for name, attributes in response[f"{subject}Attributes"].items():
                yield name, attributes.get(key)

    def change(self, identity: str, current: NotificationSettings, wanted: NotificationSettings) -> None:
        """Change the settings that differ, and no others. Repeating it after an interruption changes the rest."""
        for call in self._changes(identity, current, wanted):
            call()
            self._pause()

    def restore(self, identity: str, previous: NotificationSettings) -> list[str]:
        """Set previous settings as far as SES accepts them. Return the topics it refuses, which may have been deleted
        since: their notification types get none, and feedback is forwarded where it would go nowhere."""
        current = self.current([identity])[identity].topics
        topics = dict(previous.topics)
        for kind, topic in previous.topics.items():
            if topic != current.get(kind) and not self._accepts(identity, kind, topic):
                del topics[kind]
        possible = msgspec.structs.replace(
            previous,
            topics=topics,
            headers=tuple(kind for kind in previous.headers if kind in topics),
            forwarding=previous.forwarding or not {"Bounce", "Complaint"} <= topics.keys(),
        )
        self.change(identity, self.current([identity])[identity], possible)
        return sorted({*previous.topics.values()} - {*topics.values()})

    def _accepts(self, identity: str, kind: str, topic: str) -> bool:
        """Set a topic, and return whether SES accepts it."""
        try:
            self._ses.set_identity_notification_topic(Identity=identity, NotificationType=kind, SnsTopic=topic)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if status != HTTPStatus.BAD_REQUEST or "Throttl" in error_code(error):
                raise  # not about the topic
            return False
        finally:
            self._pause()
        return True

    def _changes(
        self, identity: str, current: NotificationSettings, wanted: NotificationSettings
    ) -> Iterator[Callable[[], Any]]:
        """Return the necessary calls in an order that SES accepts: headers need a topic, and feedback must always go
        somewhere. So forwarding is enabled before topics are removed, and disabled after they are set."""
        set_forwarding = self._ses.set_identity_feedback_forwarding_enabled
        set_headers = self._ses.set_identity_headers_in_notifications_enabled
        if wanted.forwarding and not current.forwarding:
            yield lambda: set_forwarding(Identity=identity, ForwardingEnabled=True)
        for kind in NOTIFICATION_TYPES:
            if kind in current.headers and kind in current.topics and kind not in wanted.headers:
                yield lambda kind=kind: set_headers(Identity=identity, NotificationType=kind, Enabled=False)
        for kind in NOTIFICATION_TYPES:
            topic = wanted.topics.get(kind)
            if topic != current.topics.get(kind):
                parameters = {"SnsTopic": topic} if topic else {}
                yield lambda kind=kind, parameters=parameters: self._ses.set_identity_notification_topic(
                    Identity=identity, NotificationType=kind, **parameters
                )
        for kind in NOTIFICATION_TYPES:
            if kind in wanted.headers and kind not in current.headers:
                yield lambda kind=kind: set_headers(Identity=identity, NotificationType=kind, Enabled=True)
        if current.forwarding and not wanted.forwarding:
            yield lambda: set_forwarding(Identity=identity, ForwardingEnabled=False)

    def _call_for(self, identities: Iterable[str], operation: Callable[..., Any]) -> Iterator[Any]:
        names = list(identities)
        for start in range(0, len(names), MAX_IDENTITIES_PER_CALL):
            yield operation(Identities=names[start : start + MAX_IDENTITIES_PER_CALL])
            self._pause()


def _settings(attributes: dict[str, Any]) -> NotificationSettings:
    topics = {kind: attributes.get(f"{kind}Topic") for kind in NOTIFICATION_TYPES}
    return NotificationSettings(
        topics={kind: topic for kind, topic in topics.items() if topic},
        headers=tuple(kind for kind in NOTIFICATION_TYPES if attributes.get(f"HeadersIn{kind}NotificationsEnabled")),
        forwarding=attributes["ForwardingEnabled"],
    )
