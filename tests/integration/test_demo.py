"""Interrupt the demo while it starts."""

import os
import signal
import subprocess
import sys
import time

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
