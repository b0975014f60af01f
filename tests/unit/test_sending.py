"""Test the parameters and headers of every sending interface, and the rules of message tags."""

from email import message_from_bytes
from typing import Any

import botocore.session
import pytest
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from aftersend import sending
from aftersend.config.values import CustomTagName
from aftersend.sending import OPERATIONS, Interface, InvalidMessage, Outcome, OutgoingMessage, SendingOptions
from aftersend.sending.message_tags import MAX_CHARACTERS, REFUSED_CHARACTER

TAGS = {"campaign": "spring-catalogue", "genre": "sci-fi"}
TAG_LIST = [{"Name": "campaign", "Value": "spring-catalogue"}, {"Name": "genre", "Value": "sci-fi"}]
OPTIONS = SendingOptions(configuration_set="newsletter", tags=TAGS)
LISTED = SendingOptions(configuration_set="newsletter", tags=TAGS, contact_list="readers", topic="sci-fi")
MESSAGE = OutgoingMessage(
    sender="Bücher <news@bookshop.example>",
    recipients=("reader@mail.example", "Ann <ann@mail.example>"),
    subject="Grüße",
    text="Neue Bücher",
    html="<p>Neue Bücher</p>",
    own_headers={"X-Campaign": "spring-catalogue"},
)


@pytest.fixture(scope="module")
def models() -> dict[str, ServiceModel]:
    session = botocore.session.get_session()
    return {service: session.get_service_model(service) for service in ("ses", "sesv2")}


def input_shape(models: dict[str, ServiceModel], interface: Interface) -> Any:
    operation = OPERATIONS[interface]
    return models[operation.service].operation_model(operation.name).input_shape


def mistakes(values: Any, shape: Shape) -> str:
    return ParamValidator().validate(values, shape).generate_report()


def test_every_interface_has_an_operation():
    assert OPERATIONS.keys() == set(Interface)


@pytest.mark.parametrize("interface", Interface)
def test_operation_takes_a_configuration_set_and_the_parameters_of_the_table(
    models: dict[str, ServiceModel], interface: Interface
):
    members, operation = input_shape(models, interface).members, OPERATIONS[interface]
    tags = {name for name, member in members.items() if member.name == "MessageTagList"}
    assert "ConfigurationSetName" in members
    assert tags == ({operation.tags} if operation.tags else set())
    assert operation.takes_list is ("ListManagementOptions" in members)
    entries = {
        name
        for name, member in members.items()
        if member.type_name == "list" and "ReplacementTags" in getattr(member.member, "members", {})
    }
    assert entries == ({operation.entries} if operation.entries else set())


@pytest.mark.parametrize("interface", Interface)
def test_parameters_have_the_types_of_the_operation(models: dict[str, ServiceModel], interface: Interface):
    operation = OPERATIONS[interface]
    options = SendingOptions(
        configuration_set="newsletter",
        tags=TAGS if operation.tags else {},
        contact_list="readers" if operation.takes_list else None,
        topic="sci-fi" if operation.takes_list else None,
    )
    members = input_shape(models, interface).members
    parameters = sending.parameters(interface, options)
    assert [mistakes(value, members[name]) for name, value in parameters.items()] == [""] * len(parameters)
    assert parameters["ConfigurationSetName"] == "newsletter"
    assert parameters.get(operation.tags or "", TAG_LIST) == TAG_LIST
    if operation.takes_list:
        assert parameters["ListManagementOptions"] == {"ContactListName": "readers", "TopicName": "sci-fi"}
    assert len(parameters) == 1 + bool(operation.tags) + operation.takes_list


@pytest.mark.parametrize("interface", Interface)
def test_nothing_is_named_without_options(interface: Interface):
    assert sending.parameters(interface, SendingOptions()) == {}


@pytest.mark.parametrize("interface", [each for each in Interface if not OPERATIONS[each].tags])
def test_operation_without_tags_says_so(interface: Interface):
    with pytest.raises(InvalidMessage, match="SendCustomVerificationEmail takes no message tags"):
        sending.parameters(interface, OPTIONS)


@pytest.mark.parametrize(
    "interface", [each for each in Interface if OPERATIONS[each].tags and not OPERATIONS[each].takes_list]
)
def test_operation_without_list_management_says_so(interface: Interface):
    with pytest.raises(InvalidMessage, match="no parameter for a contact list"):
        sending.parameters(interface, LISTED)


