"""Define the group `aftersend suppressions`: what an operator does with the suppression list."""

import typer

from aftersend.cli import (
    suppression_changes,
    suppression_check,
    suppression_explain,
    suppression_list,
    suppression_policy,
    suppression_transfer,
)

app = typer.Typer(help="Query and change the suppression list.", no_args_is_help=True, rich_markup_mode="markdown")

COMMAND_MODULES = (
    suppression_list,
    suppression_explain,
    suppression_check,
    suppression_changes,
    suppression_transfer,
    suppression_policy,
)
"""The modules of the group. Each adds its own commands: `add_commands(app)`."""

for module in COMMAND_MODULES:
    module.add_commands(app)
