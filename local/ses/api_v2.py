"""Perform the operations of the SES API v2 that send mail."""

from collections.abc import Callable
from email.message import Message
from functools import partial
from typing import Any

from local.ses import mime
from local.ses.addresses import address_of, check_addresses
from local.ses.api_templates import content_of
from local.ses.model import Parameters
from local.ses.rendering import Content, template_data
from local.ses.responses import RequestError
from local.ses.sending import Draft, accept, check_verified, raw_draft, sending_set
from local.ses.simulator import LocalSes
from local.ses.tags import tags_of
from local.ses.templated import (
    address_fields,
    merged_data,
    recipients_of,
    send_each,
    templated_draft,
    verification_draft,
)


def _send_email(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    content = parameters["Content"]
    kinds = [kind for kind in _DRAFTS if kind in content]
    if len(kinds) != 1:
        raise RequestError("InvalidParameterValue", "Content must have one of Simple, Raw and Template.")
    options = {
        "configuration_set": parameters.get("ConfigurationSetName"),
        "tags": tags_of(parameters.get("EmailTags", ())),
        "list_management": parameters.get("ListManagementOptions"),
        "return_path": parameters.get("FeedbackForwardingEmailAddress"),
    }
    return {"MessageId": accept(ses, _DRAFTS[kinds[0]](ses, parameters, content[kinds[0]], options))}


def _sender(parameters: Parameters) -> str:
    if not parameters.get("FromEmailAddress"):
        raise RequestError("InvalidParameterValue", "Missing required header 'From'.")
    return parameters["FromEmailAddress"]


def _fields(parameters: Parameters) -> dict[str, str]:
    destination, reply_to = parameters.get("Destination", {}), parameters.get("ReplyToAddresses", ())
    return address_fields(_sender(parameters), destination, reply_to)


def _simple_draft(_ses: LocalSes, parameters: Parameters, simple: Parameters, options: dict[str, Any]) -> Draft:
    text, html = (simple["Body"].get(kind, {}).get("Data") for kind in ("Text", "Html"))
    fields = {**_fields(parameters), "Subject": simple["Subject"]["Data"]}
    content = _with_attachments(mime.compose(fields, text, html, simple.get("Headers", ())), simple)
    return Draft("SendEmail", fields["From"], recipients_of(parameters.get("Destination", {})), content, **options)


def _with_attachments(content: Message, parameters: Parameters) -> Message:
    for attachment in parameters.get("Attachments", ()):
        content = mime.attach(content, attachment["FileName"], attachment["RawContent"])
    return content


def _raw_draft(_ses: LocalSes, parameters: Parameters, raw: Parameters, options: dict[str, Any]) -> Draft:
    recipients = recipients_of(parameters.get("Destination", {}))
    return raw_draft("SendEmail", raw["Data"], parameters.get("FromEmailAddress"), recipients, **options)


def _template_draft(ses: LocalSes, parameters: Parameters, template: Parameters, options: dict[str, Any]) -> Draft:
    draft = templated_draft(
        "SendEmail",
        _fields(parameters),
        recipients_of(parameters.get("Destination", {})),
        _template(ses, template),
        template_data(template.get("TemplateData")),
        template.get("Headers", ()),
        **options,
    )
    draft.content = _with_attachments(draft.content, template)
    return draft


_DRAFTS = {"Simple": _simple_draft, "Raw": _raw_draft, "Template": _template_draft}


def _template(ses: LocalSes, template: Parameters) -> tuple[str, Content]:
    """Return the name and content of a stored template, or of one that is in the request."""
    if inline := template.get("TemplateContent"):
        return "", content_of(inline)
    name = template.get("TemplateName") or template.get("TemplateArn", "").rpartition("/")[2]
    if not name:
        reason = "Template must have one of TemplateName, TemplateArn and TemplateContent."
        raise RequestError("InvalidParameterValue", reason)
    return name, ses.templates.get(name)


def _send_bulk_email(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    source, default = _sender(parameters), parameters["DefaultContent"].get("Template", {})
    check_addresses([source])
    check_verified(ses, [address_of(source)])
    sending_set(ses, source, parameters.get("ConfigurationSetName"))
    template, default_tags = _template(ses, default), tags_of(parameters.get("DefaultEmailTags", ()))

    def draft(entry: Parameters) -> Draft:
        destination, replacement = entry["Destination"], entry.get("ReplacementEmailContent", {})
        data = replacement.get("ReplacementTemplate", {}).get("ReplacementTemplateData")
        return templated_draft(
            "SendBulkEmail",
            address_fields(source, destination, parameters.get("ReplyToAddresses", ())),
            recipients_of(destination),
            template,
            merged_data(default.get("TemplateData"), data),
            entry.get("ReplacementHeaders", default.get("Headers", ())),
            configuration_set=parameters.get("ConfigurationSetName"),
            tags=default_tags | tags_of(entry.get("ReplacementTags", ())),
            return_path=parameters.get("FeedbackForwardingEmailAddress"),
        )

    drafts = [partial(draft, entry) for entry in parameters["BulkEmailEntries"]]
    return {"BulkEmailEntryResults": send_each(ses, drafts, _bulk_status)}


def _bulk_status(error: RequestError | None) -> str:
    """Return the status of one entry ("BulkEmailEntryResult" in the SES API v2 reference)."""
    if error is None:
        return "SUCCESS"
    return "MESSAGE_REJECTED" if error.code == "MessageRejected" else "INVALID_PARAMETER"


def _send_custom_verification_email(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    return {"MessageId": accept(ses, verification_draft(ses, parameters))}


OPERATIONS: dict[str, Callable[[LocalSes, Parameters], dict[str, Any]]] = {
    "SendEmail": _send_email,
    "SendBulkEmail": _send_bulk_email,
    "SendCustomVerificationEmail": _send_custom_verification_email,
}
