"""Query what SES's account suppression list has about every spelling of one recipient."""

from collections.abc import Iterable, Iterator
from itertools import islice

from botocore.exceptions import BotoCoreError, ClientError

from aftersend.account_list import Spelling
from aftersend.aws.account_list import AccountList, Unavailable
from aftersend.aws.deployment import describe_error

MAX_SPELLINGS = 10
"""Spellings that are queried, at one request per second. Hardly any address has more than two."""


def listed_spellings(account_list: AccountList, addresses: Iterable[str]) -> Iterator[Spelling]:
    """Return what the account list has about the first MAX_SPELLINGS addresses; an error concerns that address only."""
    for address in islice(addresses, MAX_SPELLINGS):
        try:
            yield Spelling(address, account_list.get(address))
        except Unavailable as error:
            yield Spelling(address, problem=str(error))
        except (BotoCoreError, ClientError) as error:
            yield Spelling(address, problem=describe_error(error))
