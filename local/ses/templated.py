"""Build the drafts of templated messages: single, and in bulk."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from local.ses import mime
from local.ses.model import Parameters
from local.ses.rendering import Content, RenderingFailed, render, template_data
from local.ses.responses import RequestError
from local.ses.sending import Draft, accept
from local.ses.simulator import LocalSes

MAX_BULK_RECIPIENTS = 50
"""Destinations of a call ("SendBulkEmail" in the SES API v2 reference)."""


def templated_draft(
    operation: str,
    fields: dict[str, str],
    destination: list[str],
    template: tuple[str, Content],
    data: dict[str, Any],
    headers: Iterable[dict[str, str]] = (),
    **options: Any,
) -> Draft:
    """Return the draft of a rendered template. If it cannot be rendered, its event says so: the call succeeds."""
    name, content = template
    try:
        rendered, failure = render(content, data), None
    except RenderingFailed as failed:
        rendered = Content("", "", None)
        failure = {"event": "Rendering Failure", "seconds": 0, "templateName": name, "errorMessage": str(failed)}
    composed = mime.compose({**fields, "Subject": rendered.subject or ""}, rendered.text, rendered.html, headers)
    return Draft(operation, fields["From"], destination, composed, failure=failure, **options)


def send_each(
    ses: LocalSes, drafts: Sequence[Callable[[], Draft]], status: Callable[[RequestError | None], str]
) -> list[dict[str, str]]:
    """Accept the drafts of a bulk call; each fails alone. Return the results that the API answers with.

    Raises:
        RequestError: if there are none or too many.
    """
    if not drafts:
        raise RequestError("InvalidParameterValue", "The request has no destinations.")
    if len(drafts) > MAX_BULK_RECIPIENTS:
        raise RequestError("InvalidParameterValue", f"Recipient count exceeds {MAX_BULK_RECIPIENTS}.")
    results = []
    for draft in drafts:
        try:
            results.append({"Status": status(None), "MessageId": accept(ses, draft())})
        except RequestError as error:
            results.append({"Status": status(error), "Error": error.message})
    return results


def address_fields(source: str, destination: dict[str, list[str]], reply_to: Iterable[str] = ()) -> dict[str, str]:
    """Return the headers of a composed message that hold addresses. Bcc is not one of them."""
    joined = {name: ", ".join(destination.get(f"{name}Addresses", ())) for name in ("To", "Cc")}
    return {"From": source, **joined, "Reply-To": ", ".join(reply_to)}


def recipients_of(destination: dict[str, list[str]]) -> list[str]:
    return [address for name in ("To", "Cc", "Bcc") for address in destination.get(f"{name}Addresses", ())]


def merged_data(default: str | None, replacement: str | None) -> dict[str, Any]:
    """Return the data of one message of a bulk call: replacements of single values in the default."""
    return template_data(default) | template_data(replacement)


def verification_draft(ses: LocalSes, parameters: Parameters) -> Draft:
    """Return the draft of a custom verification e-mail, which takes no tags."""
    template = ses.templates.get_verification(parameters["TemplateName"])
    link = f'<p><a href="{template["SuccessRedirectionURL"]}">Verify this address</a></p>'
    fields = {"From": template["FromEmailAddress"], "To": parameters["EmailAddress"]}
    fields["Subject"] = template["TemplateSubject"]
    content = mime.compose(fields, None, template["TemplateContent"] + link)
    return Draft(
        "SendCustomVerificationEmail",
        template["FromEmailAddress"],
        [parameters["EmailAddress"]],
        content,
        configuration_set=parameters.get("ConfigurationSetName"),
    )
