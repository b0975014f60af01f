"""Send one message as a client of SES does. Runs in .venv-benchmark, which has the released packages.

Arguments: the client's name in SENDERS, the URL of the local SES and its SMTP port.
"""

import smtplib
import ssl
import sys
from email.message import EmailMessage
from typing import Any

import boto3
import django
from django.conf import settings

SENDER, READER, SUBJECT = "news@bookshop.example", "reader@mail.example", "Books"
SECRETS = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "us-east-1"}


def _configure(**values: Any) -> None:
    settings.configure(DEFAULT_FROM_EMAIL=SENDER, **values)
    django.setup()


def _django_message(headers: dict[str, str] | None = None) -> Any:
    from django.core.mail import EmailMultiAlternatives  # needs the settings

    message = EmailMultiAlternatives(SUBJECT, "Hello.", SENDER, [READER], headers=headers)
    message.attach_alternative('<a href="https://shop.example/">shop</a>', "text/html")
    return message


def send_with_anymail(url: str, _smtp_port: int) -> None:
    options = {"AMAZON_SES_CLIENT_PARAMS": {**SECRETS, "endpoint_url": url}, "AMAZON_SES_MESSAGE_TAG_NAME": "campaign"}
    _configure(EMAIL_BACKEND="anymail.backends.amazon_ses.EmailBackend", ANYMAIL=options, INSTALLED_APPS=["anymail"])
    message = _django_message()
    message.tags, message.metadata = ["spring"], {"order": "1974"}
    tags = [{"Name": "campaign", "Value": "spring"}, {"Name": "genre", "Value": "poetry"}]
    message.esp_extra = {"ConfigurationSetName": "newsletter", "EmailTags": tags}
    message.send()


def send_in_bulk_with_anymail(url: str, _smtp_port: int) -> None:
    options = {"AMAZON_SES_CLIENT_PARAMS": {**SECRETS, "endpoint_url": url}, "AMAZON_SES_MESSAGE_TAG_NAME": "campaign"}
    options["AMAZON_SES_CONFIGURATION_SET_NAME"] = "newsletter"
    _configure(EMAIL_BACKEND="anymail.backends.amazon_ses.EmailBackend", ANYMAIL=options, INSTALLED_APPS=["anymail"])
    from anymail.message import AnymailMessage  # needs the settings

    message = AnymailMessage(to=[READER], from_email=SENDER, template_id="catalogue", tags=["spring"])
    message.subject = message.body = None
    message.merge_data = {READER: {"name": "Ada"}}
    message.merge_global_data = {"title": SUBJECT}
    message.merge_metadata = {READER: {"genre": "poetry"}}
    message.send()


def _send_with_django_ses(url: str, *, v2: bool) -> None:
    _configure(
        EMAIL_BACKEND="django_ses.SESBackend",
        AWS_ACCESS_KEY_ID="any",
        AWS_SECRET_ACCESS_KEY="any",
        AWS_SES_REGION_NAME="us-east-1",
        AWS_SES_REGION_ENDPOINT_URL=url,
        AWS_SES_CONFIGURATION_SET="newsletter",
        USE_SES_V2=v2,
    )
    _django_message({"X-SES-MESSAGE-TAGS": "campaign=spring, genre=poetry"}).send()


def send_with_django_ses(url: str, _smtp_port: int) -> None:
    _send_with_django_ses(url, v2=False)


def send_with_django_ses_v2(url: str, _smtp_port: int) -> None:
    _send_with_django_ses(url, v2=True)


def send_with_smtplib(_url: str, smtp_port: int) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, READER, SUBJECT
    message["X-SES-CONFIGURATION-SET"] = "newsletter"
    message["X-SES-MESSAGE-TAGS"] = "campaign=spring, genre=poetry"
    message.set_content("Hello.")
    message.add_alternative('<a href="https://shop.example/">shop</a>', subtype="html")
    with smtplib.SMTP("127.0.0.1", smtp_port) as client:
        client.starttls(context=ssl._create_unverified_context())  # noqa: S323
        client.login("any", "any")
        client.send_message(message)


def send_with_boto3(url: str, _smtp_port: int) -> None:
    body = {"Text": {"Data": "Hello."}, "Html": {"Data": '<a href="https://shop.example/">shop</a>'}}
    boto3.client("sesv2", endpoint_url=url, **SECRETS).send_email(
        FromEmailAddress=SENDER,
        Destination={"ToAddresses": [READER]},
        Content={"Simple": {"Subject": {"Data": SUBJECT}, "Body": body}},
        ConfigurationSetName="newsletter",
        EmailTags=[{"Name": "campaign", "Value": "spring"}, {"Name": "genre", "Value": "poetry"}],
    )


SENDERS = {
    "django-anymail": send_with_anymail,
    "django-anymail in bulk": send_in_bulk_with_anymail,
    "django-ses": send_with_django_ses,
    "django-ses over v2": send_with_django_ses_v2,
    "smtplib": send_with_smtplib,
    "boto3": send_with_boto3,
}

if __name__ == "__main__":
    SENDERS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
