"""Test what is recorded and who is suppressed when messages of the feedback queue arrive, in either shape."""

import json
from datetime import timedelta
from typing import Any

import pytest

from aftersend.events import Event
from aftersend.recorder import Recorder
from aftersend.retention import Retention, RetentionHistory
from aftersend.suppression import Policy
from lambdas import record_feedback
from tests.event_factory import SENT
from tests.fakes import FakeLedger, FakeSuppressions, immediate_attempts
from tests.record_files import in_sns_envelope, notified, published, setup

ADA, BEN = "ada@mail.example", "ben@mail.example"
SHAPES = {"eventType": published, "notificationType": notified}


class Pipeline:
    """The function of the feedback queue, with tables in memory."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.events, self.entries = FakeLedger(), FakeSuppressions()
        self.now = SENT + timedelta(days=1)
        self._recorder = Recorder(
            ledger=self.events,
            suppressions=self.entries,
            policy=policy or Policy(),
            history=RetentionHistory().with_setting(Retention(), SENT),
            now=lambda: self.now,
            attempts=immediate_attempts,
        )

    def take(self, *bodies: str | dict[str, Any]) -> list[int]:
        """Take messages of the queue, a batch; return the positions of those that fail."""
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        records = [{"messageId": str(n), "body": text, "eventSource": "aws:sqs"} for n, text in enumerate(texts)]
        response = record_feedback.handler({"Records": records}, recorder=self._recorder)
        return [int(failure["itemIdentifier"]) for failure in response["batchItemFailures"]]

    def recorded(self) -> list[Event]:
        return list(self.events.values())

    def suppressed(self, scope: str = "*") -> set[str]:
        entries = self.entries.items()
        return {recipient for (recipient, place), entry in entries if place == scope and entry.is_in_force(self.now)}


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def about(record: dict[str, Any], *recipients: str, message: str = "message-1", days: float = 0) -> dict[str, Any]:
    """Return a record about a message to these recipients."""
    time = (SENT + timedelta(days=days)).isoformat()
    record["mail"] |= {"destination": [*recipients], "messageId": message, "timestamp": time}
    return record


def a_bounce(
    bounce_type: str = "Permanent",
    subtype: str = "General",
    status: str | None = "5.1.1",
    *,
    shape: str = "eventType",
    days: float = 0,
    to: tuple[str, ...] = (ADA,),
    bounced: tuple[str, ...] = (ADA,),
) -> dict[str, Any]:
    record = about(SHAPES[shape]("bounce"), *to, message=f"message-{days}", days=days)
    report = {"action": "failed", "status": status} if status else {}
    record["bounce"] |= {
        "bounceType": bounce_type,
        "bounceSubType": subtype,
        "bouncedRecipients": [{"emailAddress": address, **report} for address in bounced],
        "timestamp": record["mail"]["timestamp"],
    }
    return record


def a_complaint(
    feedback_type: str | None = "abuse",
    *,
    shape: str = "eventType",
    minutes: int = 1,
    to: tuple[str, ...] = (ADA,),
    by: tuple[str, ...] | None = (ADA,),
) -> dict[str, Any]:
    record = about(SHAPES[shape]("complaint"), *to)
    complaint = record["complaint"]
    complaint["timestamp"] = (SENT + timedelta(minutes=minutes)).isoformat()
    complaint.pop("complaintFeedbackType", None)
    complaint.pop("complainedRecipients")
    if feedback_type:
        complaint["complaintFeedbackType"] = feedback_type
    if by is not None:
        complaint["complainedRecipients"] = [{"emailAddress": address} for address in by]
    return record


def a_delivery(days: float = 0) -> dict[str, Any]:
    record = about(published("delivery"), ADA, message=f"delivered-{days}", days=days)
    record["delivery"] |= {"recipients": [ADA], "timestamp": record["mail"]["timestamp"]}
    return record


@pytest.mark.parametrize("wrap", [json.dumps, lambda record: in_sns_envelope(json.dumps(record))], ids=["raw", "SNS"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("bounce_type", "subtype", "status", "suppresses"),
    [
        ("Permanent", "General", "5.1.1", True),
        ("Permanent", "NoEmail", None, True),
        ("Permanent", "OnAccountSuppressionList", None, False),
        ("Permanent", "General", "5.7.1", False),
        ("Transient", "MailboxFull", "4.2.2", False),
        ("Transient", "General", None, False),
        ("Transient", "General", "5.3.0", False),
        ("Transient", "General", "5.4.4", False),
        ("Transient", "General", "5.1.10", True),
        ("Undetermined", "Undetermined", None, False),
    ],
)
def test_bounce_of_either_shape_in_either_envelope_is_recorded_and_suppresses_only_for_what_lasts(
    pipeline: Pipeline, bounce_type: str, subtype: str, status: str | None, suppresses: bool, shape: str, wrap: Any
):
    assert pipeline.take(wrap(a_bounce(bounce_type, subtype, status, shape=shape))) == []
    assert [(event.kind, event.recipient) for event in pipeline.recorded()] == [("Bounce", ADA)]
    assert pipeline.suppressed() == ({ADA} if suppresses else set())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("feedback_type", ["abuse", "fraud", None, "type-of-tomorrow"])
def test_complaint_of_either_shape_and_any_type_suppresses(pipeline: Pipeline, feedback_type: str | None, shape: str):
    pipeline.take(a_complaint(feedback_type, shape=shape))
    assert pipeline.suppressed() == {ADA}


@pytest.mark.parametrize("shape", SHAPES)
def test_not_spam_report_of_either_shape_lifts_and_never_adds(pipeline: Pipeline, shape: str):
    pipeline.take(a_complaint("not-spam", shape=shape, minutes=9))
    assert pipeline.suppressed() == set()
    pipeline.take(a_complaint("abuse", shape=shape, minutes=1))
    assert (len(pipeline.recorded()), pipeline.suppressed()) == (2, set())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("by", [None, ()], ids=["missing", "empty"])
def test_complaint_without_recipients_is_recorded_and_suppresses_nobody(
    pipeline: Pipeline, by: tuple[str, ...] | None, shape: str
):
    assert pipeline.take(a_complaint(shape=shape, by=by)) == []
    assert [(event.kind, event.recipient) for event in pipeline.recorded()] == [("Complaint", None)]
    assert pipeline.suppressed() == set()


def test_only_recipients_whom_feedback_names_are_suppressed(pipeline: Pipeline):
    pipeline.take(a_bounce(to=(ADA, BEN), bounced=(BEN,)))
    assert pipeline.suppressed() == {BEN}
    other = Pipeline()
    other.take(a_complaint(to=(ADA, BEN), by=(ADA,)))
    assert other.suppressed() == {ADA}


def test_setup_message_is_ignored_and_neither_fails_nor_hides_others(pipeline: Pipeline):
    assert pipeline.take(setup("topic-validation.txt"), setup("subscription-succeeded.json"), a_bounce()) == []
    assert (len(pipeline.recorded()), pipeline.suppressed()) == (1, {ADA})


def test_every_message_of_a_batch_is_recorded_whatever_comes_before_it(pipeline: Pipeline):
    assert pipeline.take(a_delivery(), a_bounce()) == []
    assert pipeline.suppressed() == {ADA}


def test_poisoned_message_of_a_batch_fails_alone(pipeline: Pipeline):
    assert pipeline.take("{poison", a_bounce(), '{"eventType": "Bounce"}') == [0, 2]
    assert pipeline.suppressed() == {ADA}


def test_forty_copies_of_a_bounce_in_messages_of_their_own_are_one_event(pipeline: Pipeline):
    copies = [a_bounce(shape=shape) for shape in SHAPES] * 20
    for copy in copies:
        envelope = json.loads(in_sns_envelope(json.dumps(copy)))
        pipeline.take(json.dumps(envelope | {"MessageId": f"copy-{id(copy)}"}))
    assert len(pipeline.recorded()) == 1
    assert [entry.version for entry in pipeline.entries.values()] == [1]


def test_delivery_that_arrives_late_erases_neither_a_complaint_nor_a_bounce(pipeline: Pipeline):
    pipeline.take(a_complaint(), a_delivery(days=0.5))
    assert pipeline.suppressed() == {ADA}
    other = Pipeline()
    other.take(a_bounce(), a_delivery(days=0.5))
    assert other.suppressed() == {ADA}


@pytest.mark.parametrize("status", ["4.2.2", "5.3.0", "5.4.4"])
def test_soft_bounces_suppress_in_the_end_whatever_their_status(pipeline: Pipeline, status: str):
    for day in range(5):
        assert pipeline.suppressed() == set()
        pipeline.now = SENT + timedelta(days=day, minutes=5)
        pipeline.take(a_bounce("Transient", "General", status, days=day))
    assert pipeline.suppressed() == {ADA}


def test_out_of_office_replies_never_suppress_however_many(pipeline: Pipeline):
    for day in range(20):
        pipeline.now = SENT + timedelta(days=day, minutes=5)
        pipeline.take(a_bounce("Transient", "General", None, days=day))
    assert (len(pipeline.recorded()), pipeline.suppressed()) == (20, set())


def test_refusal_for_reputation_and_echo_of_a_tenants_list_suppress_nobody_for_other_senders(pipeline: Pipeline):
    pipeline.take(a_bounce(status="5.7.1"), a_bounce(subtype="OnTenantSuppressionList", status=None, days=0.1))
    assert (len(pipeline.recorded()), pipeline.suppressed()) == (2, set())


def test_opt_out_from_a_list_blocks_no_other_mail_and_hides_no_bounce(pipeline: Pipeline):
    opt_out = about(published("subscription"), ADA)
    opt_out["subscription"]["newTopicPreferences"]["unsubscribeAll"] = True
    pipeline.take(opt_out)
    assert (pipeline.suppressed(), pipeline.suppressed("list#readers")) == (set(), {ADA})
    pipeline.take(a_bounce())
    assert (pipeline.suppressed(), pipeline.suppressed("list#readers")) == ({ADA}, {ADA})


def test_complaint_about_one_stream_leaves_the_others_where_the_policy_says_so():
    pipeline = Pipeline(Policy(complaint_scope="stream"))
    pipeline.take(a_complaint())
    [stream] = a_complaint()["mail"]["tags"]["ses:configuration-set"]
    assert (pipeline.suppressed(), pipeline.suppressed(f"stream#{stream}")) == (set(), {ADA})
