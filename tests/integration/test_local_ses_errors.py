# ruff: noqa: E501  one mistake a row
"""Make fifty ordinary mistakes over every interface of the local SES: each gets SES's error, and none is counted."""

import smtplib
from collections.abc import Generator
from html import unescape
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from tests.local_ses import READER, SENDER, Clients, local_ses, raw_message

DOCUMENTED, MODEL = "SES developer guide", "botocore's model"
REPORTED, JAVAMAIL = "reports of users", "JavaMail, whose texts SES returns"
CHOSEN = "the code is SES's, the text is our own"

UNVERIFIED = "Email address is not verified. The following identities failed the check in region US-EAST-1: "
TO = {"ToAddresses": [READER]}
MESSAGE = {"Subject": {"Data": "Books"}, "Body": {"Text": {"Data": "Hello."}}}
SIMPLE = {"Simple": MESSAGE}
MANY = {"ToAddresses": [f"reader-{number}@mail.example" for number in range(51)]}
BAD_TAG = [{"Name": "campaign", "Value": "spring sale"}]
BAD_TAG_TEXT = "Invalid tag value <spring sale>: only alphanumeric ASCII characters, '_', and '-' are allowed."
VERIFICATION = {
    "TemplateName": "t",
    "FromEmailAddress": "a@other.example",
    "TemplateSubject": "s",
    "TemplateContent": "c",
}
VERIFICATION |= {"SuccessRedirectionURL": "https://a.example/", "FailureRedirectionURL": "https://b.example/"}
TOO_LONG_V1, TOO_LONG_V2 = 10 * 2**20, 40 * 2**20


class Mistake(NamedTuple):
    interface: str
    parameters: dict[str, Any]
    code: str
    text: str
    """How the error's text begins."""
    source: str


def v1_send(code: str, text: str, source: str, **parameters: Any) -> Mistake:
    return Mistake(
        "v1 SendEmail", {"Source": SENDER, "Destination": TO, "Message": MESSAGE} | parameters, code, text, source
    )


def v1_raw(code: str, text: str, source: str, raw: bytes, **parameters: Any) -> Mistake:
    return Mistake("v1 SendRawEmail", {"RawMessage": {"Data": raw}} | parameters, code, text, source)


def v1_template(code: str, text: str, source: str, **parameters: Any) -> Mistake:
    usual = {"Source": SENDER, "Destination": TO, "Template": "catalogue", "TemplateData": "{}"}
    return Mistake("v1 SendTemplatedEmail", usual | parameters, code, text, source)


def v2_send(code: str, text: str, source: str, **parameters: Any) -> Mistake:
    return Mistake(
        "v2 SendEmail",
        {"FromEmailAddress": SENDER, "Destination": TO, "Content": SIMPLE} | parameters,
        code,
        text,
        source,
    )


def v2_bulk(code: str, text: str, source: str, **parameters: Any) -> Mistake:
    usual = {"FromEmailAddress": SENDER, "BulkEmailEntries": [{"Destination": TO}]}
    content = {"DefaultContent": {"Template": {"TemplateName": "catalogue", "TemplateData": "{}"}}}
    return Mistake("v2 SendBulkEmail", usual | content | parameters, code, text, source)


def smtp(code: str, text: str, source: str, raw: bytes, sender: str = "news@bookshop.example", **more: Any) -> Mistake:
    return Mistake("SMTP", {"raw": raw, "sender": sender, "recipients": [READER]} | more, code, text, source)


def http(code: str, text: str, source: str, method: str, path: str, body: str = "", status: int = 400) -> Mistake:
    return Mistake("HTTP", {"method": method, "path": path, "body": body, "status": status}, code, text, source)


