"""Send the canary's messages every hour, and look into the ledger for the events of earlier ones.

Safe to stop anywhere: a run that is repeated has the time of its schedule, and sends only what is not remembered as
sent. If it was stopped in between, one message is sent twice, with the same events.
"""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from aftersend.aws.canary import CanaryMail, SentMessages, Unverified
from aftersend.aws.clients import client, error_code
from aftersend.aws.ledger_table import LedgerTable
from aftersend.canary import EXPECTED, Sent, is_due, missing_kinds
from aftersend.contract import CANARY_METRICS, Variable
from aftersend.retention import Retention
from lambdas import dependencies
from lambdas.dependencies import logger
from lambdas.scheduled import scheduled_time
from lambdas.settings import setting, text_setting


def handler(
    event: dict[str, Any] | None = None,
    _context: object = None,
    *,
    mail: CanaryMail | None = None,
    sent_messages: SentMessages | None = None,
    ledger: LedgerTable | None = None,
    emit_metric: Callable[[dict[str, Any]], None] = dependencies.emit_metric,
) -> dict[str, int]:
    """Count the events that are missing, send the messages of this run, and emit the counts as metrics."""
    now = scheduled_time(event)
    sent_messages = sent_messages or SentMessages(client("dynamodb"), text_setting(Variable.COUNTERS_TABLE))
    ledger = ledger or LedgerTable(
        client("dynamodb"), text_setting(Variable.LEDGER_TABLE), setting(Variable.RETENTION, Retention)
    )
    remembered = set(sent_messages.all())
    counts = {
        "canary_runs": 1,
        "canary_missing": sum(_missing(sent, ledger) for sent in remembered if is_due(sent, now)),
    }
    unsent = [sent for name in EXPECTED if (sent := Sent(now, name)) not in remembered]
    counts["canary_failed"] = sum(not _send(sent, mail or _mail(), sent_messages) for sent in unsent)
    logger.info("Sent the canary's messages.", extra=counts)
    emit_metric(dependencies.environment_document(counts, CANARY_METRICS))
    return counts


def _mail() -> CanaryMail:
    return CanaryMail(
        client("sesv2"),
        from_address=text_setting(Variable.CANARY_FROM_ADDRESS),
        configuration_set=text_setting(Variable.CANARY_CONFIGURATION_SET),
    )


def _missing(sent: Sent, ledger: LedgerTable) -> int:
    """Return how many events of a message are missing, and log their types."""
    missing = missing_kinds(sent, {event.kind for event in ledger.events_for(sent.recipient)})
    if missing:
        extra = {"simulator_address": sent.name, "run": sent.run.isoformat(), "event_types": missing}
        logger.error("Events of the canary are missing.", extra=extra)
    return len(missing)


def _send(sent: Sent, mail: CanaryMail, sent_messages: SentMessages) -> bool:
    """Send a message and remember it; return whether nothing failed. Each message fails alone."""
    try:
        mail.send(sent)
    except Unverified:
        logger.warning("SES has not verified the sender of the canary yet.")
        return True
    except (ClientError, BotoCoreError) as error:
        reason = error_code(error) if isinstance(error, ClientError) else type(error).__name__
        logger.error("The canary could not be sent.", extra={"simulator_address": sent.name, "reason": reason})
        return False
    sent_messages.put(sent)
    return True
