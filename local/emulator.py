"""Run the AWS emulator and other commands as processes of this machine, and stop them with everything they started."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

import urllib3

PROJECT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
MINISTACK = PROJECT / ".venv-emulator" / "bin" / "ministack"

ACCOUNT, REGION = "000000000000", "us-east-1"

SERVER_PORTS = 20_000, 32_768
START_ATTEMPTS = 3
START_SECONDS = 30
STOP_SECONDS = 1
"""How long a process may take to stop after SIGTERM; then it is killed."""

MAX_OUTPUT_CHARACTERS = 4_000
"""How much of a failed process's output an error message quotes, from its end."""


class ProcessFailed(Exception):
    """A process failed. The message ends with the last output of the process."""

    def __init__(self, problem: str, output: str) -> None:
        super().__init__(f"{problem}:\n{output[-MAX_OUTPUT_CHARACTERS:]}")


def free_port() -> int:
    """Return a port of loopback that nothing listens on.

    It is below the ports that the system gives to clients (from 32768 on Linux, 49152 elsewhere): one of those could be
    taken by any connection before the caller binds it.
    """
    while True:
        port = random.randrange(*SERVER_PORTS)
        with socket.socket() as unbound, suppress(OSError):
            unbound.bind(("127.0.0.1", port))
            return port


@contextmanager
def temporary_folder() -> Generator[Path]:
    """Yield a folder and have another process remove it: removing its 400 MB in 28,000 files can take a minute."""
    folder = Path(mkdtemp(prefix="aftersend-"))
    try:
        yield folder
    finally:
        # The process outlives this one, so that a second Ctrl-C leaves no files behind.
        command = ["/bin/sh", "-c", 'rm -rf "$0" &', str(folder)]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )


@contextmanager
def running_emulator(folder: Path, ses_port: int) -> Generator[str]:
    """Run the emulator and yield its URL. Its functions call SES at `ses_port` and every other service at the emulator.

    Raises:
        ProcessFailed: if it does not answer within START_SECONDS.
    """
    process, url = _start(folder, ses_port, attempts=START_ATTEMPTS)
    try:
        yield url
    finally:
        stop(process)


def emulator_log(folder: Path) -> Path:
    """Return the file that the emulator in a folder prints to."""
    return folder / "emulator.log"


def _start(folder: Path, ses_port: int, attempts: int) -> tuple[subprocess.Popen[bytes], str]:
    """Start the emulator, on another port if it fails.

    With TLS it also takes port 443 if it may. Of two that start at once, one then ends with "Address already in use".
    """
    port = free_port()
    scheme = "https" if "USE_SSL" in os.environ else "http"
    url, log = f"{scheme}://127.0.0.1:{port}", emulator_log(folder)
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
    with log.open("wb") as output:
        process = subprocess.Popen(
            [MINISTACK], env=process_environment(settings), stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_until_healthy(url, process, log)
    except BaseException as error:
        stop(process)
        if attempts > 1 and isinstance(error, ProcessFailed):
            return _start(folder, ses_port, attempts - 1)
        raise
    return process, url


def process_environment(settings: dict[str, str]) -> dict[str, str]:
    """Return this process's environment with `settings` and without anything about a real AWS account."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    aws = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
    return inherited | aws | {"PATH": f"{BIN}{os.pathsep}{inherited['PATH']}"} | settings


def stop(process: subprocess.Popen) -> None:
    """Stop a process and all it started, which share its process group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", f"{url}/_ministack/health", retries=False, timeout=2).status == 200:
                return
        time.sleep(0.1)
    raise ProcessFailed(f"The emulator did not answer within {START_SECONDS} seconds", log.read_text())
