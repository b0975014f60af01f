"""Keep all tests from reaching a real AWS account, and unit, adapter and stack tests from opening sockets."""

import gc
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.testing
from xdist.scheduler import LoadFileScheduling

for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}

typer.testing._get_command = cache(typer.testing._get_command)  # ty: ignore[invalid-assignment]  (else each call builds all commands anew)

TESTS = Path(__file__).parent
WITHOUT_SOCKETS = {"unit", "adapters", "stacks"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if WITHOUT_SOCKETS.intersection(item.path.relative_to(TESTS).parts):
            item.add_marker(pytest.mark.disable_socket)


gc.disable()  # modules and tests last as long as the process, so nothing is to be collected until all are imported


def pytest_collection_finish() -> None:
    gc.freeze()  # nor need the collector visit them again
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


class FilesTogether(LoadFileScheduling):
    """Gives one process all tests of a file, and one all tests of the stacks, which share the templates."""

    def _split_scope(self, nodeid: str) -> str:
        return "stacks" if nodeid.startswith("tests/stacks/") else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesTogether | None:
    return FilesTogether(config, log) if config.getoption("dist") == "loadfile" else None
