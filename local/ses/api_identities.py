"""Perform the actions of the SES API v1 that concern identity notifications and pausing."""

from collections.abc import Callable
from typing import Any

from local.ses.model import Parameters
from local.ses.records import NOTIFICATION_TYPES
from local.ses.responses import RequestError
from local.ses.simulator import SEND_QUOTA, LocalSes, NotificationSettings


def _update_configuration_set_sending_enabled(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    name = parameters["ConfigurationSetName"]
    try:
        ses.configuration.set_sending_enabled(name, enabled=parameters.get("Enabled", False))
    except KeyError:
        raise RequestError("ConfigurationSetDoesNotExist", f"Configuration set <{name}> does not exist.") from None
    return {}


def _get_identity_notification_attributes(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    settings = {name: _attributes(ses.notification_settings[name]) for name in parameters["Identities"]}
    return {"NotificationAttributes": settings}


def _attributes(settings: NotificationSettings) -> dict[str, Any]:
    topics = {f"{kind}Topic": topic for kind in NOTIFICATION_TYPES if (topic := settings.topics.get(kind))}
    headers = {f"HeadersIn{kind}NotificationsEnabled": kind in settings.headers for kind in NOTIFICATION_TYPES}
    return {**topics, **headers, "ForwardingEnabled": settings.forwarding}


def _get_identity_mail_from_domain_attributes(_ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    """Return no status: no MAIL FROM domain can fail without DNS."""
    value = {"BehaviorOnMXFailure": "UseDefaultValue"}
    return {"MailFromDomainAttributes": dict.fromkeys(parameters["Identities"], value)}


def _set_identity_notification_topic(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    identity, topic = _verified_identity(ses, parameters), parameters.get("SnsTopic")
    try:
        ses.set_topic(identity, parameters["NotificationType"], topic)
    except ses.emulator_client("sns").exceptions.NotFoundException:
        raise RequestError("InvalidParameterValue", f"Invalid SNS topic <{topic}>.") from None
    return {}


def _set_identity_headers_in_notifications_enabled(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    settings = ses.notification_settings[_verified_identity(ses, parameters)]
    kind = parameters["NotificationType"]
    if kind not in settings.topics:
        raise RequestError("InvalidParameterValue", f"No topic is set for {kind} notifications.")
    if parameters["Enabled"]:
        settings.headers.add(kind)
    else:
        settings.headers.discard(kind)
    return {}


def _set_identity_feedback_forwarding_enabled(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    settings = ses.notification_settings[_verified_identity(ses, parameters)]
    enabled = parameters["ForwardingEnabled"]
    if not enabled and not {"Bounce", "Complaint"} <= settings.topics.keys():
        reason = "Feedback is forwarded unless bounces and complaints have topics."
        raise RequestError("InvalidParameterValue", reason)
    settings.forwarding = enabled
    return {}


def _verified_identity(ses: LocalSes, parameters: Parameters) -> str:
    identity = parameters["Identity"]
    if not ses.is_verified(identity):
        raise RequestError("InvalidParameterValue", f"Identity {identity} is not verified.")
    return identity


def _update_account_sending_enabled(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    ses.account_sending_enabled = parameters.get("Enabled", False)
    return {}


def _get_send_quota(_ses: LocalSes, _parameters: Parameters) -> dict[str, Any]:
    return SEND_QUOTA


OPERATIONS: dict[str, Callable[[LocalSes, Parameters], dict[str, Any]]] = {
    "GetSendQuota": _get_send_quota,
    "UpdateAccountSendingEnabled": _update_account_sending_enabled,
    "UpdateConfigurationSetSendingEnabled": _update_configuration_set_sending_enabled,
    "GetIdentityNotificationAttributes": _get_identity_notification_attributes,
    "GetIdentityMailFromDomainAttributes": _get_identity_mail_from_domain_attributes,
    "SetIdentityNotificationTopic": _set_identity_notification_topic,
    "SetIdentityHeadersInNotificationsEnabled": _set_identity_headers_in_notifications_enabled,
    "SetIdentityFeedbackForwardingEnabled": _set_identity_feedback_forwarding_enabled,
}
