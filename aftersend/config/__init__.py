"""Load, check and price the environments that the stacks deploy. Lambda functions never import this package.

Others import from here; the figures behind the cost estimate are in cost.py and prices.py.
"""

from aftersend.config.alarms import ALARMS, Severity
from aftersend.config.cost import estimate_cost, format_estimate
from aftersend.config.environment import (
    SEND_METRIC,
    ConfigurationSet,
    ContactList,
    Dimension,
    Environment,
    EventDestination,
    Identity,
)
from aftersend.config.lint import Finding, findings
from aftersend.config.loader import ENVIRONMENTS_FOLDER, InvalidEnvironment, environment_names, load, load_policy
from aftersend.config.toml_file import display_path
from aftersend.config.values import Email
