"""Simulate Amazon SES: accept mail over SES's APIs and publish the records SES would publish about it.

Nothing here imports aftersend. Others import from here.
"""

from local.ses.account_list import AccountList
from local.ses.outcomes import default_events
from local.ses.records import (
    EVENT_BODIES,
    NOTIFICATION_TYPES,
    Message,
    SimulatedEvent,
    event_record,
    new_id,
    notification,
)
from local.ses.sending import SIMULATION_HEADER
from local.ses.server import QuietServer
from local.ses.simulator import LocalSes

__all__ = [
    "EVENT_BODIES",
    "NOTIFICATION_TYPES",
    "SIMULATION_HEADER",
    "AccountList",
    "LocalSes",
    "Message",
    "QuietServer",
    "SimulatedEvent",
    "default_events",
    "event_record",
    "new_id",
    "notification",
]
