"""The emulator and the CDK CLI as processes of this machine: on loopback, and ended with everything they started."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import urllib3

PROJECT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
MINISTACK = PROJECT / ".venv-emulator" / "bin" / "ministack"

ACCOUNT, REGION = "000000000000", "us-east-1"
START_SECONDS, STOP_SECONDS = 30, 3
SAID_AT_MOST = 4_000


class Failed(Exception):
    """A process did not do what it was started for; the message holds what it said last."""


def free_port() -> int:
    with socket.socket() as unbound:
        unbound.bind(("127.0.0.1", 0))
        return unbound.getsockname()[1]


@contextmanager
def emulator(folder: Path, ses_port: int) -> Generator[str]:
    """The emulator's address while it runs. Its functions reach SES at `ses_port`, all else at the emulator itself.

    Raises:
        Failed: if it does not answer within START_SECONDS.
    """
    port = free_port()
    url, log = f"http://127.0.0.1:{port}", folder / "emulator.log"
    settings = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "EDGE_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AWS_ENDPOINT_URL_SES": f"http://127.0.0.1:{ses_port}",
        "AWS_ENDPOINT_URL_SESV2": f"http://127.0.0.1:{ses_port}",
        "TMPDIR": str(folder),
    }
    with log.open("wb") as said:
        process = subprocess.Popen(
            [MINISTACK], env=_environment(settings), stdout=said, stderr=said, start_new_session=True
        )
    try:
        _wait_until_it_answers(url, process, log)
        yield url
    finally:
        _end(process)


def cdk(*arguments: str, endpoint: str) -> str:
    """What the CDK CLI says while it does what it is told, to the emulator.

    Raises:
        Failed: if it fails.
    """
    settings = {"AWS_ENDPOINT_URL": endpoint, "CDK_DISABLE_CLI_TELEMETRY": "true", "CI": "true"}
    process = subprocess.Popen(
        [BIN / "cdk", "--no-color", "--no-notices", *arguments],
        cwd=PROJECT,
        env=_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate()
    finally:
        _end(process)
    if process.returncode:
        raise Failed(f"`cdk {' '.join(arguments)}` failed:\n{said[-SAID_AT_MOST:]}")
    return said


def bootstrap(endpoint: str) -> None:
    """Make the emulator ready for the CDK CLI, once."""
    cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", "", endpoint=endpoint)


def deploy(endpoint: str, folder: Path, *context: str) -> dict[str, str]:
    """Deploy an environment, named by context as in "env=local"; the outputs of all its stacks."""
    outputs = folder / "outputs.json"
    where = ["--output", str(folder / "cdk.out"), "--outputs-file", str(outputs)]
    named = [argument for each in context for argument in ("--context", each)]
    cdk("deploy", "--all", *named, "--require-approval", "never", *where, endpoint=endpoint)
    stacks: dict[str, dict[str, str]] = json.loads(outputs.read_text())
    return {name: value for stack in stacks.values() for name, value in stack.items()}


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """This process's environment without anything about a real AWS account."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    where = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "PATH": f"{BIN}{os.pathsep}{inherited['PATH']}"}
    return inherited | credentials | where | settings


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", f"{url}/_ministack/health", retries=False, timeout=2).status == 200:
                return
        time.sleep(0.1)
    raise Failed(f"The emulator did not answer within {START_SECONDS} seconds:\n{log.read_text()[-SAID_AT_MOST:]}")


def _end(process: subprocess.Popen) -> None:
    """End a process and all it started: they share its process group."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
