"""Define the group `aftersend suppressions`: what an operator does with the suppression list."""

import typer

app = typer.Typer(help="Query and change the suppression list.", no_args_is_help=True, rich_markup_mode="markdown")

COMMAND_MODULES = ()
"""The modules of the group. Each adds its own commands: `add_commands(app)`."""

for module in COMMAND_MODULES:
    module.add_commands(app)
