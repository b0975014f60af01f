"""Keep all tests from reaching a real AWS account, and unit, adapter and stack tests from opening sockets."""

import os
from functools import cache
from pathlib import Path

import pytest
import typer.testing

for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}

typer.testing._get_command = cache(typer.testing._get_command)  # else each call builds all commands anew

TESTS = Path(__file__).parent
WITHOUT_SOCKETS = {"unit", "adapters", "stacks"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if WITHOUT_SOCKETS & set(item.path.relative_to(TESTS).parts):
            item.add_marker(pytest.mark.disable_socket)
