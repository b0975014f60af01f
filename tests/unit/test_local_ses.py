"""Check the parts of the local SES that need no socket: templates, addresses, tags, links, and its page."""

import random
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from local.ses import api, api_standalone, tracking
from local.ses.addresses import check_recipients
from local.ses.mime import body, compose
from local.ses.model import parse_v1, parse_v2, service
from local.ses.publishing import Publisher
from local.ses.rendering import Content, RenderingFailed, render
from local.ses.responses import V2_CODES, RequestError
from local.ses.tags import tags_of_header

PAGE = Path(__file__).parent.parent.parent / "docs" / "local-ses.md"


def rendered(template: str, **data: object) -> str | None:
    return render(Content(None, template, None), data).text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ name }}, {{{name}}}", "Ada & Co, Ada & Co"),
        ("{{order.number}}{{! a comment }}", "7"),
        ("{{#if name}}a{{else}}b{{/if}}{{#if absent}}{{absent}}{{else}}c{{/if}}", "ac"),
        ("{{#unless absent}}none{{/unless}}{{#unless name}}{{absent}}{{/unless}}", "none"),
        ("{{#each books}}{{title}} by {{../name}};{{/each}}", "A by Ada & Co;B by Ada & Co;"),
        ("{{#each words}}{{this}} {{/each}}{{#each absent}}{{x}}{{else}}nothing{{/each}}", "x y nothing"),
        ("{{#each books}}{{#if title}}<{{title}}>{{/if}}{{/each}}", "<A><B>"),
        ("{{amazonSESUnsubscribeUrl}}{{ses:openTracker}}", "{{amazonSESUnsubscribeUrl}}{{ses:openTracker}}"),
        ("{{zero}} {{yes}}", "0 true"),
    ],
)
def test_template_is_rendered(template: str, text: str):
    books = [{"title": "A"}, {"title": "B"}]
    data = {"name": "Ada & Co", "order": {"number": 7}, "books": books, "words": ["x", "y"], "zero": 0, "yes": True}
    assert rendered(template, **data) == text


def test_variable_without_a_value_fails():
    with pytest.raises(RenderingFailed, match=r"Attribute 'order\.number' is not present in the rendering data\."):
        rendered("{{order.number}}", order={})


@pytest.mark.parametrize("template", ["{{#if a}}", "{{/if}}", "{{#with a}}{{/with}}", "{{#if a}}{{/each}}", "{{else}}"])
def test_invalid_template_is_refused(template: str):
    with pytest.raises(RequestError, match="InvalidTemplate"):
        rendered(template, a=1)


def test_fifty_recipients_are_accepted_and_one_more_is_not():
    recipients = [f"Reader {number} <reader-{number}@mail.example>" for number in range(50)]
    check_recipients([*recipients[:49], '"odd local.part"@mail.example'])
    check_recipients(recipients)
    with pytest.raises(RequestError, match="Recipient count exceeds 50"):
        check_recipients([*recipients, "one@mail.example"])


def test_header_may_have_a_tag_twice_and_no_more_than_256_characters():
    assert tags_of_header("a=1, b=2,a=3,") == {"a": ["1", "3"], "b": ["2"]}
    assert tags_of_header(f"a={'x' * 256}") == {"a": ["x" * 256]}
    with pytest.raises(RequestError, match="Invalid tag value"):
        tags_of_header(f"a={'x' * 257}")


def test_only_the_first_250_links_are_tracked():
    message = compose({}, None, '<a href="https://shop.example/">x</a>' * 251)
    assert len(tracking.track(message, "http://local", opens=False, clicks=True)) == 250


def test_pixel_is_placed_where_it_is_asked_for_and_only_once():
    place = tracking.OPEN_TRACKER
    message = compose({}, None, f"<body>{place}text</body>")
    tracking.track(message, "http://local", opens=True, clicks=False)
    assert '<body><img alt="" src="http://local/open"' in (body(message, "html") or "")
    with pytest.raises(RequestError, match="more than one"):
        tracking.track(compose({}, None, place * 2), "http://local", opens=True, clicks=False)


def test_form_and_json_give_the_same_parameters():
    form = b"Action=SendRawEmail&Version=2010-12-01&RawMessage.Data=SGk%3D&Tags.member.2.Name=b&Tags.member.2.Value=2"
    form += b"&Tags.member.1.Name=a&Tags.member.1.Value=1&Destinations="
    tags = [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]
    assert parse_v1(form).parameters == {"RawMessage": {"Data": b"Hi"}, "Tags": tags, "Destinations": []}
    call = parse_v2("GET", "/v2/email/suppression/addresses?Reason=BOUNCE&PageSize=5", b"")
    assert call == ("ListSuppressedDestinations", {"Reasons": ["BOUNCE"], "PageSize": 5})


def test_page_names_every_call_that_is_performed():
    performed = api.V1 | api.V2 | api_standalone.V1 | api_standalone.V2
    named = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-zA-Z]+)+\b", PAGE.read_text()))
    assert performed.keys() - named == set()
    for name, operations in (("ses", api.V1 | api_standalone.V1), ("sesv2", api.V2 | api_standalone.V2)):
        assert operations.keys() - set(service(name).operation_names) == set()


def test_codes_of_the_second_api_are_in_its_model_or_common_to_all():
    common = {"UnknownOperationException", "SerializationException"}
    assert set(V2_CODES.values()) - {shape.name for shape in service("sesv2").error_shapes} == common


@pytest.mark.parametrize(("closed", "lines"), [(True, 0), (False, 1)])
def test_record_that_cannot_be_stored_is_one_line_unless_the_run_ends(
    closed: bool, lines: int, capsys: pytest.CaptureFixture[str]
):
    publisher = Publisher(failing_client, random.Random(0), 0)
    publisher.put_into_stream("archive", "{}", ("Firehose", "Send"))
    if closed:
        publisher.close()
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join()
    assert len(capsys.readouterr().err.splitlines()) == lines


def failing_client(_service: str) -> Any:
    raise ConnectionError
