"""Perform the actions of the SES API v1 that send mail or concern identity notifications."""

import re
from base64 import b64decode
from collections.abc import Callable
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from local.ses.records import NOTIFICATION_TYPES
from local.ses.responses import RequestError, Response, xml_error, xml_response
from local.ses.sending import accept, accept_raw
from local.ses.simulator import LocalSes, NotificationSettings


def perform_v1(ses: LocalSes, method: str, path: str, body: bytes) -> Response | None:
    """Return the response to an action in _ACTIONS, or None for every other request."""
    if (method, path) != ("POST", "/") or not body.startswith(b"Action="):
        return None
    parameters = dict(parse_qsl(body.decode(), keep_blank_values=True))
    name = parameters["Action"]
    if name not in _ACTIONS:
        return None
    try:
        return xml_response(name, _ACTIONS[name](ses, parameters))
    except RequestError as error:
        return xml_error(error)


def _send_email(ses: LocalSes, parameters: dict[str, str]) -> str:
    message_id = accept(
        ses,
        source=parameters["Source"],
        destination=_members(parameters, "Destination."),
        subject=parameters["Message.Subject.Data"],
        configuration_set=parameters.get("ConfigurationSetName"),
        tags=_tags(parameters),
        headers={},
    )
    return f"<MessageId>{message_id}</MessageId>"


def _send_raw_email(ses: LocalSes, parameters: dict[str, str]) -> str:
    message_id = accept_raw(
        ses,
        b64decode(parameters["RawMessage.Data"]),
        source=parameters.get("Source"),
        destination=_members(parameters, "Destinations."),
        configuration_set=parameters.get("ConfigurationSetName"),
        tags=_tags(parameters),
    )
    return f"<MessageId>{message_id}</MessageId>"


def _update_configuration_set_sending_enabled(ses: LocalSes, parameters: dict[str, str]) -> str:
    sesv2, name = ses.emulator_client("sesv2"), parameters["ConfigurationSetName"]
    try:
        sesv2.put_configuration_set_sending_options(
            ConfigurationSetName=name, SendingEnabled=parameters["Enabled"] == "true"
        )
    except sesv2.exceptions.NotFoundException:
        raise RequestError("ConfigurationSetDoesNotExist", f"Configuration set <{name}> does not exist.") from None
    return ""


def _members(parameters: dict[str, str], prefix: str) -> list[str]:
    return [value for name, value in parameters.items() if name.startswith(prefix)]


def _tags(parameters: dict[str, str]) -> dict[str, str]:
    names = [name for name in parameters if re.fullmatch(r"Tags\.member\.\d+\.Name", name)]
    return {parameters[name]: parameters[name.removesuffix("Name") + "Value"] for name in names}


def _get_identity_notification_attributes(ses: LocalSes, parameters: dict[str, str]) -> str:
    entries = ""
    for identity in _members(parameters, "Identities.member."):
        attributes = _attributes(ses.notification_settings[identity])
        value = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in attributes.items() if text)
        entries += f"<entry><key>{escape(identity)}</key><value>{value}</value></entry>"
    return f"<NotificationAttributes>{entries}</NotificationAttributes>"


def _attributes(settings: NotificationSettings) -> dict[str, str]:
    attributes = {f"{kind}Topic": settings.topics.get(kind, "") for kind in NOTIFICATION_TYPES}
    for kind in NOTIFICATION_TYPES:
        attributes[f"HeadersIn{kind}NotificationsEnabled"] = str(kind in settings.headers).lower()
    return attributes | {"ForwardingEnabled": str(settings.forwarding).lower()}


def _get_identity_mail_from_domain_attributes(_ses: LocalSes, parameters: dict[str, str]) -> str:
    """Return no status: no MAIL FROM domain can fail without DNS."""
    value = "<BehaviorOnMXFailure>UseDefaultValue</BehaviorOnMXFailure>"
    names = _members(parameters, "Identities.member.")
    entries = "".join(f"<entry><key>{escape(name)}</key><value>{value}</value></entry>" for name in names)
    return f"<MailFromDomainAttributes>{entries}</MailFromDomainAttributes>"


def _set_identity_notification_topic(ses: LocalSes, parameters: dict[str, str]) -> str:
    identity, topic = _verified_identity(ses, parameters), parameters.get("SnsTopic")
    try:
        ses.set_topic(identity, parameters["NotificationType"], topic)
    except ses.emulator_client("sns").exceptions.NotFoundException:
        raise RequestError("InvalidParameterValue", f"Invalid SNS topic <{topic}>.") from None
    return ""


def _set_identity_headers_in_notifications_enabled(ses: LocalSes, parameters: dict[str, str]) -> str:
    settings = ses.notification_settings[_verified_identity(ses, parameters)]
    kind = parameters["NotificationType"]
    if kind not in settings.topics:
        raise RequestError("InvalidParameterValue", f"No topic is set for {kind} notifications.")
    if parameters["Enabled"] == "true":
        settings.headers.add(kind)
    else:
        settings.headers.discard(kind)
    return ""


def _set_identity_feedback_forwarding_enabled(ses: LocalSes, parameters: dict[str, str]) -> str:
    settings = ses.notification_settings[_verified_identity(ses, parameters)]
    enabled = parameters["ForwardingEnabled"] == "true"
    if not enabled and not {"Bounce", "Complaint"} <= settings.topics.keys():
        reason = "Feedback is forwarded unless bounces and complaints have topics."
        raise RequestError("InvalidParameterValue", reason)
    settings.forwarding = enabled
    return ""


def _verified_identity(ses: LocalSes, parameters: dict[str, str]) -> str:
    identity = parameters["Identity"]
    if not ses.is_verified(identity):
        raise RequestError("InvalidParameterValue", f"Identity {identity} is not verified.")
    return identity


_ACTIONS: dict[str, Callable[[LocalSes, dict[str, str]], str]] = {
    "SendEmail": _send_email,
    "SendRawEmail": _send_raw_email,
    "UpdateConfigurationSetSendingEnabled": _update_configuration_set_sending_enabled,
    "GetIdentityNotificationAttributes": _get_identity_notification_attributes,
    "GetIdentityMailFromDomainAttributes": _get_identity_mail_from_domain_attributes,
    "SetIdentityNotificationTopic": _set_identity_notification_topic,
    "SetIdentityHeadersInNotificationsEnabled": _set_identity_headers_in_notifications_enabled,
    "SetIdentityFeedbackForwardingEnabled": _set_identity_feedback_forwarding_enabled,
}
"""Every action performed here; each returns the content of the response's result element."""
