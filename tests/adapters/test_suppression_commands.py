"""Run the commands `aftersend suppressions`, over moto and the simulated account list."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aftersend.aws.account_list import AccountList
from aftersend.aws.serialization import serialize
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.cli import suppression_check, suppression_removal
from aftersend.events import Event
from aftersend.recorder import Recorder
from aftersend.suppression import Policy
from tests.adapters.suppression_shop import SuppressionShop, run, shop
from tests.adapters.test_deployment import client_error
from tests.event_factory import READER, a_bounce, a_complaint, an_event

__all__ = ["shop"]

SENT = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
ANN = "ann@provider.example"


def bounce(recipient: str = READER, **given: Any) -> Event:
    return a_bounce(sent_at=SENT, recipient=recipient, message=f"message-of-{recipient}", **given)


def complaint(recipient: str = ANN, **given: Any) -> Event:
    return a_complaint(sent_at=SENT, recipient=recipient, **given)


def listed(*arguments: object) -> list[str]:
    return sorted(json.loads(line)["recipient"] for line in run("list", "--json", *arguments).stdout.splitlines())


def test_entries_are_listed_by_what_is_asked_for(shop: SuppressionShop):
    shop.record(bounce(), complaint(), bounce("other@provider.example", minutes=60))
    assert listed() == [ANN, "other@provider.example", READER]
    assert listed("--reason", "complaint") == [ANN]
    assert listed("--rule", "hard-bounce", "--domain", "Provider.example") == ["other@provider.example"]
    later = (SENT + timedelta(minutes=30)).isoformat()
    assert (listed("--since", later), len(listed("--until", later))) == (["other@provider.example"], 2)
    assert listed("--scope", "stream#news") == []
    assert len(listed("--limit", "2")) == 2
    run("remove", READER)
    assert (READER in listed(), listed("--ended")) == (False, [READER])


def test_rows_and_counts_are_printed(shop: SuppressionShop):
    shop.record(bounce(recipient_raw="Reader@mail.example"), complaint())
    header, *rows = run("list").stdout.splitlines()
    assert header.split() == ["since", "until", "reason", "rule", "scope", "address"]
    assert sorted(row.split()[-1] for row in rows) == ["Reader@mail.example", ANN]
    assert [row.split() for row in run("list", "--count").stdout.splitlines()] == [
        ["reason", "rule", "scope", "count"],
        ["bounce", "hard-bounce", "*", "1"],
        ["complaint", "complaint", "*", "1"],
    ]
    assert len(run("list", "--count", "--json").stdout.splitlines()) == 2


def test_wrong_scope_is_refused(shop: SuppressionShop):
    assert "is no scope" in run("list", "--scope", "news", exits=2).stderr


def test_suppressed_recipient_is_explained(shop: SuppressionShop):
    shop.record(
        an_event("Send", sent_at=SENT, minutes=0),
        bounce(recipient_raw="Reader@mail.example", diagnostic_code="550 5.1.1"),
    )
    shop.put_on_account_list("Reader@mail.example")
    lines = run("explain", "READER@mail.example", exits=1).stdout.splitlines()
    assert lines[1].startswith("Suppressed everywhere: hard-bounce since ")
    assert lines[1].endswith(", until lifted.")
    assert lines[2] == "  Lifted by: An operator removes the address."
    assert "SES's account list does not have READER@mail.example." in lines
    assert any(line.startswith("SES's account list has Reader@mail.example: BOUNCE since") for line in lines)
    assert "2 events:" in lines
    assert "Send" in lines[-2]
    assert lines[-1].startswith("* ")
    assert lines[-1].endswith("Permanent General 5.1.1 550 5.1.1  [hard-bounce: suppress]")


def test_explanation_is_complete_as_json(shop: SuppressionShop):
    shop.record(*[an_event("Send", sent_at=SENT, message=f"m-{number}") for number in range(5)], bounce())
    values = json.loads(run("explain", READER, "--events", "1", "--json", exits=1).stdout)
    assert (values["suppressed"], values["forgotten"]) == (True, False)
    assert [scope["scope"] for scope in values["scopes"]] == ["*"]
    assert len(values["events"]) == 6
    assert values["events"][-1]["event"]["tags"]["campaign"] == ["spring-catalogue"]
    assert "of which the newest 1 are shown" in run("explain", READER, "--events", "1", exits=1).stdout


def test_recipient_without_entry_is_not_suppressed(shop: SuppressionShop):
    output = run("explain", "new@mail.example").stdout
    assert "Not suppressed: there is no entry for this address." in output
    assert "No events of this address are recorded." in output


def test_lifted_entry_is_explained(shop: SuppressionShop):
    shop.record(bounce())
    run("remove", READER, "--operator", "ann")
    _, banner, verdict, act, *_ = run("explain", READER).stdout.splitlines()
    assert banner == "Not suppressed: there is no entry in force."
    assert verdict.startswith("Ended everywhere: hard-bounce since ")
    assert (", lifted by removed-by-operator " in verdict, act) == (True, "  By ann: no note")


@pytest.mark.slow
def test_every_scope_has_a_verdict_and_is_removed(shop: SuppressionShop):
    shop.set_policy(Policy(complaint_scope="stream"))
    shop.record(complaint(READER), bounce(minutes=3))
    run("add", READER, "--note", "asked", "--scope", "topic#readers/news")
    lines = run("explain", READER, exits=1).stdout.splitlines()
    starts = [
        "everywhere: hard-bounce",
        "for stream newsletter: complaint",
        "for topic news of contact list readers: a",
    ]
    assert [any(line.startswith(f"Suppressed {start}") for line in lines) for start in starts] == [True] * 3
    assert len(listed("--scope", "stream#newsletter")) == 1
    one = run("remove", READER, "--scope", "stream#newsletter", "--json").stdout
    assert json.loads(one)["removed"] == ["stream#newsletter"]
    rest = json.loads(run("remove", READER, "--json").stdout)
    assert sorted(rest["removed"]) == ["*", "topic#readers/news"]
    run("explain", READER)


def test_temporary_entry_is_explained_with_its_end(shop: SuppressionShop):
    shop.set_policy(Policy(effects={"hard-bounce": "9 days"}))
    shop.record(bounce())
    lines = run("explain", READER, exits=1).stdout.splitlines()
    assert ", until lifted" not in lines[1]
    assert lines[2].startswith("  Lifted by: Its time ends it on ")


def test_forgotten_recipient_is_recognized(shop: SuppressionShop):
    shop.forget("gone@mail.example")
    output = run("explain", "Gone@mail.example", exits=1).stdout
    assert "the recipient was forgotten" in output
    assert json.loads(run("explain", "gone@mail.example", "--json", exits=1).stdout)["forgotten"] is True


def denied(*_: Any, **__: Any) -> None:
    raise client_error("AccessDeniedException", "not allowed", "GetSuppressedDestination")


def test_missing_permissions_do_not_end_the_explanation(shop: SuppressionShop, monkeypatch: pytest.MonkeyPatch):
    shop.record(bounce())
    monkeypatch.setattr(shop.sesv2, "get_suppressed_destination", denied)
    monkeypatch.setattr("aftersend.aws.recipient_explanation.deployed_hash_key", denied)
    output = run("explain", READER, exits=1).stdout
    assert "SES's account list cannot be read: The role has no permission" in output
    assert "Whether the recipient was forgotten cannot be determined: " in output


def test_sandbox_is_reported(shop: SuppressionShop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(AccountList, "can_be_changed", lambda _: False)
    assert "sandbox" in run("explain", READER).stdout


def test_mailing_list_is_checked(shop: SuppressionShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(suppression_check, "CHUNK", 2)
    shop.record(bounce(), complaint())
    shop.forget("gone@mail.example")
    file, output = tmp_path / "list.csv", tmp_path / "suppressed.csv"
    rows = ["Name;Email", "Ada;READER@mail.example", "", "New;new@mail.example", "Bad;not an address"]
    file.write_text("\n".join([*rows, f"Ann;Ann <{ANN}>", "Gone;gone@mail.example", "short"]))
    result = run("check", file, "--output", output, exits=1)
    assert [line.split() for line in result.stdout.splitlines()[2:5]] == [
        ["bounce", "hard-bounce", "*", "1"],
        ["complaint", "complaint", "*", "1"],
        ["forgotten", "forgotten", "*", "1"],
    ]
    assert result.stdout.splitlines()[0] == "3 of 6 addresses are suppressed."
    assert result.stdout.splitlines()[-1] == "2 lines have no single valid e-mail address: 5, 8"
    written = list(csv.DictReader(output.read_text().splitlines()))
    assert [(row["address"], row["rule"]) for row in written] == [
        ("READER@mail.example", "hard-bounce"),
        (f"Ann <{ANN}>", "complaint"),
        ("gone@mail.example", "forgotten"),
    ]
    numbers = json.loads(run("check", file, "--json", exits=1).stdout)
    assert (numbers["addresses"], numbers["suppressed"], numbers["unknown"]) == (6, 3, 2)


def test_standard_input_is_checked(shop: SuppressionShop):
    assert run("check", "-", given="new@mail.example\n").stdout == "0 of 1 addresses are suppressed.\n"


def test_list_that_cannot_be_read_is_reported(shop: SuppressionShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert "missing cannot be read" in run("check", "missing", exits=2).stderr
    assert "has no column of addresses" in run("check", "-", given="name,city\n", exits=2).stderr
    assert "--topic needs" in run("check", "-", "--topic", "news", exits=2).stderr
    monkeypatch.setattr("aftersend.aws.suppression_reader.SuppressionReader.read", denied)
    assert "is denied to these credentials" in run("check", "-", given="a@mail.example\n", exits=2).stderr


def test_operator_adds_an_address(shop: SuppressionShop):
    output = run("add", "New@mail.example", "--note", "asked by telephone").stdout
    assert output.startswith("New@mail.example: added.\nSuppressed everywhere: added-by-operator since ")
    entry = shop.entry("new@mail.example")
    assert entry is not None
    [act] = entry.evidence
    assert (act.operator, act.note) == ("arn:aws:sts::123456789012:user/moto", "asked by telephone")
    again = json.loads(run("add", "new@mail.example", "--note", "again", "--json").stdout)
    assert again == {"address": "new@mail.example", "added": False, "scopes": ["*"]}
    assert shop.entry("new@mail.example") == entry


def test_text_that_is_no_address_is_refused(shop: SuppressionShop):
    stderr = run("add", "no address", "--note", "x", exits=2).stderr
    assert "is not one e-mail address" in stderr
    assert "too long" not in stderr


def test_recorded_act_whose_decision_fails_is_not_called_unrecorded(
    shop: SuppressionShop, monkeypatch: pytest.MonkeyPatch
):
    def throttled(*_: Any, **__: Any) -> None:
        raise client_error("ThrottlingException", "slow down", "PutItem")

    with monkeypatch.context() as patched:
        patched.setattr(SuppressionsTable, "replace", throttled)
        stderr = run("add", READER, "--note", "asked", exits=1).stderr
    assert "It may be recorded, and the suppression list was not changed: " in stderr
    run("add", READER, "--note", "asked")
    assert shop.entry(READER)


def test_note_that_cannot_be_stored_is_refused(shop: SuppressionShop):
    assert "It was not recorded: " in run("add", READER, "--note", "x" * 200_000, exits=1).stderr


def test_operator_removes_an_address(shop: SuppressionShop):
    shop.record(bounce())
    assert run("remove", READER, "--operator", "ann", "--note", "fixed").stdout == (
        f"{READER}: removed; it was suppressed everywhere by hard-bounce.\n"
    )
    entry = shop.entry(READER)
    assert entry is not None
    assert entry.lifted_by == "removed-by-operator"
    assert run("remove", READER).stdout == f"{READER} is not suppressed: nothing was removed.\n"


@pytest.mark.parametrize(("mode", "options"), [("sync", []), ("read", ["--account-list"])])
def test_removal_deletes_every_spelling_at_ses(shop: SuppressionShop, mode: Any, options: list[str]):
    shop.set_policy(Policy(account_list=mode))
    shop.record(bounce(recipient_raw="Reader@mail.example"))
    for address in ("Reader@mail.example", READER):
        shop.put_on_account_list(address)
    output = run("remove", READER, *options).stdout
    assert "SES's account list: Reader@mail.example was removed." in output
    assert not shop.account_list.addresses


def test_removal_reports_what_ses_still_has(shop: SuppressionShop):
    shop.record(bounce())
    shop.put_on_account_list(READER)
    assert f"SES's account list still has {READER}" in run("remove", READER).stdout
    assert READER in shop.account_list.addresses


def test_account_list_that_cannot_be_changed_fails_the_removal(shop: SuppressionShop, monkeypatch: pytest.MonkeyPatch):
    shop.record(bounce())
    shop.put_on_account_list(READER)
    monkeypatch.setattr(shop.sesv2, "delete_suppressed_destination", denied)
    assert "no permission for delete_suppressed" in run("remove", READER, "--account-list", exits=1).stderr
    entry = shop.entry(READER)
    assert entry is not None
    assert entry.lifted_by == "removed-by-operator"


MANY = ("remove", "--rule", "hard-bounce", "--domain", "provider.example", "--since", SENT.isoformat())


def many(shop: SuppressionShop, number: int = 7) -> list[str]:
    recipients = [f"reader-{each}@provider.example" for each in range(number)]
    shop.record(*map(bounce, recipients), bounce(), complaint())
    return recipients


@pytest.mark.slow
def test_selected_entries_are_removed_after_a_confirmation(shop: SuppressionShop):
    recipients = many(shop)
    refused = run(*MANY, given="n\n", exits=1)
    assert refused.stdout.startswith("7 entries, for example r***@provider.example, r***@")
    assert "reader-" not in refused.output
    assert refused.stdout.splitlines()[-1] == "Removed 0 of 7 entries."
    assert set(recipients) <= set(listed())
    assert run(*MANY, given="y\n").stdout.splitlines()[-1] == "Removed 7 of 7 entries."
    assert listed() == sorted([ANN, READER])
    assert run(*MANY).stdout == "Removed 0 of 0 entries.\n"


def test_recipient_who_complained_as_well_stays_suppressed_when_bounces_are_removed(shop: SuppressionShop):
    """The entry names the bounce; its removal would lift the complaint, too."""
    many(shop, 2)
    shop.record(complaint("reader-0@provider.example"))
    refused = run(*MANY, "--yes")
    assert "1 entry stays: other events than those of hard-bounce suppress as well" in refused.stderr
    assert refused.stdout.splitlines()[-1] == "Removed 1 of 1 entries."
    assert "reader-0@provider.example" in listed()


@pytest.mark.parametrize("option", ["--rule", "--reason"])
def test_misspelled_rule_or_reason_is_refused(shop: SuppressionShop, option: str):
    assert "'hard-bounces' is no" in run("list", option, "hard-bounces", exits=2).stderr


def test_entry_that_cannot_be_read_ends_a_command_with_one_sentence(shop: SuppressionShop):
    shop.dynamodb.put_item(TableName="suppressions", Item=serialize({"partition_key": READER, "sort_key": "*"}))
    for command in (["list"], ["export"], ["explain", READER], ["rebuild", "--yes"], ["add", READER, "--note", "x"]):
        result = run(*command, exits=1 if command[0] == "add" else 2)
        assert "missing required field" in result.stderr


def failing(after: int, error: BaseException) -> Callable[..., Event]:
    act, calls = Recorder.record_operator_act, []

    def record_operator_act(*arguments: Any) -> Event:
        calls.append(1)
        if len(calls) > after:
            raise error
        return act(*arguments)

    return record_operator_act


@pytest.mark.parametrize(
    ("error", "status"), [(client_error("ThrottlingException", "slow down"), 1), (KeyboardInterrupt(), 130)]
)
def test_interrupted_removal_continues_when_repeated(
    shop: SuppressionShop, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int
):
    many(shop)
    monkeypatch.setattr(suppression_removal, "CHUNK", 2)
    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "record_operator_act", failing(3, error))
        stopped = run(*MANY, "--yes", "--json", exits=status)
    numbers = json.loads(stopped.stdout)
    assert (numbers["selected"], numbers["removed"]) == (7, 3)
    assert "run the same command again" in stopped.stderr
    assert json.loads(run(*MANY, "--yes", "--json").stdout) == {"selected": 4, "removed": 4, "failed": 0}


def test_selected_entries_are_deleted_at_ses_if_asked(shop: SuppressionShop):
    for recipient in many(shop, 3):
        shop.put_on_account_list(recipient)
    run(*MANY, "--yes", "--account-list")
    assert not shop.account_list.addresses


@pytest.mark.parametrize("arguments", [(), (READER, "--rule", "hard-bounce")])
def test_removal_needs_an_address_or_a_selection(shop: SuppressionShop, arguments: tuple[str, ...]):
    assert "Name either an ADDRESS" in run("remove", *arguments, exits=2).stderr


@pytest.mark.parametrize("policy", [None, '{"unheard_of": 1}', "{]"])
def test_nothing_is_written_under_a_policy_that_cannot_be_read(shop: SuppressionShop, policy: str | None):
    shop.variables.pop("POLICY")
    if policy:
        shop.variables["POLICY"] = policy
    assert (
        "The setting POLICY of the deployed functions cannot be read"
        in run("add", READER, "--note", "x", exits=2).stderr
    )
    assert not shop.dynamodb.scan(TableName="suppressions")["Items"]
