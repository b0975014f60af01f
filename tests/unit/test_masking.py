import json
from pathlib import Path

import pytest

from aftersend.operations.masking import mask_addresses, mask_record
from tests.record_files import RECORD_FILES, in_sns_envelope

MASKED = {
    "ada@mail.example": "a***@mail.example",
    "Ada <ada.reader@mail.example>": "Ada <a***@mail.example>",
    "rfc822; ada@mail.example; 5.1.1": "rfc822; a***@mail.example; 5.1.1",
    '"ada reader"@mail.example': "a***@mail.example",
    "https://shop.example/?to=ada%40mail.example&x=1": "https:/***%40mail.example&x=1",
    "https://shop.example/?to=ada%2540mail.example": "https:/***%2540mail.example",
    "bounces+ada=mail.example@shop.example": "b***@shop.example",
    "a@mail.example,b@mail.example": "a***@mail.example,b***@mail.example",
    "ädä@mail.example": "ä***@mail.example",
    "nobody": "nobody",
    "@mail.example": "@mail.example",
    "": "",
}


@pytest.mark.parametrize("text", MASKED)
def test_addresses_keep_their_first_letter_and_their_domain(text: str):
    assert mask_addresses(text) == MASKED[text]


@pytest.mark.parametrize("file", RECORD_FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_no_recipient_of_a_record_is_shown_in_whatever_envelope(file: Path):
    record = file.read_text()
    for payload in (record, in_sns_envelope(record), in_sns_envelope(in_sns_envelope(record))):
        shown = json.dumps(mask_record(payload)).lower()
        assert "***@mail.example" in shown
        assert "ada.reader@" not in shown


def test_an_address_that_json_spells_with_escapes_is_masked():
    record = '{"to": "ada\\u0040mail.example", "ada@mail.example": ["\\u0061da@mail.example", 1, null]}'
    assert mask_record(record) == {"to": "a***@mail.example", "a***@mail.example": ["a***@mail.example", 1, None]}


def test_text_that_only_begins_as_json_is_masked_as_text():
    assert mask_record('{"to": "ada@mail.example"') == '{"to": "a***@mail.example"'
    assert mask_record("[" * 100_000 + "ada@mail.example").endswith("a***@mail.example")


@pytest.mark.parametrize("text", ["x" * 1_000_000, '"' * 200_000, '"a' * 200_000, "@" * 200_000])
def test_masking_of_a_long_text_comes_to_an_end(text: str):
    """A pattern that looks at a character more than once would take hours for these."""
    assert len(mask_addresses(text)) <= len(text)
