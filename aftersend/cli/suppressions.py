"""Define the group `aftersend suppressions`: what an operator does with the suppression list."""

import typer

from aftersend.cli.suppression_changes import add, remove
from aftersend.cli.suppression_check import check
from aftersend.cli.suppression_explain import explain
from aftersend.cli.suppression_list import list_entries
from aftersend.cli.suppression_policy import preview, rebuild
from aftersend.cli.suppression_transfer import export, import_file

app = typer.Typer(help="Query and change the suppression list.", no_args_is_help=True, rich_markup_mode="markdown")
app.command("list")(list_entries)
app.command()(explain)
app.command()(check)
app.command()(add)
app.command()(remove)
app.command("import")(import_file)
app.command()(export)
app.command()(preview)
app.command()(rebuild)
