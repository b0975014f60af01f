"""Test `aftersend inspect` as a person or a script runs it."""

import gzip
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aftersend.cli.main import app
from aftersend.events import Event
from aftersend.parsing import MAX_INVOCATION_BYTES, MAX_PAYLOAD_BYTES
from tests.envelopes import in_sqs_record
from tests.record_files import EVENTS, RECORD_FILES, in_sns_envelope, notified, published, setup

NAMES = [
    *("file", "record", "outcome", "reason", "kind", "message_id", "sent_at", "occurred_at", "reported_at"),
    *("recipient", "reported_recipient", "source", "tags", "subject"),
    *(
        "bounce_type",
        "bounce_subtype",
        "action",
        "status",
        "diagnostic_code",
        "feedback_id",
        "feedback_type",
        "complaint_subtype",
        "candidate_count",
    ),
    *("processing_time_millis", "smtp_response", "delay_type", "delay_expires_at", "ip_address", "user_agent"),
    *(
        "bot_likelihood",
        "machine",
        "link",
        "link_tags",
        "reject_reason",
        "template_name",
        "error_message",
        "contact_list",
    ),
    *("subscription_source", "old_preferences", "new_preferences", "rule", "suppresses", "coerced_fields"),
]
NOT_SHOWN = {"recipient_raw", "operator", "scope", "list_reason", "note"}


def inspect(*arguments: str | Path, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["inspect", *map(str, arguments)], input=stdin)


def lines(*arguments: str | Path, stdin: str | bytes | None = None) -> list[dict[str, Any]]:
    result = inspect("--json", *arguments, stdin=stdin)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("file", RECORD_FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_json_line_has_all_names_in_order(file: Path):
    printed = lines(file)
    assert [list(line) for line in printed] == [NAMES] * len(printed)
    assert {(line["file"], line["record"], line["outcome"]) for line in printed} == {(str(file), 0, "event")}


def test_json_line_has_every_field_of_an_event():
    assert set(Event.__struct_fields__) - NOT_SHOWN == set(NAMES) & set(Event.__struct_fields__)


def test_every_name_of_a_json_line_is_documented():
    documented = set(re.findall(r"`([a-z_]+)`", (EVENTS.parents[1] / "docs" / "events.md").read_text()))
    assert set(NAMES) - documented == {"file", "record", "outcome", "reason", "kind"}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bounce", {"action": "failed", "status": "5.1.1", "reported_at": None}),
        ("delivery", {"processing_time_millis": 1812, "smtp_response": "250 2.0.0 Ok: queued as 4RkQ2d0Zy1z9sH"}),
        ("delivery-delay", {"delay_expires_at": "2026-03-14T23:26:53.589Z", "status": "4.4.1"}),
        ("complaint", {"user_agent": "Yahoo!-Mail-Feedback/2.0", "candidate_count": None, "link_tags": {}}),
        ("click", {"ip_address": "192.0.2.131", "link_tags": {"shelf": ["front"], "position": ["top", "left"]}}),
        (
            "subscription",
            {
                "subscription_source": "UnsubscribeHeader",
                "old_preferences": {"unsubscribe_all": False, "topics": {"new-books": "OptIn", "events": "OptIn"}},
                "new_preferences": {"unsubscribe_all": False, "topics": {"new-books": "OptOut", "events": "OptIn"}},
            },
        ),
    ],
)
def test_json_line_has_the_values_that_are_kept(kind: str, values: dict[str, Any]):
    [line] = lines(EVENTS / "event-publishing" / f"{kind}.json")
    assert {name: line[name] for name in values} == values


def test_json_line_has_the_reported_time_and_recipient():
    record = published("bounce")
    record["bounce"] |= {"timestamp": "2001-01-01T00:00:00Z", "bouncedRecipients": [{"emailAddress": "a@b.example"}]}
    [line] = lines(stdin=json.dumps(record))
    assert (line["reported_at"], line["occurred_at"]) == ("2001-01-01T00:00:00.000Z", "2026-03-14T09:26:53.589Z")
    assert (line["reported_recipient"], line["recipient"]) == ("a@b.example", "Ada.Reader@mail.example")


