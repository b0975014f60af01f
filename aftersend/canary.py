"""Define the canary: messages to the mailbox simulator, whose events show that the whole pipeline works.

Each run sends one message to each address: several simulated bounces of one request are merged ("Using the mailbox
simulator manually" in the SES developer guide). A label of the run's time makes the addresses, and so the events, those
of the run alone.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from aftersend.events import Kind

EXPECTED = {
    "success": (Kind.SEND, Kind.DELIVERY),
    "bounce": (Kind.BOUNCE,),
    "complaint": (Kind.COMPLAINT,),
}
"""The events that are looked for, by the address of the mailbox simulator. SES publishes more of them."""

NEEDED_KINDS = {kind for kinds in EXPECTED.values() for kind in kinds}

PATIENCE = timedelta(minutes=15)
"""How long after sending the events must be in the ledger. An event that is later is missing until then."""

WATCHED = timedelta(minutes=150)
"""How long the events of a run are looked for: by the two runs that follow, so that an alarm ends with the repair."""

TAG = ("aftersend-canary", "1")
"""The message tag of every message."""


class Sent(NamedTuple):
    """Name a message that was sent: the run's time, and its address in EXPECTED."""

    run: datetime
    name: str

    @property
    def recipient(self) -> str:
        """Return the address that it was sent to."""
        return f"{self.name}+{self.run:%Y%m%d%H%M%S}@simulator.amazonses.com"


def is_due(sent: Sent, now: datetime) -> bool:
    """Tell whether the events of a message must have been recorded, and are still looked for."""
    return PATIENCE <= now - sent.run <= WATCHED


def missing_kinds(sent: Sent, recorded: Collection[str]) -> list[str]:
    """Return the event types that are missing among those recorded."""
    return [kind.value for kind in EXPECTED[sent.name] if kind not in recorded]
