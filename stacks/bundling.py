"""Bundle a function with its packages and the modules it imports, compiled, and nothing else. No Docker is needed."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from platform import machine
from tempfile import mkdtemp

import uv
from aws_cdk import aws_lambda as lambda_

from stacks.bytecode import compile_bytecode, compiler
from stacks.import_closure import PACKAGES, import_closure

PROJECT = Path(__file__).parent.parent
LOCK = Path("lambdas", "requirements.lock")
"""The packages of all functions. boto3 is not among them: the runtime has it (docs/decisions/0003)."""

RUNTIME = lambda_.Runtime.PYTHON_3_13
THIS_MACHINE = lambda_.Architecture.ARM_64 if machine() in ("arm64", "aarch64") else lambda_.Architecture.X86_64
ARCHITECTURES = {"aws": lambda_.Architecture.ARM_64, "local": THIS_MACHINE}
PLATFORMS = {
    "aws": ["--python-platform", "aarch64-manylinux2014", "--python-version", "3.13"],
    "local": ["--python", sys.executable],
}
"""Options of uv, by what functions run on."""

DIFFER_BY_MACHINE = ("bin", "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED", "*.pth", ".lock")
"""Files of an installation that would give the same code another asset hash on another machine."""


def bundle(file: str, platform: str, project: Path = PROJECT) -> Path:
    """Return the folder with a function of lambdas/, built for a platform. It is built if there is none."""
    modules = import_closure(f"lambdas.{file}", project)

    def fill(folder: Path) -> None:
        shutil.copytree(_packages(platform, project), folder, copy_function=_link, dirs_exist_ok=True)
        compiled = _modules(platform, project)
        for module in modules:
            source = compiled / module.relative_to(project)
            for path in (source, *source.parent.glob(f"__pycache__/{source.stem}.*.pyc")):
                target = folder / path.relative_to(compiled)
                target.parent.mkdir(parents=True, exist_ok=True)
                _link(str(path), str(target))

    return _build(f"{file}-{platform}", _digest([project / LOCK, *modules], platform, project), project, fill)


def digest(file: str, platform: str, project: Path = PROJECT) -> str:
    """Return the digest of everything that goes into a function's bundle."""
    return _digest([project / LOCK, *import_closure(f"lambdas.{file}", project)], platform, project)


def _packages(platform: str, project: Path) -> Path:
    """Return the folder with the installed packages, which all functions of a platform share."""

    def fill(folder: Path) -> None:
        options = ["--requirements", str(project / LOCK), "--target", str(folder), "--only-binary", ":all:", "--quiet"]
        subprocess.run([uv.find_uv_bin(), "pip", "install", *options, *PLATFORMS[platform]], check=True)
        for pattern in DIFFER_BY_MACHINE:
            for path in folder.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        compile_bytecode(platform, folder)

    return _build(f"packages-{platform}", _digest([project / LOCK], platform, project), project, fill)


def _modules(platform: str, project: Path) -> Path:
    """Return the folder with all modules of the project, compiled in one go for all functions of a platform."""
    modules = [module for package in PACKAGES for module in (project / package).rglob("*.py")]

    def fill(folder: Path) -> None:
        for module in modules:
            target = folder / module.relative_to(project)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(module, target)
        compile_bytecode(platform, folder)

    return _build(f"modules-{platform}", _digest(modules, platform, project), project, fill)


def _build(name: str, digest: str, project: Path, fill: Callable[[Path], None]) -> Path:
    """Return the folder of a name and digest. If there is none, fill one and remove those of other digests."""
    builds = project / ".build"
    folder = builds / f"{name}-{digest}"
    if not folder.exists():
        builds.mkdir(exist_ok=True)
        for stale in builds.glob(f"{name}-*"):
            shutil.rmtree(stale, ignore_errors=True)  # another synthesis may be removing it as well
        # Filled under another name and renamed: a build that was interrupted is never taken for a finished one.
        unfinished = Path(mkdtemp(dir=builds))
        fill(unfinished)
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.exists():
                raise
            shutil.rmtree(unfinished)  # another synthesis was faster
    return folder


def _digest(files: Iterable[Path], platform: str, project: Path) -> str:
    content = hashlib.blake2b(compiler(platform), digest_size=8)
    for file in sorted(files):
        content.update(os.fsencode(file.relative_to(project)) + b"\0" + file.read_bytes())
    return content.hexdigest()


def _link(source: str, target: str) -> None:
    """Link a file, which nothing changes once it is built, or copy it where the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