@pytest.mark.parametrize("interface", [each for each in Interface if OPERATIONS[each].entries])
def test_entry_of_a_bulk_operation_has_replacement_tags(models: dict[str, ServiceModel], interface: Interface):
    entries = input_shape(models, interface).members[OPERATIONS[interface].entries or ""]
    entry = {"Destination": {"ToAddresses": []}} | sending.entry_parameters(interface, TAGS)
    assert mistakes([entry], entries) == ""
    assert entry["ReplacementTags"] == TAG_LIST
    assert sending.entry_parameters(interface, {}) == {}


def test_other_operations_have_no_entries():
    with pytest.raises(InvalidMessage, match="SendEmail sends one message"):
        sending.entry_parameters("v2", TAGS)


def test_headers_name_the_same_as_parameters():
    assert sending.headers(LISTED) == {
        "X-SES-CONFIGURATION-SET": "newsletter",
        "X-SES-MESSAGE-TAGS": "campaign=spring-catalogue, genre=sci-fi",
        "X-SES-LIST-MANAGEMENT-OPTIONS": "readers; topic=sci-fi",
    }
    assert sending.headers(SendingOptions(contact_list="readers")) == {"X-SES-LIST-MANAGEMENT-OPTIONS": "readers"}


def test_own_headers_have_the_values_of_the_tags_that_the_message_has():
    tag_headers = {"X-Campaign": "campaign", "X-Shop": "shop"}
    assert sending.own_headers(TAGS, tag_headers, ["genre", "other"]) == {
        "X-Campaign": "spring-catalogue",
        "genre": "sci-fi",
    }
    assert sending.own_headers(TAGS, {"genre": "campaign"}, ["genre"]) == {"genre": "spring-catalogue"}


@pytest.mark.parametrize(("header", "value"), [("X-Gruß", "a"), ("X Y", "a"), ("X-Campaign", "grün"), ("X", "a\nb")])
def test_header_with_other_characters_than_ascii_is_refused(header: str, value: str):
    with pytest.raises(InvalidMessage, match="ASCII"):
        sending.own_headers({"campaign": value}, {header: "campaign"})


@pytest.mark.parametrize("name", ["a", "A-b_9", "a" * MAX_CHARACTERS, "ses:feedback-id-a", "ses:feedback-id-b"])
def test_tag_names_that_ses_accepts(name: str):
    assert SendingOptions(tags={name: name.replace(":", "-")}).tags


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({"": "a"}, 'The tag name "" is empty'),
        ({"a": ""}, 'The value of the tag "a" is empty'),
        ({"a b": "a"}, 'The tag name "a b" contains " " at position 2'),
        ({"a": "sci.fi"}, 'The value of the tag "a" contains "." at position 4'),
        ({"a": "grün"}, 'The value of the tag "a" contains "ü" at position 3'),
        ({"a": "x\n"}, 'The value of the tag "a" contains U\\+000A at position 2'),
        ({"a": "x" * (MAX_CHARACTERS + 1)}, 'The value of the tag "a" has 257 characters'),
        ({"a" * (MAX_CHARACTERS + 1): "x"}, "has 257 characters"),
        ({"ses:from-domain": "a"}, 'The name "ses:from-domain" is reserved for SES'),
        ({"ses:feedback-id-c": "a"}, "reserved for SES"),
        ({"a:b": "a"}, 'contains ":"'),
    ],
)
def test_tag_that_ses_refuses_is_named_with_the_character(tags: dict[str, str], text: str):
    with pytest.raises(InvalidMessage, match=text):
        SendingOptions(tags=tags)


def test_text_about_a_tag_does_not_contain_its_value():
    with pytest.raises(InvalidMessage) as caught:
        SendingOptions(tags={"recipient": "reader@mail.example"})
    assert "reader" not in str(caught.value)


def test_names_that_environments_count_are_names_that_can_be_sent():
    [meta] = CustomTagName.__metadata__
    assert meta.pattern == f"^[A-Za-z0-9_-]{{1,{MAX_CHARACTERS}}}$"
    assert REFUSED_CHARACTER.pattern == "[^A-Za-z0-9_-]"


@pytest.mark.parametrize("key", ["configuration_set", "contact_list", "topic"])
@pytest.mark.parametrize("name", ["", "a b", "a" * 65, "a\n"])
def test_name_that_ses_cannot_have_is_refused(key: str, name: str):
    names: dict[str, Any] = {"contact_list": "readers", key: name}
    with pytest.raises(InvalidMessage, match=key):
        SendingOptions(**names)


