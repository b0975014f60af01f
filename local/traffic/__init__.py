"""Generate the bookshop's mail, decide which SES events each message gets, and predict the results.

Nothing here imports aftersend: the prediction must not share code with the results it is compared with. Others import
from here.
"""

from local.traffic.expectation import Expectation, predict
from local.traffic.expected_counts import CountKey, ExpectedCounts
from local.traffic.mail import SUBJECT, Evidence, Mail
from local.traffic.plan import MIN_MESSAGES_PER_STORY, plan_mails
from local.traffic.stories import STORIES
from local.traffic.week import plan_week

__all__ = [
    "MIN_MESSAGES_PER_STORY",
    "STORIES",
    "SUBJECT",
    "CountKey",
    "Evidence",
    "Expectation",
    "ExpectedCounts",
    "Mail",
    "plan_mails",
    "plan_week",
    "predict",
]
