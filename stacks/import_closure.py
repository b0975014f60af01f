"""Find the modules of this project that a module imports, without running it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGES = ("aftersend", "lambdas")
"""The packages that functions are made of. Imports in them are absolute (tests/unit/test_dependencies.py)."""


def import_closure(module: str, project: Path) -> set[Path]:
    """Return the files of a module and of everything it imports, directly or not, wherever the import stands."""
    closure, names, pending = set[Path](), {module}, [module]
    while pending:
        for file in _loaded_files(pending.pop(), project):
            if file not in closure:
                closure.add(file)
                imported = _imported_names(file.read_text()) - names
                names |= imported
                pending += imported
    return closure


def _loaded_files(name: str, project: Path) -> Iterator[Path]:
    """Yield the files that importing a dotted name loads: of the packages around it, and its own if it is a module."""
    parts = name.split(".")
    if parts[0] in PACKAGES:
        for depth in range(1, len(parts) + 1):
            path = project.joinpath(*parts[:depth])
            yield from (file for file in (path / "__init__.py", path.with_suffix(".py")) if file.exists())


@cache
def _imported_names(source: str) -> frozenset[str]:
    """Return the dotted names that a source imports. What is imported from a module may be a module too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)
