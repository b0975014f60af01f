"""Send over every interface of the local SES, without an emulator, and read what arrived and what was published."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import pytest

from local.ses.mime import EICAR
from tests.local_ses import (
    INTERFACES,
    READER,
    SENDER,
    SENDS,
    TAGS,
    TEMPLATE,
    TO,
    WAYS,
    Clients,
    Given,
    local_ses,
    raw_message,
)

SIMPLE_TRACKED = '<p><a ses:tags="book:1974" href="https://shop.example/?a=1&amp;b=2">a</a> <a ses:no-track href="https://b.example/">b</a></p>'


@pytest.fixture(scope="module")
def running() -> Generator[Clients]:
    with local_ses() as clients:
        yield clients


@pytest.fixture
def clients(running: Clients) -> Clients:
    running.http("DELETE", "/messages")
    running.ses.account_list.addresses.clear()
    return running


def send(clients: Clients, html: str = "", *recipients: str, **options: Any) -> str:
    body = {"Text": {"Data": "{{amazonSESUnsubscribeUrl}}"}, "Html": {"Data": html}}
    return clients.v2.send_email(
        FromEmailAddress=SENDER,
        Destination={"ToAddresses": list(recipients) or [READER]},
        Content={"Simple": {"Subject": {"Data": "Books"}, "Body": body}},
        **{"ConfigurationSetName": "newsletter", **options},
    )["MessageId"]


def kinds(clients: Clients, message_id: str) -> list[str]:
    return [record["eventType"] for record in clients.records(message_id)]


@pytest.mark.parametrize(("interface", "way"), SENDS)
def test_message_has_the_tags_and_the_set_that_were_given(interface: str, way: str, clients: Clients):
    message_id = INTERFACES[interface](clients, WAYS[way][0])
    [message] = clients.messages()
    assert (message["id"], message["configuration_set"]) == (message_id, "newsletter")
    assert message["tags"] == {name: [value] for name, value in TAGS.items()}
    assert not [name for name, _ in message["headers"] if name.lower().startswith("x-ses-")]
    [sent, delivered] = clients.records(message_id)
    assert [sent["eventType"], delivered["eventType"]] == ["Send", "Delivery"]
    assert sent["mail"]["tags"].items() >= {name: [value] for name, value in TAGS.items()}.items()


@pytest.mark.parametrize("interface", INTERFACES)
def test_default_set_of_the_identity_applies_where_none_is_given(interface: str, clients: Clients):
    attributes = {"EmailIdentity": "bookshop.example", "ConfigurationSetName": "receipts"}
    clients.v2.put_email_identity_configuration_set_attributes(**attributes)
    INTERFACES[interface](clients, Given())
    clients.v2.put_email_identity_configuration_set_attributes(EmailIdentity="bookshop.example")
    INTERFACES[interface](clients, Given())
    assert [message["configuration_set"] for message in clients.messages()] == ["receipts", None]


@pytest.mark.parametrize(
    "sender",
    [
        "Ada@person.example",
        "Ada+books@person.example",
        "Ada L. <Ada@person.example>",
        "a@sub.BOOKSHOP.example",
        "a@caps.example",
    ],
)
def test_sender_is_covered_by_its_address_without_label_or_by_a_domain_above_it(sender: str, clients: Clients):
    message = {"Subject": {"Data": "Books"}, "Body": {"Text": {"Data": "Hello."}}}
    clients.v1.send_email(Source=sender, Destination=TO, Message=message)
    assert [message["source"] for message in clients.messages()] == [sender]


@pytest.mark.parametrize("recipient", ["Lovelace, Ada <ada@mail.example>", '"Lovelace, Ada" <ada@mail.example>'])
def test_recipient_is_the_address_whatever_the_name_before_it(recipient: str, clients: Clients):
    delivery = clients.records(send(clients, "", recipient))[-1]["delivery"]
    assert delivery["recipients"] == ["ada@mail.example"]
    assert len(clients.messages("ada@mail.example")) == 1
    clients.v2.put_suppressed_destination(EmailAddress="ada@mail.example", Reason="BOUNCE")
    assert kinds(clients, send(clients, "", recipient)) == ["Send", "Bounce"]


def test_custom_verification_email_has_no_tags(clients: Clients):
    for client in (clients.v1, clients.v2):
        client.send_custom_verification_email(
            EmailAddress=READER, TemplateName="welcome", ConfigurationSetName="newsletter"
        )
    first, second = clients.messages()
    assert first["tags"] == second["tags"] == {}
    assert "https://bookshop.example/yes" in json.dumps(clients.ses.templates.verification)
    assert first["subject"] == "Is this you?"


@pytest.mark.parametrize("data", ["{}", '{"title": "Books"}'])
def test_missing_variable_is_a_rendering_failure_and_no_error(data: str, clients: Clients):
    template = {"TemplateName": "catalogue", "TemplateData": data}
    answer = clients.v2.send_email(
        FromEmailAddress=SENDER, Destination=TO, Content={"Template": template}, ConfigurationSetName="newsletter"
    )
    [record] = clients.records(answer["MessageId"])
    missing = "title" if data == "{}" else "name"
    assert record["failure"] == {
        "templateName": "catalogue",
        "errorMessage": f"Attribute '{missing}' is not present in the rendering data.",
    }
    assert clients.messages() == []


@pytest.mark.parametrize(
    ("data", "expected"), [("[1, 2]", "xx"), ("5", "-"), ("true", "-"), ('"ab"', "-"), ("[]", "-")]
)
def test_each_repeats_its_block_for_the_items_of_a_list_alone(data: str, expected: str, clients: Clients):
    template = {"TemplateContent": {"Subject": "Books", "Text": "{{#each books}}x{{else}}-{{/each}}"}}
    content = {"Template": template | {"TemplateData": f'{{"books": {data}}}'}}
    clients.v2.send_email(FromEmailAddress=SENDER, Destination=TO, Content=content)
    assert [message["text"] for message in clients.messages()] == [expected]


@pytest.mark.parametrize("charset", ["idna", "x-unknown", "base64"])
def test_text_in_an_unknown_character_set_is_read_as_utf_8(charset: str, clients: Clients):
    raw = raw_message("X-SES-CONFIGURATION-SET: newsletter", f"Content-Type: text/html; charset={charset}", body="Ünï")
    clients.v1.send_raw_email(RawMessage={"Data": raw})
    assert clients.messages()[0]["html"].startswith("Ünï")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("success", ["Send", "Delivery"]),
        ("bounce", ["Send", "Bounce"]),
        ("ooto", ["Send", "Delivery", "Bounce"]),
        ("complaint", ["Send", "Delivery", "Complaint"]),
        ("suppressionlist", ["Send", "Bounce"]),
    ],
)
def test_address_of_the_mailbox_simulator_gets_its_events(name: str, expected: list[str], clients: Clients):
    for recipient in (f"{name}@simulator.amazonses.com", f"Ada <{name.title()}+label@Simulator.amazonses.com>"):
        assert kinds(clients, send(clients, "", recipient)) == expected
    assert clients.ses.account_list.addresses == {}


def test_recipients_of_one_message_fare_differently(clients: Clients):
    clients.v2.put_suppressed_destination(EmailAddress="Listed@mail.example", Reason="COMPLAINT")
    bouncing = ["bounce+1@simulator.amazonses.com", "bounce+2@simulator.amazonses.com"]
    records = clients.records(send(clients, "", *bouncing, READER, "listed@mail.example"))
    assert [record["eventType"] for record in records] == ["Send", "Complaint", "Bounce", "Delivery"]
    assert records[1]["complaint"]["complaintSubType"] == "OnAccountSuppressionList"
    assert [each["emailAddress"] for each in records[2]["bounce"]["bouncedRecipients"]] == bouncing
    assert records[3]["delivery"]["recipients"] == [READER]


@pytest.mark.parametrize("interface", ["v1", "v2"])
def test_virus_is_rejected_after_the_call_succeeded(interface: str, clients: Clients):
    raw = raw_message("X-SES-CONFIGURATION-SET: newsletter", body=EICAR.decode())
    if interface == "v1":
        message_id = clients.v1.send_raw_email(RawMessage={"Data": raw})["MessageId"]
    else:
        message_id = clients.v2.send_email(Content={"Raw": {"Data": raw}})["MessageId"]
    assert clients.records(message_id)[-1]["reject"] == {"reason": "Bad content"}
    assert clients.messages() == []


@pytest.mark.parametrize("kind", ["Simple", "Template"])
def test_virus_in_an_attachment_is_rejected(kind: str, clients: Clients):
    attachments = {"Attachments": [{"FileName": "a.com", "RawContent": EICAR}]}
    simple = {"Subject": {"Data": "Books"}, "Body": {"Text": {"Data": "Hello."}}}
    content = {kind: {"Simple": simple, "Template": TEMPLATE}[kind] | attachments}
    message_id = clients.v2.send_email(
        FromEmailAddress=SENDER, Destination=TO, Content=content, ConfigurationSetName="newsletter"
    )["MessageId"]
    assert kinds(clients, message_id) == ["Send", "Reject"]


def test_bounce_without_details_is_simulated_as_a_permanent_one(clients: Clients):
    header = 'X-Local-SES-Simulation: {"events": [{"event": "Bounce"}]}'
    raw = raw_message("X-SES-CONFIGURATION-SET: newsletter", header)
    [record] = clients.records(clients.v1.send_raw_email(RawMessage={"Data": raw})["MessageId"])
    assert (record["bounce"]["bounceType"], record["bounce"]["bounceSubType"]) == ("Permanent", "General")


def test_response_to_head_has_no_body(clients: Clients):
    send(clients, SIMPLE_TRACKED)
    [pixel] = re.findall(r'<img [^>]*src="[^"]+(/track[^"]+)"', clients.messages()[0]["html"])
    with socket.create_connection(("127.0.0.1", int(clients.ses.url.rpartition(":")[2]))) as connection:
        for path in (pixel, "/messages"):
            connection.sendall(f"HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.count(b"\r\n\r\n") == answer.count(b"HTTP/1.1 ") == 2
    assert answer.endswith(b"\r\n\r\n")


def test_attribute_whose_name_ends_like_that_of_a_link_is_not_tracked(clients: Clients):
    send(clients, '<a data-href="https://no.example/" href="https://yes.example/">a</a>')
    [message] = clients.messages()
    assert 'data-href="https://no.example/"' in message["html"]
    assert clients.http("GET", message["links"][0]).headers["Location"] == "https://yes.example/"


def test_tracked_links_lead_on_and_are_published(clients: Clients):
    message_id = send(clients, SIMPLE_TRACKED)
    [message] = clients.messages()
    tracked, untracked = message["links"]
    assert untracked == "https://b.example/"
    assert "ses:" not in message["html"]
    [pixel] = re.findall(r'<img [^>]*src="([^"]+)"', message["html"])
    assert clients.http("GET", pixel).headers["Content-Type"] == "image/gif"
    assert clients.http("GET", tracked).headers["Location"] == "https://shop.example/?a=1&b=2"
    opened, clicked = clients.records(message_id)[2:]
    assert (opened["eventType"], clicked["eventType"]) == ("Open", "Click")
    assert clicked["click"]["link"] == "https://shop.example/?a=1&b=2"
    assert clicked["click"]["linkTags"] == {"book": ["1974"]}
    assert clients.http("GET", tracked + "9").status == 404


def test_set_that_publishes_no_clicks_changes_no_links(clients: Clients):
    clients.v2.create_configuration_set(ConfigurationSetName="untracked")
    destination = {"Enabled": True, "MatchingEventTypes": ["SEND"], "SnsDestination": {"TopicArn": "arn"}}
    clients.v2.create_configuration_set_event_destination(
        ConfigurationSetName="untracked", EventDestinationName="sends", EventDestination=destination
    )
    message_id = send(clients, '<a href="https://shop.example/">shop</a>', ConfigurationSetName="untracked")
    assert [message["links"] for message in clients.messages()] == [["https://shop.example/"]]
    assert kinds(clients, message_id) == ["Send"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_recipient_unsubscribes_by_link_or_by_one_click(method: str, clients: Clients):
    options = {"ContactListName": "readers", "TopicName": "poetry"}
    by_parameter = send(clients, ListManagementOptions=options)
    headers = ("X-SES-CONFIGURATION-SET: newsletter", "X-SES-LIST-MANAGEMENT-OPTIONS: readers; topic=poetry")
    by_header = clients.v1.send_raw_email(RawMessage={"Data": raw_message(*headers)})["MessageId"]
    for message in clients.messages():
        sent_headers = dict(message["headers"])
        assert sent_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = sent_headers["List-Unsubscribe"].strip("<>")
        assert clients.http(method, link, "List-Unsubscribe=One-Click").status == 200
    assert clients.messages()[0]["text"] == link.replace(by_header, by_parameter)
    for message_id in (by_parameter, by_header):
        subscription = clients.records(message_id)[-1]["subscription"]
        assert subscription["contactList"] == "readers"
        assert subscription["newTopicPreferences"]["topicSubscriptionStatus"][0]["topicName"] == "poetry"


def test_templates_of_one_api_are_those_of_the_other(clients: Clients):
    clients.v1.create_template(Template={"TemplateName": "shared", "SubjectPart": "{{a}}", "TextPart": "{{b}}"})
    clients.v2.update_email_template(TemplateName="shared", TemplateContent={"Subject": "{{a}}!", "Text": "{{b}}"})
    assert clients.v1.get_template(TemplateName="shared")["Template"]["SubjectPart"] == "{{a}}!"
    assert clients.v2.get_email_template(TemplateName="shared")["TemplateContent"]["Text"] == "{{b}}"
    data = '{"a": "é", "b": "c"}'
    rendered = clients.v2.test_render_email_template(TemplateName="shared", TemplateData=data)["RenderedTemplate"]
    assert "Subject: =?utf-8?" in rendered
    assert "shared" in [each["Name"] for each in clients.v1.list_templates()["TemplatesMetadata"]]
    created = [each["CreatedTimestamp"] for each in clients.v2.list_email_templates()["TemplatesMetadata"]]
    assert all(moment <= datetime.now(UTC) for moment in created)
    clients.v1.delete_template(TemplateName="shared")
    assert "shared" not in [each["TemplateName"] for each in clients.v2.list_email_templates()["TemplatesMetadata"]]


@pytest.mark.parametrize("option", ["--port", "--smtp-port", "--smtps-port"])
def test_port_that_is_in_use_ends_the_command_with_one_sentence(option: str, clients: Clients):
    port = str(clients.ports.starttls)
    completed = subprocess.run(
        [sys.executable, "-m", "local.ses", "--port", "0", option, port], check=False, capture_output=True, text=True
    )
    assert completed.returncode == 2
    assert f"argument {option}: port {port} is in use: choose another" in completed.stderr
    assert "Traceback" not in completed.stderr
