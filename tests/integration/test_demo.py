"""What a person sees who runs the demo and has enough of it."""

import os
import signal
import subprocess
import sys
import time

INTERRUPTED = 130


def processes() -> dict[int, tuple[int, str]]:
    """Every process by its id: its parent, and how it was started."""
    command = ["ps", "-eww", "-o", "pid=,ppid=,args="]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = (line.split(maxsplit=2) for line in listed)
    return {int(process): (int(parent), "".join(arguments)) for process, parent, *arguments in rows}


def started_by(process: int) -> dict[int, str]:
    """The processes below a process; other tests run emulators too."""
    known, below, parents = processes(), {}, {process}
    while parents:
        found = {each: arguments for each, (parent, arguments) in known.items() if parent in parents}
        below |= found
        parents = set(found)
    return below


def test_an_interrupted_demo_stops_what_it_started_and_says_so():
    demo = subprocess.Popen(
        [sys.executable, "-m", "local.demo"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not any("ministack" in each for each in started_by(demo.pid).values()) and time.monotonic() < deadline:
        time.sleep(0.1)
    started = started_by(demo.pid)
    assert any("ministack" in each for each in started.values()), "the emulator was started"
    os.killpg(demo.pid, signal.SIGINT)
    said, _ = demo.communicate(timeout=30)
    assert (demo.returncode, said.splitlines()[-1]) == (
        INTERRUPTED,
        "Interrupted; everything that was started is stopped.",
    )
    assert not started.keys() & processes().keys()
