"""Keep all tests from reaching a real AWS account, and unit, adapter and stack tests from opening sockets."""

import os
from functools import cache
from pathlib import Path

import pytest
import typer.testing

for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}

typer.testing._get_command = cache(typer.testing._get_command)  # ty: ignore[invalid-assignment]  (else each call builds all commands anew)

TESTS = Path(__file__).parent
WITHOUT_SOCKETS = {"unit", "adapters", "stacks"}


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folders = set(item.path.relative_to(TESTS).parts)
        if WITHOUT_SOCKETS & folders:
            item.add_marker(pytest.mark.disable_socket)
        if "stacks" in folders and not item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.xdist_group("stacks"))  # one process synthesizes the templates
