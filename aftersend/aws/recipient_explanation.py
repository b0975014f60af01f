"""Read everything that is known about a recipient, for those who ask why mail to them is suppressed."""

from collections.abc import Callable, Sequence
from datetime import datetime

from aftersend.aws.account_list import AccountList
from aftersend.aws.deployed_recorder import deployed_hash_key, deployed_ledger, deployed_settings, deployed_suppressions
from aftersend.aws.deployment import AWS_ERRORS, Deployment, describe_error
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.listed_spellings import listed_spellings
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.events import Event
from aftersend.operations.explanation import Explanation
from aftersend.recipient_hash import keyed_hash
from aftersend.suppression import Policy
from aftersend.suppression.explanation import spellings, timeline


def explain_recipient(
    address: str,
    *,
    events: Sequence[Event],
    suppressions: SuppressionsTable,
    policy: Policy,
    is_forgotten: Callable[[str], bool],
    account_list: AccountList,
    now: datetime,
) -> Explanation:
    """Return what is known about a recipient, given their events, under a policy. What cannot be read is named."""
    entries = [*suppressions.entries_of(address.lower()).values()]
    forgotten, problem = _answer(is_forgotten, address.lower())
    return Explanation(
        entries=sorted(entries, key=lambda entry: (not entry.is_in_force(now), entry.scope)),
        moments=timeline(events, entries, policy),
        is_forgotten=forgotten,
        problem=problem,
        listed=list(listed_spellings(account_list, spellings(address, entries, events))),
        now=now,
    )


def _answer(is_forgotten: Callable[[str], bool], recipient: str) -> tuple[bool | None, str | None]:
    try:
        return is_forgotten(recipient), None
    except AWS_ERRORS as error:
        return None, describe_error(error)


def explain_deployed(
    deployment: Deployment,
    address: str,
    account_list: AccountList,
    now: datetime,
    read_events: Callable[[LedgerTable, str], Sequence[Event]] = LedgerTable.events_for,
) -> Explanation:
    """Return what a deployment knows about a recipient."""
    settings, suppressions = deployed_settings(deployment), deployed_suppressions(deployment)

    def is_forgotten(recipient: str) -> bool:
        return bool(suppressions.forgotten_among([keyed_hash(recipient, deployed_hash_key(deployment))]))

    return explain_recipient(
        address,
        events=read_events(deployed_ledger(deployment, settings), address.lower()),
        suppressions=suppressions,
        policy=settings.policy,
        is_forgotten=is_forgotten,
        account_list=account_list,
        now=now,
    )
