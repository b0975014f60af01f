"""Perform the operations of both APIs that concern templates."""

from collections.abc import Callable
from typing import Any

from local.ses import mime
from local.ses.addresses import address_of
from local.ses.model import Parameters
from local.ses.rendering import Content, RenderingFailed, render, template_data
from local.ses.responses import RequestError
from local.ses.sending import check_verified
from local.ses.simulator import LocalSes

Operation = Callable[[LocalSes, Parameters], dict[str, Any]]


def content_of(parameters: Parameters) -> Content:
    """Return the content of a template in a request of either API: `SubjectPart` (v1) or `Subject` (v2) and so on."""
    return Content(*(parameters.get(f"{part}Part", parameters.get(part)) for part in ("Subject", "Text", "Html")))


def fields_of(content: Content, suffix: str) -> dict[str, str]:
    names = (f"{part}{suffix}" for part in ("Subject", "Text", "Html"))
    return {name: text for name, text in zip(names, content, strict=True) if text is not None}


def _named(parameters: Parameters) -> tuple[str, Content]:
    if template := parameters.get("Template"):  # v1
        return template["TemplateName"], content_of(template)
    return parameters["TemplateName"], content_of(parameters["TemplateContent"])


def _create(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    ses.templates.create(*_named(parameters))
    return {}


def _update(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    ses.templates.update(*_named(parameters))
    return {}


def _delete(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    """Delete a template; SES reports no error where none exists."""
    ses.templates.templates.pop(parameters["TemplateName"], None)
    return {}


def _get_v1(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    name = parameters["TemplateName"]
    return {"Template": {"TemplateName": name, **fields_of(ses.templates.get(name), "Part")}}


def _get_v2(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    name = parameters["TemplateName"]
    return {"TemplateName": name, "TemplateContent": fields_of(ses.templates.get(name), "")}


def _list_v1(ses: LocalSes, _parameters: Parameters) -> dict[str, Any]:
    """Return all templates: no pages."""
    listed = ses.templates.templates.items()
    return {"TemplatesMetadata": [{"Name": name, "CreatedTimestamp": each.created_at} for name, each in listed]}


def _list_v2(ses: LocalSes, _parameters: Parameters) -> dict[str, Any]:
    listed = ((name, each.created_at.timestamp()) for name, each in ses.templates.templates.items())
    return {"TemplatesMetadata": [{"TemplateName": name, "CreatedTimestamp": time} for name, time in listed]}


def _test_render(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    template = ses.templates.get(parameters["TemplateName"])
    try:
        content = render(template, template_data(parameters["TemplateData"]))
    except RenderingFailed as failure:
        raise RequestError("MissingRenderingAttribute", str(failure)) from None
    message = mime.compose({"Subject": content.subject or ""}, content.text, content.html)
    return {"RenderedTemplate": message.as_string()}


def _create_verification(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    name = parameters["TemplateName"]
    if name in ses.templates.verification:
        code = "CustomVerificationEmailTemplateAlreadyExists"
        raise RequestError(code, f"Custom verification email template {name} already exists.")
    check_verified(ses, [address_of(parameters["FromEmailAddress"])], "FromEmailAddressNotVerified")
    ses.templates.verification[name] = parameters
    return {}


def _update_verification(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    ses.templates.get_verification(parameters["TemplateName"]).update(parameters)
    return {}


def _get_verification(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    return ses.templates.get_verification(parameters["TemplateName"])


def _delete_verification(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
    ses.templates.verification.pop(parameters["TemplateName"], None)
    return {}


def _list_verification(ses: LocalSes, _parameters: Parameters) -> dict[str, Any]:
    listed = ses.templates.verification.values()
    return {
        "CustomVerificationEmailTemplates": [
            {name: value for name, value in each.items() if name not in ("TemplateContent", "Tags")} for each in listed
        ]
    }


_VERIFICATION: dict[str, Operation] = {
    "CreateCustomVerificationEmailTemplate": _create_verification,
    "UpdateCustomVerificationEmailTemplate": _update_verification,
    "GetCustomVerificationEmailTemplate": _get_verification,
    "DeleteCustomVerificationEmailTemplate": _delete_verification,
    "ListCustomVerificationEmailTemplates": _list_verification,
}

V1: dict[str, Operation] = _VERIFICATION | {
    "CreateTemplate": _create,
    "UpdateTemplate": _update,
    "GetTemplate": _get_v1,
    "DeleteTemplate": _delete,
    "ListTemplates": _list_v1,
    "TestRenderTemplate": _test_render,
}
V2: dict[str, Operation] = _VERIFICATION | {
    "CreateEmailTemplate": _create,
    "UpdateEmailTemplate": _update,
    "GetEmailTemplate": _get_v2,
    "DeleteEmailTemplate": _delete,
    "ListEmailTemplates": _list_v2,
    "TestRenderEmailTemplate": _test_render,
}
