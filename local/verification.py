"""Compare the result of a run with the expectation, and check that the run covered what it should."""

from collections import Counter
from collections.abc import Iterable, Iterator

from local.pipeline import PipelineResult
from local.ses import EVENT_BODIES, NOTIFICATION_TYPES
from local.traffic import CountKey, Expectation, Mail

MIN_OCCURRENCES = 5
"""How often each event type on each route, each rule and each setup message must occur in a run."""

RULES = (
    "hard-bounce",
    "sender-refused",
    "complaint",
    "not-spam",
    "out-of-office",
    "suppression-list-echo",
    "simulator",
)
FEEDBACK_TYPES = tuple(kind for kind in EVENT_BODIES if kind not in ("Send", "Delivery", "Open", "Click"))
SETUP_MESSAGES = ("topic validation", "subscription succeeded", "s3:TestEvent")


def differences(expectation: Expectation, result: PipelineResult) -> list[str]:
    """Return a sentence for each difference. They name recipients, which are invented here."""
    sentences = [
        *_count_differences(expectation.counts, result.counts),
        *_suppression_differences(expectation, result),
    ]
    if result.dead_letters:
        sentences.append(f"Dead-letter queues: expected to be empty, hold {result.dead_letters} messages")
    return sentences


def rule_occurrences(mails: Iterable[Mail]) -> Counter[str]:
    """Return the number of bounces and complaints that each rule of the policy matches."""
    return sum((mail.rules for mail in mails), Counter[str]())


def undercovered(published: Counter[tuple[str, str]], rules: Counter[str]) -> list[str]:
    """Return a sentence for each record type, setup message and rule that occurred less often than MIN_OCCURRENCES."""
    required = [("Firehose", kind) for kind in EVENT_BODIES]
    required += [("SNS", kind) for kind in FEEDBACK_TYPES]
    required += [("identity notification", kind) for kind in NOTIFICATION_TYPES]
    required += [("setup message", name) for name in SETUP_MESSAGES]
    occurrences = {f"{route}, {kind}": published[route, kind] for route, kind in required}
    occurrences |= {f"rule {rule}": rules[rule] for rule in RULES}
    return [
        f"{subject}: occurred {count} times, at least {MIN_OCCURRENCES} are required"
        for subject, count in occurrences.items()
        if count < MIN_OCCURRENCES
    ]


def _count_differences(expected: Counter[CountKey], counted: Counter[CountKey]) -> Iterator[str]:
    for key in sorted(expected.keys() | counted.keys()):
        if expected[key] != counted[key]:
            counter = f"{key.measure} of {key.tag}={key.value}, messages sent {key.hour:%d %b} in hour {key.hour:%H}"
            yield f"{counter}: expected {expected[key]}, counted {counted[key]}"


def _suppression_differences(expectation: Expectation, result: PipelineResult) -> Iterator[str]:
    suppressed = {recipient: entry.rule for recipient, entry in result.entries.items() if entry.lifted_by is None}
    lifted = {recipient for recipient, entry in result.entries.items() if entry.lifted_by is not None}
    for recipient in sorted(expectation.suppressed.keys() | suppressed.keys()):
        expected, actual = expectation.suppressed.get(recipient), suppressed.get(recipient)
        if expected != actual:
            yield f"{recipient}: expected {_by_rule(expected)}, is {_by_rule(actual)}"
    for recipient in sorted(expectation.lifted - lifted):
        yield f"{recipient}: expected a lifted entry, has none"
    for recipient in sorted(lifted - expectation.lifted):
        yield f"{recipient}: expected no lifted entry, has one"


def _by_rule(rule: str | None) -> str:
    return f"suppressed by rule {rule}" if rule else "not suppressed"