def test_topic_needs_its_contact_list():
    with pytest.raises(InvalidMessage, match="contact_list="):
        SendingOptions(topic="sci-fi")


def test_link_has_its_tags_in_one_attribute():
    assert sending.link_tags({"position": "top", "kind": "image"}) == 'ses:tags="position:top;kind:image"'
    for name in ("ses:feedback-id-a", "a;b", '"'):
        with pytest.raises(InvalidMessage):
            sending.link_tags({name: "a"})


@pytest.mark.parametrize("interface", sending.COMPOSED)
def test_message_has_the_parameters_of_the_operation(models: dict[str, ServiceModel], interface: Interface):
    request = sending.request(interface, MESSAGE, OPTIONS)
    assert mistakes(request, input_shape(models, interface)) == ""
    assert "ann@mail.example" in str(request)
    assert ("X-Campaign" in str(request)) is (interface is not Interface.V1)


@pytest.mark.parametrize("interface", [Interface.V1_RAW, Interface.V2_RAW])
def test_raw_operation_names_tags_in_parameters_only(interface: Interface):
    """Tags of the header would be ignored; a configuration set in both is undocumented."""
    assert "X-SES-" not in str(sending.request(interface, MESSAGE, OPTIONS))


@pytest.mark.parametrize("parts", [{"text": "a"}, {"html": "<p>a</p>"}, {"text": "a", "html": "<p>a</p>"}])
def test_message_has_the_parts_that_are_given(parts: dict[str, Any]):
    message = OutgoingMessage(sender="a@b.example", recipients=("c@d.example",), subject="s", **parts)
    mime = sending.smtp_message(message, OPTIONS)
    bodies = {"text": mime.get_body(["plain"]), "html": mime.get_body(["html"])}
    assert {name for name, body in bodies.items() if body} == parts.keys()
    simple = sending.request(Interface.V2, message, OPTIONS)["Content"]["Simple"]
    assert {name.lower() for name in simple["Body"]} == parts.keys()


def test_mime_message_is_ascii_with_tags_as_they_are():
    """Python's email package would write a header of more than 78 characters as encoded words."""
    tags = {f"tag-{number}": "x" * MAX_CHARACTERS for number in range(9)}
    mime = sending.smtp_message(MESSAGE, SendingOptions(tags=tags))
    raw = mime.as_bytes()
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    value = message_from_bytes(raw)["X-SES-MESSAGE-TAGS"]
    checks = [*sending.check_headers([("x-ses-message-tags", value.replace("\r\n", ""))], {}, has_parameters=False)]
    assert {check.name: check.value for check in checks} == tags
    assert {check.outcome for check in checks} == {Outcome.ACCEPTED}


@pytest.mark.parametrize("field", ["sender", "subject"])
@pytest.mark.parametrize("character", ["\n", "\r", "\x00", "\udcff"])
def test_line_break_cannot_become_a_header(field: str, character: str):
    fields: dict[str, Any] = {"sender": "a@b.example", "subject": "s", "recipients": ("c@d.example",)}
    fields[field] = f"a{character}X-SES-MESSAGE-TAGS: a=b"
    with pytest.raises(InvalidMessage, match="control character"):
        OutgoingMessage(**fields)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("Bücher <news@bookshop.example>", "=?utf-8?q?B=C3=BCcher?= <news@bookshop.example>"),
        ('"Müller, Ada" <ada@mail.example>', "=?utf-8?b?TcO8bGxlciwgQWRh?= <ada@mail.example>"),
        ("Books <news@bookshop.example>", "Books <news@bookshop.example>"),
        ("bü@mail.example", "bü@mail.example"),
        ("Bü <bü@mail.example>", "Bü <bü@mail.example>"),
    ],
)
@pytest.mark.parametrize("interface", sending.COMPOSED)
def test_names_of_people_are_encoded_where_they_are_not_ascii(interface: Interface, address: str, expected: str):
    message = sending.OutgoingMessage(sender=address, recipients=(address,), subject="Spring", text="Books")
    parameters = sending.request(interface, message, SendingOptions())
    assert parameters.get("Source", parameters.get("FromEmailAddress")) == expected
    recipients = parameters.get("Destinations") or parameters["Destination"]["ToAddresses"]
    assert recipients == [expected]
