"""Perform the actions of the SES API v1 that send mail."""

from collections.abc import Callable
from functools import partial
from typing import Any

from local.ses import mime
from local.ses.addresses import address_of, check_addresses
from local.ses.model import Parameters
from local.ses.rendering import template_data
from local.ses.responses import RequestError
from local.ses.sending import MAX_BYTES_V1, Draft, accept, check_verified, raw_draft, sending_set
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


def _options(parameters: Parameters) -> dict[str, Any]:
    tags = tags_of(parameters.get("Tags", ()))
    return {
        "configuration_set": parameters.get("ConfigurationSetName"),
        "tags": tags,
        "max_bytes": MAX_BYTES_V1,
        "return_path": parameters.get("ReturnPath"),
    }


def _fields(parameters: Parameters) -> dict[str, str]:
    return address_fields(parameters["Source"], parameters["Destination"], parameters.get("ReplyToAddresses", ()))


def _send_email(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    message = parameters["Message"]
    text, html = (message["Body"].get(kind, {}).get("Data") for kind in ("Text", "Html"))
    content = mime.compose({**_fields(parameters), "Subject": message["Subject"]["Data"]}, text, html)
    recipients = recipients_of(parameters["Destination"])
    draft = Draft("SendEmail", parameters["Source"], recipients, content, **_options(parameters))
    return {"MessageId": accept(ses, draft)}


def _send_raw_email(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    raw, recipients = parameters["RawMessage"]["Data"], parameters.get("Destinations", [])
    draft = raw_draft("SendRawEmail", raw, parameters.get("Source"), recipients, **_options(parameters))
    return {"MessageId": accept(ses, draft)}


def _send_templated_email(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    name = parameters["Template"]
    draft = templated_draft(
        "SendTemplatedEmail",
        _fields(parameters),
        recipients_of(parameters["Destination"]),
        (name, ses.templates.get(name)),
        template_data(parameters["TemplateData"]),
        **_options(parameters),
    )
    return {"MessageId": accept(ses, draft)}


def _send_bulk_templated_email(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    source, name = parameters["Source"], parameters["Template"]
    check_addresses([source])
    check_verified(ses, [address_of(source)])
    sending_set(ses, source, parameters.get("ConfigurationSetName"))
    template, defaults = (name, ses.templates.get(name)), tags_of(parameters.get("DefaultTags", ()))

    def draft(entry: Parameters) -> Draft:
        destination = entry["Destination"]
        return templated_draft(
            "SendBulkTemplatedEmail",
            address_fields(source, destination, parameters.get("ReplyToAddresses", ())),
            recipients_of(destination),
            template,
            merged_data(parameters["DefaultTemplateData"], entry.get("ReplacementTemplateData")),
            configuration_set=parameters.get("ConfigurationSetName"),
            tags=defaults | tags_of(entry.get("ReplacementTags", ())),
            max_bytes=MAX_BYTES_V1,
            return_path=parameters.get("ReturnPath"),
        )

    return {"Status": send_each(ses, [partial(draft, entry) for entry in parameters["Destinations"]], _bulk_status)}


def _bulk_status(error: RequestError | None) -> str:
    """Return the status of one destination ("BulkEmailDestinationStatus" in the SES API reference)."""
    return "Success" if error is None else _BULK_STATUSES.get(error.code, "InvalidParameterValue")


_BULK_STATUSES = {"MessageRejected": "MessageRejected", "TemplateDoesNotExist": "TemplateDoesNotExist"}


def _send_custom_verification_email(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    return {"MessageId": accept(ses, verification_draft(ses, parameters))}


OPERATIONS: dict[str, Callable[[LocalSes, Parameters], dict[str, Any]]] = {
    "SendEmail": _send_email,
    "SendRawEmail": _send_raw_email,
    "SendTemplatedEmail": _send_templated_email,
    "SendBulkTemplatedEmail": _send_bulk_templated_email,
    "SendCustomVerificationEmail": _send_custom_verification_email,
}
