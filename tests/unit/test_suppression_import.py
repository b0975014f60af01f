"""Import the lists that other providers export. The files have the columns that their documentation names."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aftersend.aws.suppression_check import recipient_of
from aftersend.operations.suppression_import import (
    SKIPPED,
    Row,
    Skipped,
    act_of,
    note_of,
    parse_addresses,
    parse_rows,
    parse_time,
    skip_reason,
)
from aftersend.operations.tabular import MAX_RECORD_LINES, NotTabular
from aftersend.suppression import Entry

NOW = datetime(2026, 11, 25, 9, 26, 56, tzinfo=UTC)
LISTED = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
READER = "reader@mail.example"


def parsed(text: str, scope: str | None = None) -> list[Row | Skipped]:
    return list(parse_rows(text.splitlines(keepends=True), recipient_of, NOW, scope))


def row(**given: Any) -> Row:
    return Row(2, READER, READER, "*", "550 5.1.1 unknown", LISTED, "SendGrid")._replace(**given)


EXPORTS = {
    "SendGrid": (
        f"email,created,reason,status\n{READER},1773480413,550 5.1.1 unknown,5.1.1\n",
        f'status,reason,email,created\n5.1.1,"550 5.1.1 unknown",{READER},2026-03-14 09:26:53\n',
    ),
    "Mailgun": (
        f'address,code,error,created_at\n{READER},550,550 5.1.1 unknown,"Sat, 14 Mar 2026 09:26:53 GMT"\n',
        f'address,code,error,created_at\n{READER},550,550 5.1.1 unknown,"Sat, 14 Mar 2026 09:26:53 UTC"\n',
    ),
    "Postmark": (
        f"EmailAddress,SuppressionReason,Origin,CreatedAt\n{READER},550 5.1.1 unknown,Recipient,"
        "2026-03-14T05:26:53-04:00\n",
    ),
    "Amazon SES": (
        f'{{"emailAddress": "{READER}", "reason": "550 5.1.1 unknown", "lastUpdateTime": "2026-03-14T09:26:53Z"}}\n',
        f'{{"EmailAddress":"{READER}","Reason":"550 5.1.1 unknown","LastUpdateTime":"2026-03-14T09:26:53+00:00"}}',
    ),
    "Aftersend": (
        f"recipient,scope,reason,rule,since,until,lifted_by,who,note\n{READER},*,bounce,550 5.1.1 unknown,"
        "2026-03-14T09:26:53Z,,,,\n",
    ),
    "a list": (f"E-mail address;Reason;Date\r\n{READER};550 5.1.1 unknown;2026-03-14T09:26:53Z\r\n",),
}


@pytest.mark.parametrize(("source", "text"), [(source, text) for source in EXPORTS for text in EXPORTS[source]])
def test_export_is_read_with_address_reason_and_time(source: str, text: str):
    [imported] = parsed(text)
    assert isinstance(imported, Row)
    assert imported._replace(line=2) == row(source=source)


def test_file_without_header_is_read_as_an_import_job_reads_it():
    other = "other@mail.example"
    assert parsed(f"{READER},BOUNCE\n{other}, COMPLAINT\n") == [
        row(line=1, reason="BOUNCE", listed_at=None, source="a list"),
        row(line=2, recipient=other, address=other, reason="COMPLAINT", listed_at=None, source="a list"),
    ]


def test_addresses_alone_are_a_list():
    assert [each.recipient for each in parsed(f"\ufeff{READER}\n\nother@mail.example") if isinstance(each, Row)] == [
        READER,
        "other@mail.example",
    ]


@pytest.mark.parametrize("text", ["Email\n", "EMAIL ADDRESS\n", '\ufeff"e-mail"\n', "\n\n email_address \n"])
def test_header_is_recognized_in_any_spelling(text: str):
    [imported] = parsed(f"{text}Ann <Reader@Mail.example>\n")
    assert isinstance(imported, Row)
    assert (imported.recipient, imported.address) == (READER, "Reader@Mail.example")


def test_display_name_with_a_comma_is_one_value():
    [imported] = parsed(f'email,created\n"""Reader, Ann"" <{READER}>",1773480413\n')
    assert isinstance(imported, Row)
    assert (imported.recipient, imported.listed_at) == (READER, LISTED)


@pytest.mark.parametrize("damaged", ['"', 'a@mail.example,"no end', '5" disk', "\0", '"a"b"c'])
@pytest.mark.parametrize("position", [1, 3])
def test_damaged_line_costs_itself_alone(damaged: str, position: int):
    lines = ["email,reason", *(f"reader-{number}@mail.example,bounced" for number in range(3 * MAX_RECORD_LINES))]
    lines.insert(position, damaged)
    recipients = [each.recipient for each in parsed("\n".join(lines)) if isinstance(each, Row)]
    assert [each for each in recipients if each.startswith("reader-")] == [
        f"reader-{number}@mail.example" for number in range(3 * MAX_RECORD_LINES)
    ]


