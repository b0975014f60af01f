"""Interrupt the demo while it starts, and make while it runs a command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
EXIT_INTERRUPTED = 130
START_SECONDS, STOP_SECONDS = 60, 30


def processes() -> dict[int, tuple[int, str]]:
    """Return the parent and the command of every process by its id."""
    command = ["ps", "-eww", "-o", "pid=,ppid=,args="]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    columns = (line.split(maxsplit=2) for line in lines)
    return {int(process): (int(parent), "".join(arguments)) for process, parent, *arguments in columns}


def descendants(process: int) -> dict[int, str]:
    """Return the commands of a process's descendants by their ids; other tests run emulators too."""
    everything, below, parents = processes(), {}, {process}
    while parents:
        children = {child: command for child, (parent, command) in everything.items() if parent in parents}
        below |= children
        parents = set(children)
    return below


def runs_emulator(commands: dict[int, str]) -> bool:
    return any("ministack" in command for command in commands.values())


def test_interrupted_demo_stops_all_its_processes_and_says_so():
    demo = subprocess.Popen(
        [sys.executable, "-m", "local.demo"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + START_SECONDS
    while not runs_emulator(descendants(demo.pid)) and time.monotonic() < deadline:
        time.sleep(0.1)
    started = descendants(demo.pid)
    assert runs_emulator(started), "the demo did not start the emulator"
    os.killpg(demo.pid, signal.SIGINT)
    output, _ = demo.communicate(timeout=STOP_SECONDS)
    assert demo.returncode == EXIT_INTERRUPTED
    assert output.splitlines()[-1] == "Interrupted. The emulator and all other processes have been stopped."
    assert not started.keys() & processes().keys()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_make_alone_ends_its_command(number: signal.Signals, tmp_path: Path):
    code = "import sys, threading; from local.interrupts import raise_on_signals; raise_on_signals()\n"
    (tmp_path / "command.py").write_text(code + "print('ready', flush=True)\nthreading.Event().wait()\n")
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"all:\n\t@exec {sys.executable} {tmp_path / 'command.py'}\n")
    outside_make = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    # A shell in the background lets its commands ignore SIGINT, and what they start inherits that.
    with subprocess.Popen(
        ["make", "-f", makefile],  # noqa: S607
        stdout=subprocess.PIPE,
        text=True,
        env=outside_make | {"PYTHONPATH": str(PROJECT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        start_new_session=True,
    ) as make:
        assert make.stdout is not None
        first, started = make.stdout.readline(), descendants(make.pid)
        make.send_signal(number)
        make.communicate(timeout=STOP_SECONDS)
    assert first == "ready\n"
    assert started
    assert not started.keys() & processes().keys()
