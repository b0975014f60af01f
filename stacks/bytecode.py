"""Compile bytecode that is never checked, which halves a cold start (docs/decisions/0016)."""

import json
import subprocess
import sys
from pathlib import Path

from stacks import NODE

PROJECT = Path(__file__).parent.parent
PYODIDE = Path("node_modules", "pyodide")
SCRIPT = Path(__file__).with_name("compile_bytecode.mjs")


class CompilerMissing(Exception):
    """The pinned Pyodide, which compiles for AWS, is not installed."""


def compile_bytecode(platform: str, folder: Path) -> None:
    """Compile every Python file below a folder: for AWS with Pyodide, for this machine with this Python."""
    if platform == "aws":
        _require_pyodide()
        command = [NODE, SCRIPT, folder]
    else:
        command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", folder]
    subprocess.run(command, check=True)


def compiler(platform: str) -> bytes:
    """Return what tells one compiler from another: the bytecode depends on it."""
    return SCRIPT.read_bytes() + _pinned_version().encode() if platform == "aws" else sys.version.encode()


def _pinned_version() -> str:
    return json.loads((PROJECT / "package-lock.json").read_bytes())["packages"][PYODIDE.as_posix()]["version"]


def _require_pyodide() -> None:
    package = PROJECT / PYODIDE / "package.json"
    installed = json.loads(package.read_bytes())["version"] if package.exists() else "missing"
    if installed != _pinned_version():
        raise CompilerMissing(
            f"{PYODIDE}: is {installed}, and package-lock.json has {_pinned_version()}. The functions' bytecode is "
            "compiled with it. Run make setup."
        )
    if not NODE.exists():
        raise CompilerMissing(f"{NODE}: is missing. The functions' bytecode is compiled with it. Run make setup.")
