"""Hold what is in a function's bundle and what changes its digest."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from aftersend.contract import FUNCTIONS
from stacks import bundling, bytecode
from stacks.bundling import bundle, digest
from stacks.bytecode import compile_bytecode
from tests.stacks.conftest import PROJECT

pytestmark = pytest.mark.slow


def find_python(version: str) -> str | None:
    """Return the path of a Python if it is installed."""
    if not (command := shutil.which(f"python{version}")):
        return None
    # With PYENV_VERSION, pyenv's command works even where this version is not the selected one.
    environment = os.environ | {"PYENV_VERSION": version}
    arguments = [command, "-c", "import sys; print(sys.executable)"]
    return subprocess.run(arguments, env=environment, capture_output=True, text=True).stdout.strip() or None


RUNTIME_VERSION = "3.13"
MAGIC_NUMBER = (3571).to_bytes(2, "little") + b"\r\n"
"""What bytecode of Python 3.13 begins with (PYC_MAGIC_NUMBER in CPython's Include/internal/pycore_magic_number.h)."""
UNCHECKED_HASH = (0b01).to_bytes(4, "little")
"""The flags after it (PEP 552)."""
MAX_BYTES = 250 * 1024 * 1024
"""Lambda's quota for a function, unzipped."""

PYTHON_OF_THE_RUNTIME = find_python(RUNTIME_VERSION)

BROUGHT_BY_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
NEVER_IMPORTED = {"boto3", "s3transfer", "aws_lambda_powertools.utilities.data_classes"}
"""Modules that no function uses, and that would make a cold start longer."""
NEVER_BUNDLED = ("config", "cli")


def copy_project(folder: Path) -> Path:
    """Return a copy of everything that functions are made of."""
    for package in ("aftersend", "lambdas"):
        shutil.copytree(PROJECT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def fast_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile nothing, which these tests do not need."""
    monkeypatch.setattr(bundling, "compile_bytecode", lambda platform, folder: None)


def modules(folder: Path) -> set[str]:
    """Return the project's own modules in a bundle."""
    files = (file for package in ("aftersend", "lambdas") for file in (folder / package).rglob("*.py"))
    return {str(file.relative_to(folder)) for file in files}


def digests(project: Path) -> dict[str, str]:
    return {file: digest(file, "aws", project) for file in FUNCTIONS}


def functions_changed_by(file: str, folder: Path) -> set[str]:
    """Return the functions whose digest differs once a file of the project is reworded."""
    project = copy_project(folder / "project")
    before = digests(project)
    with (project / file).open("a") as source:
        source.write("\n# Another word.\n")
    after = digests(project)
    return {name for name in FUNCTIONS if before[name] != after[name]}


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_file_with_a_handler_has_a_size():
    files = {file.stem for file in (PROJECT / "lambdas").glob("*.py") if "\ndef handler(" in file.read_text()}
    assert files == FUNCTIONS.keys()


def test_bundle_is_the_same_wherever_it_is_built(tmp_path: Path):
    """Otherwise every machine would deploy again what another has deployed."""
    elsewhere = copy_project(tmp_path / "elsewhere")
    here, there = (bundle("record_feedback", "aws", folder) for folder in (PROJECT, elsewhere))
    assert here.name == there.name
    assert content(here) == content(there)


def test_bundle_holds_packages_for_the_platform_but_no_sdk():
    folder = bundle("record_feedback", "aws")
    assert list((folder / "msgspec").glob("*aarch64*.so"))
    assert (folder / "aws_lambda_powertools").exists()
    assert not (folder / "botocore").exists()
    assert sum(map(len, content(folder).values())) < MAX_BYTES


def compiled_files(folder: Path) -> dict[Path, Path]:
    """Return the bytecode of the runtime's Python for every source in a bundle."""
    tag = f"cpython-{RUNTIME_VERSION.replace('.', '')}"
    return {source: source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc" for source in folder.rglob("*.py")}


def test_every_file_of_a_bundle_has_bytecode_of_the_runtime_that_is_never_checked():
    assert bundling.RUNTIME.name == f"python{RUNTIME_VERSION}"
    files = compiled_files(bundle("record_feedback", "aws"))
    headers = {bytecode.read_bytes()[:8] for bytecode in files.values()}
    assert headers == {MAGIC_NUMBER + UNCHECKED_HASH}
    assert len(files) > 100


def test_bytecode_of_a_file_does_not_depend_on_the_others(tmp_path: Path):
    """Otherwise every function would be deployed again whenever any module changes."""
    folder = bundle("record_feedback", "aws")
    alone = tmp_path / "aftersend" / "recorder.py"
    alone.parent.mkdir()
    shutil.copy(folder / "aftersend" / "recorder.py", alone)
    compile_bytecode("aws", tmp_path)
    [bytecode] = tmp_path.rglob("*.pyc")
    assert bytecode.read_bytes() == (folder / bytecode.relative_to(tmp_path)).read_bytes()


@pytest.mark.skipif(PYTHON_OF_THE_RUNTIME is None, reason=f"Python {RUNTIME_VERSION} is not installed")
def test_python_of_the_runtime_loads_the_bytecode():
    assert PYTHON_OF_THE_RUNTIME
    settings = Path("lambdas", "settings.py")
    bytecode = compiled_files(bundle("record_feedback", "aws"))[bundle("record_feedback", "aws") / settings]
    code = (
        "import importlib.machinery, importlib.util\n"
        f"loader = importlib.machinery.SourcelessFileLoader('settings', {str(bytecode)!r})\n"
        "print(importlib.util.MAGIC_NUMBER.hex(), loader.get_code('settings').co_filename)"
    )
    command = [PYTHON_OF_THE_RUNTIME, "-I", "-c", code]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed.split() == [MAGIC_NUMBER.hex(), "/var/task/lambdas/settings.py"]


def test_missing_compiler_is_reported_with_the_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bytecode, "PYODIDE", tmp_path)
    monkeypatch.setattr(bytecode, "_pinned_version", lambda: "0.1.2")
    with pytest.raises(bytecode.CompilerMissing, match=r"missing.*package-lock\.json.*0\.1\.2.*make setup"):
        compile_bytecode("aws", tmp_path)


def test_bundle_holds_the_modules_that_are_imported_and_no_others():
    bundled = modules(bundle("count_tags", "aws"))
    assert {"lambdas/__init__.py", "lambdas/count_tags.py", "lambdas/settings.py"} <= bundled
    assert {"aftersend/__init__.py", "aftersend/ledger.py", "aftersend/metrics/emf.py"} <= bundled
    assert not {"lambdas/record_feedback.py", "lambdas/sqs_batch.py", "aftersend/aws/custom_resource.py"} & bundled


@pytest.mark.parametrize("file", FUNCTIONS)
def test_configuration_pages_and_commands_never_reach_lambda(file: str):
    folder = bundle(file, "aws")
    assert modules(folder)
    assert not [room for room in NEVER_BUNDLED if (folder / "aftersend" / room).exists()]


@pytest.mark.parametrize("file", ["aftersend/config/lint_rules.py", "aftersend/config/cost.py"])
def test_rewording_what_functions_do_not_import_changes_no_function(file: str, tmp_path: Path):
    assert functions_changed_by(file, tmp_path) == set()


def test_changing_the_ledger_changes_the_functions_that_use_it(tmp_path: Path):
    assert {"record_feedback", "record_archive", "count_tags"} <= functions_changed_by("aftersend/ledger.py", tmp_path)


def test_changing_a_handler_changes_its_function_alone(tmp_path: Path):
    assert functions_changed_by("lambdas/check_identities.py", tmp_path) == {"check_identities"}


def test_changing_the_lock_changes_every_function(tmp_path: Path):
    assert functions_changed_by("lambdas/requirements.lock", tmp_path) == set(FUNCTIONS)


def test_new_bundle_replaces_the_previous_one_of_its_function(tmp_path: Path, fast_compiler: None):
    project = copy_project(tmp_path / "project")
    other, previous = bundle("count_tags", "aws", project), bundle("check_identities", "aws", project)
    (project / "lambdas" / "check_identities.py").write_text("def handler(): ...\n")
    current = bundle("check_identities", "aws", project)
    assert (current / "lambdas" / "check_identities.py").read_text() == "def handler(): ...\n"
    assert not previous.exists()
    assert other.exists()


def test_interrupted_build_is_not_taken_for_a_finished_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast_compiler: None
):
    project = copy_project(tmp_path / "project")
    with monkeypatch.context() as patched:
        patched.setattr(bundling.uv, "find_uv_bin", lambda: "/bin/false")
        with pytest.raises(subprocess.CalledProcessError):
            bundle("count_tags", "aws", project)
    assert (bundle("count_tags", "aws", project) / "msgspec").exists()


def test_bundle_is_copied_where_the_file_system_has_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast_compiler: None
):
    def refuse(*_: object) -> None:
        raise OSError

    project = copy_project(tmp_path / "project")
    monkeypatch.setattr(bundling.os, "link", refuse)
    assert (bundle("count_tags", "aws", project) / "msgspec" / "__init__.py").stat().st_nlink == 1


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the packages that AWS Lambda's runtime brings, and no others."""
    folder = tmp_path_factory.mktemp("runtime")
    for name in BROUGHT_BY_THE_RUNTIME:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        path = Path(spec.origin)
        source = path.parent if path.name == "__init__.py" else path
        (folder / source.name).symlink_to(source)
    return folder


@pytest.mark.parametrize("file", FUNCTIONS)
def test_bundle_can_be_imported_with_nothing_but_the_runtime_and_imports_nothing_unused(file: str, runtime: Path):
    folder = bundle(file, "local")
    code = f"""
import json, sys
sys.path += {[str(folder), str(runtime)]}
import msgspec, lambdas.{file} as function
print(json.dumps([callable(function.handler), sorted(sys.modules), msgspec.__file__, function.__cached__]))
"""
    command = [sys.executable, "-I", "-S", "-c", code]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    is_callable, imported, *paths = json.loads(printed)
    assert is_callable
    assert not NEVER_IMPORTED & set(imported)
    assert all(path.startswith(str(folder)) and Path(path).exists() for path in paths)
