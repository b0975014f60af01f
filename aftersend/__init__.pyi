from aftersend.aws.suppression_check import CheckResult as CheckResult
from aftersend.aws.suppression_check import Suppression as Suppression
from aftersend.aws.suppression_check import SuppressionUnknown as SuppressionUnknown
from aftersend.aws.suppression_check import check as check