MISTAKES = [
    v1_send("MessageRejected", UNVERIFIED + "a@other.example", DOCUMENTED, Source="a@other.example"),
    v1_send("MessageRejected", UNVERIFIED + "a@other.example", DOCUMENTED, Source="a@other.example", ConfigurationSetName="newsletter"),
    v1_send("MessageRejected", UNVERIFIED + "a@other.example", DOCUMENTED, ReturnPath="a@other.example"),
    v1_send("MessageRejected", UNVERIFIED + "ada@person.example", DOCUMENTED, Source="ada@person.example"),
    v1_send("InvalidParameterValue", "Missing final '@domain'", JAVAMAIL, Source="Lovelace, Ada <news@bookshop.example>"),
    v1_send("InvalidParameterValue", "Missing final '@domain'", JAVAMAIL, ReplyToAddresses=["readers"]),
    v1_send("ConfigurationSetDoesNotExist", "Configuration set <nws> does not exist.", REPORTED, ConfigurationSetName="nws"),
    v1_send("ConfigurationSetSendingPausedException", "Configuration set sending is paused", MODEL, ConfigurationSetName="paused"),
    v1_send("InvalidParameterValue", "Recipient count exceeds 50.", REPORTED, Destination=MANY),
    v1_send("InvalidParameterValue", "Missing required header 'To'.", REPORTED, Destination={"ToAddresses": []}),
    v1_send("InvalidParameterValue", "Missing final '@domain'", JAVAMAIL, Destination={"ToAddresses": ["reader"]}),
    v1_send("InvalidParameterValue", "Missing final '@domain'", JAVAMAIL, Source="newsletter"),
    v1_send("InvalidParameterValue", "Local address contains control or whitespace", JAVAMAIL, Destination={"CcAddresses": ["a b@c.example"]}),
    v1_send("InvalidParameterValue", "Domain contains illegal character", JAVAMAIL, Destination={"BccAddresses": ["a@c_d.example"]}),
    v1_send("InvalidParameterValue", "Domain starts with dot", JAVAMAIL, Destination={"ToAddresses": ["a@.example"]}),
    v1_send("InvalidParameterValue", "Domain contains dot-dot", JAVAMAIL, Destination={"ToAddresses": ["a@c..example"]}),
    v1_send("InvalidParameterValue", BAD_TAG_TEXT, REPORTED, Tags=BAD_TAG),
    v1_send("InvalidParameterValue", "Invalid tag name <a:b>", CHOSEN, Tags=[{"Name": "a:b", "Value": "c"}]),
    v1_send("InvalidParameterValue", "Invalid tag value <b\ufffdc>", CHOSEN, Tags=[{"Name": "a", "Value": "b\0c"}]),
    v1_send("InvalidParameterValue", "Invalid tag value <ses:feedback-id-a>", DOCUMENTED, Tags=[{"Name": "a", "Value": "ses:feedback-id-a"}]),
    v1_send("InvalidParameterValue", "Header 'Subject' contains a line break.", CHOSEN, Message=MESSAGE | {"Subject": {"Data": "a\nBcc: b@c.example"}}),
    v1_send("ValidationError", "1 validation error detected: Value null at 'source'", REPORTED, Source=None),
    v1_send("ValidationError", "1 validation error detected: Value null at 'message.subject'", REPORTED, Message={"Body": MESSAGE["Body"]}),
    v1_send("InvalidParameterValue", f"Message length is more than {TOO_LONG_V1} bytes long", REPORTED, Message=MESSAGE | {"Body": {"Text": {"Data": "a" * TOO_LONG_V1}}}),
    v1_raw("InvalidParameterValue", f"Message length is more than {TOO_LONG_V1} bytes long: '", REPORTED, raw_message(body="a" * TOO_LONG_V1)),
    v1_raw("InvalidParameterValue", "Missing required header 'From'.", REPORTED, raw_message(sender="")),
    v1_raw("InvalidParameterValue", "Missing required header 'To'.", REPORTED, raw_message(to="")),
    v1_raw("MessageRejected", UNVERIFIED + "a@other.example", DOCUMENTED, raw_message(sender="a@other.example"), Source=SENDER),
    v1_raw("MessageRejected", UNVERIFIED + "a@other.example, b@other.example", DOCUMENTED, raw_message("Sender: a@other.example", "Return-Path: <b@other.example>")),
    v1_raw("InvalidParameterValue", "Invalid tag <campaign>", CHOSEN, raw_message("X-SES-MESSAGE-TAGS: campaign")),
    v1_raw("InvalidParameterValue", BAD_TAG_TEXT, REPORTED, raw_message("X-SES-MESSAGE-TAGS: campaign=spring sale")),
    v1_raw("ConfigurationSetDoesNotExist", "Configuration set <nws>", REPORTED, raw_message("x-ses-configuration-set: nws")),
    *[v1_raw("InvalidParameterValue", "The value of X-Local-SES-Simulation is not valid", CHOSEN, raw_message(f"X-Local-SES-Simulation: {value}")) for value in ("é", "[]", '{"events": 1}', '{"events": [{"event": "Sent"}]}', '{"sent_at": "yesterday"}')],
    v1_raw("InvalidParameterValue", "Invalid tag value <", CHOSEN, raw_message("X-SES-MESSAGE-TAGS: campaign=frühling")),
    v1_template("TemplateDoesNotExist", "Template catalog does not exist", MODEL, Template="catalog"),
    v1_template("InvalidRenderingParameter", "The template data is not a valid JSON object.", CHOSEN, TemplateData="{"),
    v1_template("InvalidRenderingParameter", "The template data is not a valid JSON object.", CHOSEN, TemplateData=r'{"title": "\ud800"}'),
    Mistake("v1 CreateTemplate", {"Template": {"TemplateName": "catalogue", "SubjectPart": "x"}}, "AlreadyExists", "Template catalogue already exists", MODEL),
    Mistake("v1 CreateTemplate", {"Template": {"TemplateName": "t", "SubjectPart": "{{#if a}}"}}, "InvalidTemplate", "The block '#if'", MODEL),
    Mistake("v1 CreateTemplate", {"Template": {"TemplateName": "t", "SubjectPart": "{{title}"}}, "InvalidTemplate", "The template has '{{' without '}}'", MODEL),
    Mistake("v1 CreateCustomVerificationEmailTemplate", VERIFICATION, "FromEmailAddressNotVerified", UNVERIFIED + "a@other.example", MODEL),
    Mistake("v1 TestRenderTemplate", {"TemplateName": "catalogue", "TemplateData": "{}"}, "MissingRenderingAttribute", "Attribute 'title' is not present in the rendering data.", DOCUMENTED),
    Mistake("v1 SendCustomVerificationEmail", {"EmailAddress": READER, "TemplateName": "x"}, "CustomVerificationEmailTemplateDoesNotExist", "Custom verification email template x", MODEL),
    Mistake("v1 SendBulkTemplatedEmail", {"Source": SENDER, "Template": "catalog", "DefaultTemplateData": "{}", "Destinations": [{"Destination": TO}]}, "TemplateDoesNotExist", "Template catalog", MODEL),
    v2_send("MessageRejected", UNVERIFIED + "a@other.example", DOCUMENTED, FromEmailAddress="a@other.example"),
    v2_send("MessageRejected", UNVERIFIED + "a@other.example", DOCUMENTED, FeedbackForwardingEmailAddress="a@other.example"),
    v2_send("NotFoundException", "Configuration set <nws> does not exist.", REPORTED, ConfigurationSetName="nws"),
    v2_send("SendingPausedException", "Configuration set sending is paused", MODEL, ConfigurationSetName="paused"),
    v2_send("BadRequestException", "Recipient count exceeds 50.", REPORTED, Destination=MANY),
    v2_send("BadRequestException", "Invalid email address .", REPORTED, Destination={"ToAddresses": [""]}),
    v2_send("BadRequestException", "Missing final '@domain'", JAVAMAIL, Destination={"ToAddresses": ["reader@"]}),
    v2_send("BadRequestException", BAD_TAG_TEXT, REPORTED, EmailTags=BAD_TAG),
    v2_send("BadRequestException", "1 validation error detected: Value null at 'content'", REPORTED, Content=None),
    v2_send("BadRequestException", "Content must have one of", CHOSEN, Content={}),
    v2_send("BadRequestException", "Header name 'X-Genre:' has characters other than", MODEL, Content={"Simple": MESSAGE | {"Headers": [{"Name": "X-Genre:", "Value": "a"}]}}),
    v2_send("BadRequestException", "Header name 'X-Büchér'", MODEL, Content={"Simple": MESSAGE | {"Headers": [{"Name": "X-Büchér", "Value": "a"}]}}),
    v2_send("BadRequestException", f"Message length is more than {TOO_LONG_V2}", REPORTED, Content={"Raw": {"Data": raw_message(body="a" * TOO_LONG_V2)}}),
    v2_send("NotFoundException", "Template catalog does not exist", MODEL, Content={"Template": {"TemplateName": "catalog"}}),
    v2_send("BadRequestException", "Template must have one of", CHOSEN, Content={"Template": {"TemplateData": "{}"}}),
    v2_bulk("MessageRejected", UNVERIFIED + "a@other.example", DOCUMENTED, FromEmailAddress="a@other.example"),
    v2_bulk("NotFoundException", "Configuration set <nws>", REPORTED, ConfigurationSetName="nws"),
    v2_bulk("BadRequestException", "Recipient count exceeds 50.", REPORTED, BulkEmailEntries=[{"Destination": TO}] * 51),
    v2_bulk("BadRequestException", "Invalid tag value", REPORTED, DefaultEmailTags=BAD_TAG),
    Mistake("v2 GetEmailTemplate", {"TemplateName": "x"}, "NotFoundException", "Template x does not exist", MODEL),
    Mistake("v2 CreateDedicatedIpPool", {"PoolName": "x"}, "UnknownOperationException", "The local SES does not perform", CHOSEN),
    smtp("554", "Message rejected: " + UNVERIFIED + "a@other.example", DOCUMENTED, raw_message(), sender="a@other.example"),
    smtp("554", "Message rejected: " + UNVERIFIED + "a@other.example", DOCUMENTED, raw_message(sender="a@other.example")),
    smtp("554", "Configuration set <nws> does not exist.", CHOSEN, raw_message("X-SES-CONFIGURATION-SET: nws")),
    smtp("554", "Transaction failed: Invalid tag <campaign>", CHOSEN, raw_message("X-SES-MESSAGE-TAGS: campaign")),
    smtp("554", "Transaction failed: " + BAD_TAG_TEXT, CHOSEN, raw_message("x-ses-message-tags: campaign=spring sale")),
    smtp("554", "Transaction failed: Invalid tag value <spring sale>: only", CHOSEN, raw_message("X-SES-MESSAGE-TAGS: campaign=spring\r\n sale")),
    smtp("554", "Transaction failed: Invalid tag value <", CHOSEN, raw_message("X-SES-MESSAGE-TAGS: campaign=frühling")),
    smtp("554", "Configuration set <", CHOSEN, raw_message("X-SES-CONFIGURATION-SET: frühling")),
    smtp("554", "Transaction failed: Recipient count exceeds 50.", CHOSEN, raw_message(), recipients=MANY["ToAddresses"]),
    smtp("552", "Message is too long.", DOCUMENTED, raw_message(body=("a" * 998 + "\r\n") * (TOO_LONG_V2 // 1_000))),
    smtp("535", "Authentication Credentials Invalid", DOCUMENTED, raw_message(), password=""),
    smtp("530", "Authentication required", DOCUMENTED, raw_message(), password=None),
    http("InvalidAction", "Could not find operation SendMail", REPORTED, "POST", "/", "Action=SendMail&Version=2010-12-01"),
    http("InvalidAction", "Could not find operation  for", REPORTED, "POST", "/", "Version=2010-12-01"),
    http("MalformedQueryString", "The value at 'rawMessage.data' is not a valid blob", CHOSEN, "POST", "/", "Action=SendRawEmail&Version=2010-12-01&RawMessage.Data=%25"),
    http("MalformedQueryString", "The value at 'destination' is not a valid structure", CHOSEN, "POST", "/", "Action=SendEmail&Version=2010-12-01&Source=a&Destination=b&Message=c"),
    http("MalformedQueryString", "The value at 'destination.toAddresses' is not a valid list", CHOSEN, "POST", "/", "Action=SendEmail&Version=2010-12-01&Source=a&Destination.ToAddresses.a=b&Message=c"),
    http("SerializationException", "The body is not a JSON object.", MODEL, "POST", "/v2/email/outbound-emails", "{"),
    http("SerializationException", "The value at 'destination.toAddresses' is not a valid list", MODEL, "POST", "/v2/email/outbound-emails", '{"Content": {}, "Destination": {"ToAddresses": "a@b.example"}}'),
    http("SerializationException", "The value at 'content' is not a valid structure", MODEL, "POST", "/v2/email/outbound-emails", '{"Content": 1}'),
    http("SerializationException", "The value at 'content.simple.subject.data' is not a valid string", MODEL, "POST", "/v2/email/outbound-emails", '{"Content": {"Simple": {"Subject": {"Data": 1}, "Body": {}}}}'),
    http("SerializationException", "The value at 'content.simple.subject.data' is not a valid string", CHOSEN, "POST", "/v2/email/outbound-emails", '{"Content": {"Simple": {"Subject": {"Data": "\\ud800"}, "Body": {}}}}'),
    http("SerializationException", "The body is not a JSON object.", CHOSEN, "POST", "/v2/email/outbound-emails", "[" * 100_000),
    http("UnknownOperationException", "SES has no operation", MODEL, "POST", "/v2/email/letters", "{}", status=404),
]  # fmt: skip


@pytest.fixture(scope="module")
def clients() -> Generator[Clients]:
    with local_ses() as clients:
        yield clients


def call_api(clients: Clients, interface: str, parameters: dict[str, Any]) -> tuple[str, str]:
    version, operation = interface.split()
    client = clients.v1 if version == "v1" else clients.v2
    methods = client.meta.method_to_api_mapping
    [method] = [name for name, api_name in methods.items() if api_name == operation]
    with pytest.raises(ClientError) as failed:
        getattr(client, method)(**{name: value for name, value in parameters.items() if value is not None})
    error = failed.value.response["Error"]
    return error["Code"], error["Message"]


def call_smtp(
    clients: Clients, raw: bytes, sender: str, recipients: list[str], password: str | None = "any"
) -> tuple[str, str]:
    with pytest.raises(smtplib.SMTPException) as failed, clients.smtp(password=password) as client:
        client.sendmail(sender, recipients, raw)
    error = failed.value
    assert isinstance(error, smtplib.SMTPResponseException), error
    return str(error.smtp_code), str(error.smtp_error, "ascii") if isinstance(
        error.smtp_error, bytes
    ) else error.smtp_error


def call_http(clients: Clients, method: str, path: str, body: str, status: int) -> tuple[str, str]:
    answer = clients.http(method, path, body)
    assert answer.status == status, answer.data
    if code := answer.headers.get("x-amzn-ErrorType"):
        return code, answer.json()["message"]
    content = unescape(answer.data.decode())
    code, message = (content.split(f"<{name}>")[1].split(f"</{name}>")[0] for name in ("Code", "Message"))
    return code, message


def make(mistake: Mistake, clients: Clients) -> tuple[str, str]:
    """Make a mistake; return the code and the text of its error."""
    if mistake.interface == "SMTP":
        return call_smtp(clients, **mistake.parameters)
    if mistake.interface == "HTTP":
        return call_http(clients, **mistake.parameters)
    return call_api(clients, mistake.interface, mistake.parameters)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.interface}-{mistake.text[:40]}")
def test_mistake_gets_the_error_of_ses_and_counts_nowhere(
    mistake: Mistake, clients: Clients, capfd: pytest.CaptureFixture[str]
):
    clients.http("DELETE", "/messages")
    code, text = make(mistake, clients)
    assert (code, text[: len(mistake.text)]) == (mistake.code, mistake.text)
    assert clients.ses.mailbox.records() == clients.ses.mailbox.messages() == []
    assert capfd.readouterr().err == ""


def test_fifty_mistakes_are_made_over_every_interface():
    assert len(MISTAKES) >= 50
    assert {mistake.interface.split()[0] for mistake in MISTAKES} == {"v1", "v2", "SMTP", "HTTP"}


def test_entry_of_a_bulk_call_fails_alone(clients: Clients):
    entries: list[dict[str, Any]] = [{"Destination": {"ToAddresses": ["reader"]}}, {"Destination": TO}]
    entries += [{"Destination": TO, "ReplacementTags": BAD_TAG}]
    template = {"TemplateName": "catalogue", "TemplateData": '{"title": "Books", "name": "Ada"}'}
    answer = clients.v2.send_bulk_email(
        FromEmailAddress=SENDER, BulkEmailEntries=entries, DefaultContent={"Template": template}
    )
    results = answer["BulkEmailEntryResults"]
    assert [each["Status"] for each in results] == ["INVALID_PARAMETER", "SUCCESS", "INVALID_PARAMETER"]
    assert [each.get("Error") for each in results] == ["Missing final '@domain'", None, BAD_TAG_TEXT]


def test_paused_account_sends_nothing_over_any_interface(clients: Clients):
    clients.v1.update_account_sending_enabled(Enabled=False)
    sends = [v1_send("", "", ""), v2_send("", "", ""), v2_bulk("", "", ""), smtp("", "", "", raw_message())]
    codes = [make(send, clients)[0] for send in sends]
    clients.v2.put_account_sending_attributes(SendingEnabled=True)
    assert codes == ["AccountSendingPausedException", "SendingPausedException", "SendingPausedException", "554"]
    assert clients.v2.get_account()["SendingEnabled"]
