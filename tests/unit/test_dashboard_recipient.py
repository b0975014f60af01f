"""Show what is known about a recipient or a message: every state of the panel, from values alone."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from aftersend.account_list import Listed, Spelling
from aftersend.dashboard import recipient as panel
from aftersend.dashboard.elements import Content, widget
from aftersend.dashboard.recipient import Place
from aftersend.dashboard.request import Functions, Request
from aftersend.events import Event, Kind
from aftersend.operations.explanation import Explanation
from aftersend.suppression import Entry, Policy, decide
from aftersend.suppression.explanation import timeline
from tests.event_factory import (
    NOW,
    READER,
    SENT,
    a_bounce,
    a_complaint,
    added_by_operator,
    an_event,
    an_open,
    removed_by_operator,
)

SCRIPT = "<script>alert(1)</script>"
MESSAGE_ID = "0102019abc3f7a11-5b9f2c11-7d1b-4b6e-8a3e-3f1d1c0e9a77-000000"


def place(*, change: str | None = "arn:change", **parameters: str) -> Place:
    request = Request("recipient", parameters, SENT, NOW, NOW, is_dark=False, functions=Functions("arn:show", change))
    return Place(request, "prod")


def explain(*events: Event, listed: Iterable[Spelling] = (), **given: Any) -> Explanation:
    entries = list(decide(events, Policy(), NOW).values())
    known = Explanation(entries, timeline(events, entries, Policy()), False, None, list(listed), NOW)
    return known._replace(**given)


def html(content: Iterable[Content]) -> str:
    return widget(*content, is_dark=False).partition("</style>")[2]


def shown(*events: Event, change: str | None = "arn:change", **given: Any) -> str:
    parameters = given.pop("parameters", {})
    return html(panel.recipient(place(change=change, **parameters), READER, explain(*events, **given), 500))


def actions(text: str) -> list[dict[str, str]]:
    return [json.loads(part.partition(">")[2].partition("<")[0]) for part in text.split("<cwdb-action")[1:]]


def test_verdict_is_a_banner_with_the_cause_and_what_lifts_it():
    text = shown(a_complaint())
    assert '<div role="alert" class="banner bad"><strong>Suppressed everywhere: complaint since 14 Mar 2026' in text
    assert "Caused by mail with campaign=spring-catalogue, genre=sci-fi." in text
    assert "Lifted by: The provider reports that the mail is no spam" in text
    assert "Not suppressed" not in text


def test_operator_who_suppressed_is_named():
    assert "By ops: asked by telephone" in shown(added_by_operator(note="asked by telephone"))


def test_ended_entry_is_not_a_verdict():
    text = shown(a_bounce(), removed_by_operator())
    assert '<div role="status" class="banner good"><strong>Not suppressed.' in text
    assert "Ended everywhere: hard-bounce" in text


def test_unknown_address_has_no_events():
    text = shown()
    assert "No events of this address are recorded. Check its spelling." in text
    assert {"panel": "recipient", "query": READER, "as_beginning": "1"} in actions(text)


def test_forgotten_recipient_cannot_be_changed():
    text = shown(is_forgotten=True)
    assert "Suppressed everywhere: the recipient was forgotten." in text
    assert "aftersend forget reader@mail.example --env prod --undo" in text
    assert "<form" not in text


def test_unreadable_hash_key_is_named_and_the_verdict_has_no_colour():
    text = shown(is_forgotten=None, problem="GetSecretValue is denied.")
    assert "It is not known whether the recipient was forgotten.</strong><p>GetSecretValue is denied." in text
    assert "banner good" not in text


def test_spellings_of_the_account_list_are_shown():
    listed = [Spelling("Reader@mail.example", Listed("Reader@mail.example", "BOUNCE", SENT))]
    text = shown(listed=[*listed, Spelling(READER, problem="Access is denied.")])
    assert "SES's account list has Reader@mail.example: BOUNCE since 14 Mar 2026 09:26 UTC." in text
    assert "SES's account list cannot be read: Access is denied." in text


def test_events_are_grouped_by_message_the_newest_first():
    older: dict[str, Any] = {"sent_at": SENT - timedelta(days=2), "message": "message-0", "subject": "Older"}
    newer = {"subject": "Newer"}
    text = shown(an_event(Kind.SEND, **older), a_bounce(**newer), an_event(Kind.DELIVERY, **older))
    assert text.count("<article>") == 2
    assert text.index("Newer") < text.index("Hard bounce") < text.index("Older") < text.index("Delivered")
    assert "Sent 14 Mar 2026 09:26 · from news@bookshop.example · configuration set newsletter" in text


def test_outcome_is_worded_and_coloured_with_rule_and_effect():
    text = shown(a_bounce())
    assert '<span class="level bad">Hard bounce</span> Permanent General 5.1.1 ' in text
    assert "rule hard-bounce, effect: suppress; the suppression is based on it" in text


def test_repeated_opens_are_one_line_and_those_of_machines_another():
    opens = [an_open(minutes=number, ip_address=str(number)) for number in range(1, 8)]
    proxies = [an_open(minutes=number, machine="privacy-proxy") for number in (1, 2)]
    text = shown(*opens, *proxies)
    assert text.count("Opened") == 2
    assert '14 Mar 2026 09:33</dt><dd><span class="level">Opened</span> 7 times, this was the last' in text
    assert "by a machine (privacy-proxy) 2 times, this was the last" in text


def test_twenty_messages_are_shown_and_older_ones_on_demand():
    events = [
        an_event(Kind.SEND, message=f"message-{number}", sent_at=SENT - timedelta(days=number)) for number in range(25)
    ]
    text = shown(*events)
    assert text.count("<article>") == 20
    assert "Show older (5 more)" in text
    assert {"panel": "recipient", "query": READER, "messages": "40"} in actions(text)
    assert shown(*events, parameters={"messages": "40"}).count("<article>") == 25
    assert shown(*events, parameters={"messages": "many"}).count("<article>") == 20


def test_events_that_were_not_read_are_named_with_the_command():
    explanation = explain(an_event(Kind.SEND))
    text = html(panel.recipient(place(), READER, explanation, 1))
    assert "aftersend suppressions explain reader@mail.example --env prod" in text.replace(" --events 100000", "")


def test_message_id_opens_to_the_whole():
    text = shown(an_event(Kind.SEND, message=MESSAGE_ID))
    assert f'title="{MESSAGE_ID}">Message <span class="id">0102019abc3f…</span></summary><code>{MESSAGE_ID}' in text
    assert {"panel": "recipient", "message": MESSAGE_ID} in actions(text)


def test_values_are_shown_as_text():
    event = a_bounce(
        subject=SCRIPT, diagnostic_code=SCRIPT, source=SCRIPT, tags={"campaign": [SCRIPT]}, message=f"id-{SCRIPT}"
    )
    act = added_by_operator(operator=SCRIPT, note=SCRIPT)
    for text in (
        shown(event, act, listed=[Spelling(SCRIPT, problem=SCRIPT)], parameters={"operator": SCRIPT}),
        html(panel.message(place(), SCRIPT, timeline([event], (), Policy()))),
        html(panel.beginning(place(), SCRIPT, [Entry(recipient=SCRIPT, reason="", rule=SCRIPT)], is_complete=False)),
        html(panel.search(place(), SCRIPT, SCRIPT)),
        html(panel.invalid(SCRIPT)),
    ):
        assert "alert(1)" in text
        assert "<script>" not in text


def test_form_asks_for_name_and_reason_and_each_button_confirms_what_happens():
    text = shown(a_complaint())
    assert text.count(' required=""') == 2
    remove, add = (each for each in actions(text) if "change" in each)
    assert remove == {
        "panel": "recipient",
        "change": "remove",
        "address": READER,
        "scope": "*",
        "show": "arn:show",
    }
    assert add == remove | {"change": "add"}
    question = "This lets mail to reader@mail.example be sent again everywhere, and deletes it from SES's account list."
    assert f'confirmation="{question} Remove it?"' in text
    assert 'confirmation="This suppresses reader@mail.example everywhere until an operator removes it. Add it?"' in text


@pytest.mark.parametrize(
    ("events", "listed", "changes"),
    [
        ([], [], ["add *"]),
        ([], [Spelling(READER, Listed(READER, "BOUNCE", SENT))], ["remove *", "add *"]),
        ([added_by_operator()], [], ["remove *"]),
        ([added_by_operator(scope="stream#news")], [], ["remove stream#news", "add *"]),
        ([a_bounce(), removed_by_operator()], [], ["add *"]),
    ],
)
def test_only_what_changes_something_is_offered(events: list[Event], listed: list[Spelling], changes: list[str]):
    offered = [each for each in actions(shown(*events, listed=listed)) if "change" in each]
    assert [f"{each['change']} {each['scope']}" for each in offered] == changes


def test_commands_are_offered_where_nothing_can_be_changed():
    text = shown(a_bounce(), change=None)
    assert "aftersend suppressions remove reader@mail.example --env prod --note REASON" in text
    assert "aftersend suppressions add reader@mail.example --env prod --note REASON" in text
    assert "<form" not in text


def test_addresses_in_commands_are_quoted():
    explanation = explain()
    assert "add &#x27;o&#x27;" not in html(panel.recipient(place(change=None), "o'hara@mail.example", explanation, 9))
    assert "'o'\"'\"'hara@mail.example'" in html(
        panel.recipient(place(change=None), "o'hara@mail.example", explanation, 9)
    )


def test_message_is_shown_by_recipient():
    events = [a_bounce(recipient="b@mail.example"), a_complaint(recipient="a@mail.example"), a_bounce(recipient=None)]
    text = html(panel.message(place(), MESSAGE_ID, timeline(events, (), Policy())))
    assert text.index("No recipient named") < text.index(">a@mail.example") < text.index(">b@mail.example")
    assert {"panel": "recipient", "query": "b@mail.example"} in actions(text)
    assert f"aftersend report message {MESSAGE_ID} --env prod" in text


def test_recipients_beyond_the_limit_are_counted():
    events = [a_bounce(recipient=f"reader-{number}@mail.example") for number in range(panel.MAX_RECIPIENTS + 2)]
    assert "50 of 52 recipients are shown." in html(panel.message(place(), "id", timeline(events, (), Policy())))


def test_message_without_feedback_has_the_command_for_the_rest():
    text = html(panel.message(place(), MESSAGE_ID, ()))
    assert "No bounce, complaint or subscription about this message is recorded." in text
    assert "aftersend report message" in text


def test_recipients_with_a_beginning_are_listed_and_bounds_named():
    [entry] = decide([a_bounce()], Policy(), NOW).values()
    text = html(panel.beginning(place(), "read", [entry], is_complete=False))
    assert "only its first part was searched" in text
    assert {"panel": "recipient", "query": READER} in actions(text)
    assert "only its first part" not in html(panel.beginning(place(), "read", [entry], is_complete=True))
    assert "No suppressed recipient that begins with" in html(panel.beginning(place(), "x", [], is_complete=True))


@pytest.mark.parametrize(
    ("parameters", "value"),
    [
        ({}, ""),
        ({"query": "a@mail.example"}, "a@mail.example"),
        ({"query": "a@mail.example", "entered": "b@mail.example"}, "a@mail.example"),
        ({"query": "a@mail.example", "entered": "b@mail.example", "find": "1"}, "b@mail.example"),
        ({"message": "id", "entered": "b@mail.example"}, "id"),
        ({"entered": "b@mail.example"}, "b@mail.example"),
    ],
)
def test_field_counts_only_if_its_button_was_chosen_or_nothing_else_is_named(parameters: dict[str, str], value: str):
    assert panel.wanted(place(**parameters).request) == value
