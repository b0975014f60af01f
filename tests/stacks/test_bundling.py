import json
import subprocess
import sys
from pathlib import Path

import pytest

from aftersend.config.environment import Functions
from stacks import bundling


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bundling, "BUILT", tmp_path / "build")
    return tmp_path / "build"


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_same_code_gives_the_same_bundle(built: Path):
    """Or every machine would deploy what another already has."""
    first = content(bundling.bundle(Functions()))
    bundling.BUILT = built / "again"
    assert content(bundling.bundle(Functions())) == first


def test_a_bundle_holds_functions_library_and_packages_but_no_sdk(built: Path):
    folder = bundling.bundle(Functions())
    assert (folder / "lambdas" / "record_feedback.py").exists()
    assert (folder / "aftersend" / "parsing" / "parser.py").exists()
    assert list((folder / "msgspec").glob("*aarch64*.so"))
    assert not (folder / "botocore").exists()
    assert not list(folder.rglob("__pycache__"))


def test_an_interrupted_build_is_not_taken_for_a_finished_one(built: Path, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patched:
        patched.setattr(bundling.uv, "find_uv_bin", lambda: "/bin/false")
        with pytest.raises(subprocess.CalledProcessError):
            bundling.bundle(Functions())
    assert (bundling.bundle(Functions()) / "msgspec").exists()


def test_the_bundle_for_this_machine_runs_on_this_machine(built: Path):
    folder = bundling.bundle(Functions(runs_on="local"))
    imported = (
        "import json, msgspec, lambdas.dependencies as ours; print(json.dumps([msgspec.__file__, ours.__cached__]))"
    )
    said = subprocess.run(
        [sys.executable, "-c", imported], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
    assert all(path.startswith(str(folder)) for path in json.loads(said))