def test_tag_may_have_the_name_of_a_field():
    tags = {"unsubscribe_all": ["yes"], "topics": ["a"], "file": ["b"]}
    record = published("open") | {"mail": published("open")["mail"] | {"tags": tags}}
    assert lines(stdin=json.dumps(record))[0]["tags"] == tags
    assert "unsubscribe_all = yes" in inspect(stdin=json.dumps(record)).stdout


def test_bounce_shows_recipient_time_type_rule_and_suppression():
    [line] = lines(EVENTS / "event-publishing" / "bounce.json")
    assert {name: line[name] for name in ("kind", "recipient", "occurred_at", "bounce_type", "rule", "suppresses")} == {
        "kind": "Bounce",
        "recipient": "Ada.Reader@mail.example",
        "occurred_at": "2026-03-14T09:26:56.214Z",
        "bounce_type": "Permanent",
        "rule": "hard-bounce",
        "suppresses": True,
    }
    assert line["tags"]["genre"] == ["sci-fi"]
    assert line["reason"] is line["link"] is None
    assert line["coerced_fields"] == []


def test_only_feedback_has_a_rule():
    rules = {kind: lines(stdin=json.dumps(published(kind)))[0]["rule"] for kind in ("send", "open", "complaint")}
    assert rules == {"send": None, "open": None, "complaint": "complaint"}


def test_each_recipient_has_a_line_and_each_record_a_number():
    record = notified("bounce")
    record["mail"]["destination"] = ["Ada <a@mail.example>", "b@mail.example"]
    record["bounce"]["bouncedRecipients"] = [{"emailAddress": each} for each in record["mail"]["destination"]]
    printed = lines(stdin=json.dumps([record, setup("topic-validation.txt"), {"no": "type"}]))
    assert [(line["record"], line["outcome"], line["recipient"], line["reason"]) for line in printed] == [
        (0, "event", "a@mail.example", None),
        (0, "event", "b@mail.example", None),
        (1, "ignored", None, "topic-validation"),
        (2, "unreadable", None, "no-type"),
    ]
    assert {line["tags"] is None for line in printed[2:]} == {True}


def test_coerced_fields_are_named():
    record = published("delivery")
    record["mail"]["destination"] = "a@mail.example"
    assert lines(stdin=json.dumps(record))[0]["coerced_fields"] == ["mail.destination"]


def long_open() -> str:
    """Return a record of which few make a large file."""
    record = published("open")
    record["open"]["userAgent"] = "x" * 20_000
    return json.dumps(record)


def test_event_of_a_lambda_invocation_is_one_payload(tmp_path: Path):
    record = in_sqs_record(long_open())
    number = MAX_INVOCATION_BYTES // (len(json.dumps(record)) + 2) - 1
    (tmp_path / "event.json").write_text(json.dumps({"Records": [record] * number}))
    assert MAX_PAYLOAD_BYTES < (tmp_path / "event.json").stat().st_size <= MAX_INVOCATION_BYTES
    assert [line["kind"] for line in lines(tmp_path / "event.json")] == ["Open"] * number


def test_archive_object_may_be_gzip_or_plain_and_of_any_length(tmp_path: Path):
    line = long_open()
    number = MAX_INVOCATION_BYTES // len(line) + 2
    (tmp_path / "gzip").write_bytes(gzip.compress("\n".join([line] * number).encode()))
    (tmp_path / "plain").write_text("\n".join([line, "", "{}"]))
    printed = lines(tmp_path / "gzip", tmp_path / "plain")
    assert [each["record"] for each in printed] == [*range(number), 0, 1]
    assert printed[-1]["reason"] == "no-type"


def test_file_that_cannot_be_opened_fails_without_affecting_others(tmp_path: Path):
    cut = gzip.compress(b"{}" * 100)[:-9]
    (tmp_path / "cut.gz").write_bytes(cut)
    result = inspect("--json", tmp_path / "none.json", tmp_path, tmp_path / "cut.gz", "-", stdin="{}")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"{tmp_path / 'none.json'}: No such file or directory",
        f"{tmp_path}: This is a directory: name the files in it.",
        f"{tmp_path / 'cut.gz'}: Compressed file ended before the end-of-stream marker was reached",
    ]
    assert json.loads(result.stdout)["file"] == "-"


