"""The code of the functions with their packages, built without Docker."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from platform import machine
from tempfile import mkdtemp

import uv
from aws_cdk import aws_lambda as lambda_

from aftersend.config.environment import Functions

PROJECT = Path(__file__).parent.parent
BUILT = PROJECT / ".build"
LOCK = PROJECT / "lambdas" / "requirements.lock"
SOURCES = ("aftersend", "lambdas")

RUNTIME = lambda_.Runtime.PYTHON_3_13
THIS_MACHINE = lambda_.Architecture.ARM_64 if machine() in ("arm64", "aarch64") else lambda_.Architecture.X86_64
ARCHITECTURES = {"aws": lambda_.Architecture.ARM_64, "local": THIS_MACHINE}
PLATFORMS = {
    "aws": ["--python-platform", "aarch64-manylinux2014", "--python-version", "3.13"],
    "local": ["--python", sys.executable],
}

DIFFER_BY_MACHINE = ("bin", "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED", "*.pth", ".lock")
"""What an installation leaves behind that would give the same code another asset hash on another machine."""


def bundle(functions: Functions) -> Path:
    """The folder with everything the functions import but boto3, which the runtime brings; built if it is not there."""
    folder = BUILT / f"functions-{functions.runs_on}-{_digest(functions)}"
    if not folder.exists():
        BUILT.mkdir(exist_ok=True)
        for stale in BUILT.glob(f"functions-{functions.runs_on}-*"):
            shutil.rmtree(stale)
        # Built aside and then renamed: a build that was interrupted is never taken for a finished one.
        unfinished = Path(mkdtemp(dir=BUILT))
        _install(functions, unfinished)
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.exists():
                raise
            shutil.rmtree(unfinished)  # another synthesis was quicker
    return folder


def _install(functions: Functions, folder: Path) -> None:
    packages = ["--requirements", str(LOCK), "--target", str(folder), "--only-binary", ":all:", "--quiet"]
    subprocess.run([uv.find_uv_bin(), "pip", "install", *packages, *PLATFORMS[functions.runs_on]], check=True)
    for pattern in DIFFER_BY_MACHINE:
        for found in folder.glob(pattern):
            shutil.rmtree(found) if found.is_dir() else found.unlink()
    for source in SOURCES:
        shutil.copytree(
            PROJECT / source, folder / source, ignore=shutil.ignore_patterns("__pycache__", "cli", "*.txt", "*.lock")
        )
    if functions.runs_on == "local":
        # Only here is the runtime's Python the one at hand; bytecode that is never checked halves a cold start.
        subprocess.run(
            [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", folder], check=True
        )


def _digest(functions: Functions) -> str:
    content = hashlib.blake2b(sys.version.encode() if functions.runs_on == "local" else b"", digest_size=8)
    for file in sorted([LOCK, *(file for source in SOURCES for file in (PROJECT / source).rglob("*.py"))]):
        content.update(os.fsencode(file.relative_to(PROJECT)) + b"\0" + file.read_bytes())
    return content.hexdigest()
