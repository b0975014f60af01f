"""Implement `aftersend dashboard`: the dashboard of a deployment in the browser, without the AWS console."""

import sys
import threading
import webbrowser
from contextlib import suppress
from typing import Annotated

import typer

from aftersend.cli.dashboard_server import served
from aftersend.cli.dashboard_site import DashboardSite
from aftersend.cli.deployment import CANNOT_QUERY, EnvironmentOption, connected

PORT = 8026

PortOption = Annotated[int, typer.Option(min=0, max=65_535, help="The port on 127.0.0.1; 0 chooses a free one.")]
AllowChangesOption = Annotated[bool, typer.Option("--allow-changes", help="Allow adding and removing suppressions.")]
NoBrowserOption = Annotated[bool, typer.Option("--no-browser", help="Only print the address; open no browser.")]


def dashboard(
    env: EnvironmentOption,
    port: PortOption = PORT,
    allow_changes: AllowChangesOption = False,
    no_browser: NoBrowserOption = False,
) -> None:
    """Show the dashboard of a deployment in your browser, until you press Ctrl-C.

    It is served on 127.0.0.1 to this machine alone, and uses your AWS credentials. It changes nothing unless you allow
    it.

    Exit codes: 0 ended with Ctrl-C, 2 the deployment cannot be queried, or the port is in use.

    Examples:

    - `aftersend dashboard --env prod`
    - `aftersend dashboard --env prod --allow-changes`
    """
    with connected(env) as target:
        site = DashboardSite(target.deployment, allow_changes=allow_changes)
    try:
        with served(site, port) as url:
            typer.echo(f"The dashboard of {env}: {url} (press Ctrl-C to end)")
            if sys.stdout.isatty() and not no_browser:
                webbrowser.open(url)
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
    except OSError as error:
        typer.echo(f"Port {port} of 127.0.0.1 cannot be used: {error.strerror}. Choose another with --port.", err=True)
        raise typer.Exit(CANNOT_QUERY) from None