def test_file_that_is_not_regular_is_refused_without_waiting(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(tmp_path / "fifo")
    result = inspect(tmp_path / "fifo", tmp_path / "link", "/dev/zero", "-", stdin="{}")
    why = "This is not a regular file: pipe its content into `aftersend inspect -`."
    assert result.stderr.splitlines() == [
        f"{name}: {why}" for name in (tmp_path / "fifo", tmp_path / "link", "/dev/zero")
    ]
    assert (result.exit_code, "no-type" in result.stdout) == (1, True)


QUOTED_NAMES = {
    b"plain.json": "plain.json",
    "café 'x'.json".encode(): "café 'x'.json",
    b"caf\xe9.json": r"$'caf\xe9.json'",
    b"\x1b[31mred'\\.json": r"$'\x1b[31mred\x27\x5c.json'",
    "\N{RIGHT-TO-LEFT OVERRIDE}x\n".encode(): r"$'\xe2\x80\xaex\x0a'",
}


@pytest.mark.slow
def test_name_that_a_terminal_cannot_show_is_quoted_as_in_a_shell(tmp_path: Path):
    for name in QUOTED_NAMES:
        (tmp_path / os.fsdecode(name)).write_text("{}")
    command = [sys.executable, "-c", "from aftersend.cli.main import app; app()", "inspect"]

    def run(*arguments: bytes | str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, check=False)

    shown = [line.partition(", record 0:")[0] for line in run(*QUOTED_NAMES).stdout.decode().splitlines()]
    assert shown[::4] == [*QUOTED_NAMES.values()]
    assert [json.loads(line)["file"] for line in run("--json", *QUOTED_NAMES).stdout.splitlines()] == shown[::4]
    assert run(b"no\xe9").stderr == b"$'no\\xe9': No such file or directory\n"


def test_text_output_has_a_row_per_value_and_a_list_item_per_recipient():
    record = published("bounce")
    record["bounce"]["bouncedRecipients"] = [
        {"emailAddress": "a@mail.example", "status": "5.1.1"},
        {"emailAddress": "b@mail.example", "status": "5.7.1"},
    ]
    record["mail"]["destination"] = ["a@mail.example", "b@mail.example"]
    printed = inspect(stdin=in_sns_envelope(json.dumps(record))).stdout.splitlines()
    assert printed[0] == "-, record 0: Bounce"
    assert printed[-9:] == [
        "  - recipient             a@mail.example",
        "    status                5.1.1",
        "    rule                  hard-bounce",
        "    suppresses            yes",
        "  - recipient             b@mail.example",
        "    status                5.7.1",
        "    rule                  sender-refused",
        "    suppresses            no",
        "",
    ]


def test_text_output_explains_why_there_is_no_event():
    printed = inspect(stdin=json.dumps({"userPoolId": "1"})).stdout
    assert "record 0: ignored\n  reason                  cognito: an event of Amazon Cognito\n" in printed
    assert "not recorded            no-message-id: " in inspect(stdin='{"eventType": "Open"}').stdout


def test_control_characters_are_escaped():
    printed = inspect(stdin=json.dumps(published("bounce")).replace("sci-fi", "\\u001b[31m\\u202e")).stdout
    assert "genre = \\x1b[31m\\u202e" in printed


def test_version_is_that_of_the_package():
    assert CliRunner().invoke(app, ["--version"]).stdout == f"aftersend {version('aftersend')}\n"


def test_closed_output_is_no_error(tmp_path: Path):
    (tmp_path / "many").write_text("\n".join([json.dumps(published("open"))] * 2000))
    command = [
        sys.executable,
        "-c",
        "from aftersend.cli.main import app; app()",
        "inspect",
        "--json",
        tmp_path / "many",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        process.wait()


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_lines_of_a_quarantine_file_are_read_as_their_records(tmp_path: Path, packed: Any):
    quarantined = {"object": "events/1.gz", "line": 3, "reason": "not-json", "detail": ""}
    records = ["{]", json.dumps(published("bounce")), ""]
    content = "".join(json.dumps(quarantined | {"record": record}) + "\n" for record in records) + "cut"
    (tmp_path / "1.jsonl").write_bytes(packed(content.encode()))
    results = [(line["record"], line["reason"], line["kind"]) for line in lines(tmp_path / "1.jsonl")]
    assert results == [(0, "not-json", None), (1, None, "Bounce"), (2, "empty", None), (3, "not-json", None)]