def test_value_may_span_lines():
    [first, second] = parsed(f'email,reason\n{READER},"550\n\n5.1.1 ""unknown"""\nother@mail.example,x\n')
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.reason, second.recipient, second.line) == ('550 5.1.1 "unknown"', "other@mail.example", 5)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",*,,,,", "no-address"),
        ("not an address,*,,,,", "no-address"),
        ("a@mail.example;b@mail.example,*,,,,", "no-address"),
        (f"{READER},everywhere,,,,", "no-scope"),
        (f"{READER},*,,2026-12-01T00:00:00Z,,", "temporary"),
        (f"{READER},*,,,removed-by-operator,", "temporary"),
        (f"{READER},*,,,,newsletter", "one-tag"),
    ],
)
def test_row_is_skipped_for_a_reason(line: str, reason: str):
    assert parsed(f"recipient,scope,rule,until,lifted_by,tag\n{line}\n") == [Skipped(2, reason)]
    assert reason in SKIPPED


@pytest.mark.parametrize("line", ["{", "[]", "1", '{"email": null}', '{"email": ["a@b.example"]}'])
def test_json_line_that_names_no_address_is_skipped(line: str):
    [first, second] = parsed(f'{{"email": "{READER}"}}\n{line}\n')
    assert isinstance(first, Row)
    assert isinstance(second, Skipped)


def test_row_of_one_tag_is_imported_into_a_scope_that_is_given():
    [imported] = parsed(f"address,tag,created_at\n{READER},news,\n", scope="stream#news")
    assert isinstance(imported, Row)
    assert imported.scope == "stream#news"


def test_unsubscribe_from_everything_is_no_row_of_one_tag():
    assert isinstance(parsed(f"address,tag,created_at\n{READER},*,\n")[0], Row)


@pytest.mark.parametrize("text", ["name,city\nAnn,Turin\n", "[\n"])
def test_file_without_addresses_is_refused_with_the_fix(text: str):
    with pytest.raises(NotTabular, match=r"`email`|jq"):
        parsed(text)


def test_empty_file_has_no_rows():
    assert parsed("") == parsed("\n\n") == []


@pytest.mark.parametrize(
    "text", ["", "yesterday", "nan", "inf", "1e99", "-1e99", "0001-01-01T00:00:00+14:00", "2027-01-01"]
)
def test_time_that_is_none_or_in_the_future_is_unknown(text: str):
    assert parse_time(text, NOW) is None


@pytest.mark.parametrize("text", ["1773480413", "1773480413000", "2026-03-14 09:26:53 UTC", "2026-03-14T09:26:53Z"])
def test_time_is_read_in_every_form(text: str):
    assert parse_time(text, NOW) == LISTED


def an_entry(**given: Any) -> Entry:
    fields: dict[str, Any] = {"recipient": READER, "reason": "bounce", "rule": "hard-bounce", "since": LISTED} | given
    return Entry(**fields)


REMOVED = {"lifted_by": "removed-by-operator", "until": datetime(2026, 6, 1, tzinfo=UTC)}


def test_recipient_without_an_entry_is_imported():
    assert skip_reason(row(), None) is None


def test_recipient_who_is_suppressed_is_skipped():
    assert skip_reason(row(), an_entry()) == "already-suppressed"


def test_temporary_entry_does_not_suffice():
    assert skip_reason(row(), an_entry(until=datetime(2026, 11, 26, tzinfo=UTC))) is None


def test_recipient_removed_after_the_row_is_skipped_unless_forced():
    assert skip_reason(row(), an_entry(**REMOVED)) == "removed-here"
    assert skip_reason(row(listed_at=None), an_entry(**REMOVED)) == "removed-here"
    assert skip_reason(row(), an_entry(**REMOVED), force=True) is None


def test_recipient_removed_before_the_row_is_imported():
    assert skip_reason(row(listed_at=datetime(2026, 7, 1, tzinfo=UTC)), an_entry(**REMOVED)) is None


def test_forgotten_recipient_is_skipped_even_if_forced():
    assert skip_reason(row(), None, is_forgotten=True, force=True) == "forgotten"


def test_note_names_source_time_and_reason():
    assert note_of(row()) == "Imported from SendGrid, listed 2026-03-14: 550 5.1.1 unknown"
    assert note_of(row(reason="", listed_at=None)) == "Imported from SendGrid"


def test_act_has_the_same_key_in_every_run():
    first, second = act_of(row(), "ops", NOW), act_of(row(line=7), "ops", LISTED)
    assert first.message_id == second.message_id
    assert first.message_id != act_of(row(scope="stream#news"), "ops", NOW).message_id


def test_act_keeps_the_spelling_of_the_file():
    assert act_of(row(address="Reader@mail.example"), "ops", NOW).recipient_raw == "Reader@mail.example"
    assert act_of(row(), "ops", NOW).recipient_raw is None


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_mailing_list_has_its_addresses_in_the_column_that_is_named_so(delimiter: str):
    lines = [
        delimiter.join(cells) for cells in [("\ufeffName", "E-Mail"), ("Ada", READER), ("Ben", "b\ufffd@c.example")]
    ]
    assert list(parse_addresses([*lines, "", "short"])) == [(2, READER), (3, ""), (5, "")]


def test_mailing_list_without_header_has_its_addresses_in_the_first_column():
    assert list(parse_addresses([f"{READER},Ada\r\n", '"never@closed\n', "b@mail.example\n"])) == [
        (1, READER),
        (2, "never@closed"),
        (3, "b@mail.example"),
    ]
