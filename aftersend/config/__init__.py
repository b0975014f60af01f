"""Load, check and price the environments that the stacks deploy. Lambda functions never import this package."""

from aftersend.config.cost import format_estimate
from aftersend.config.environment import Environment
from aftersend.config.lint import Finding, findings
from aftersend.config.loader import ENVIRONMENTS_FOLDER, InvalidEnvironment, environment_names, load

__all__ = [
    "ENVIRONMENTS_FOLDER",
    "Environment",
    "Finding",
    "InvalidEnvironment",
    "environment_names",
    "findings",
    "format_estimate",
    "load",
]
