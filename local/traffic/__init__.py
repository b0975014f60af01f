"""Generate the bookshop's mail, decide which SES events each message gets, and predict the results.

Nothing here imports aftersend: the prediction must not share code with the results it is compared with. Others import
from here.
"""

from local.traffic.expectation import CountKey, Expectation, predict
from local.traffic.mail import Evidence, Mail
from local.traffic.plan import MIN_MESSAGES_PER_STORY, plan_mails
from local.traffic.stories import STORIES

__all__ = [
    "MIN_MESSAGES_PER_STORY",
    "STORIES",
    "CountKey",
    "Evidence",
    "Expectation",
    "Mail",
    "plan_mails",
    "predict",
]
