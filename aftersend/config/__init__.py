"""Load, check and price the environments that the stacks deploy. Lambda functions never import this package."""

from aftersend.config.cost import estimate_cost, format_estimate
from aftersend.config.environment import Environment
from aftersend.config.lint import Finding, findings
from aftersend.config.loader import ENVIRONMENTS_FOLDER, InvalidEnvironment, environment_names, load
from aftersend.config.toml_file import display_path

__all__ = [
    "ENVIRONMENTS_FOLDER",
    "Environment",
    "Finding",
    "InvalidEnvironment",
    "display_path",
    "environment_names",
    "estimate_cost",
    "findings",
    "format_estimate",
    "load",
]
