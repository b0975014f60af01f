"""What a person sees who runs the demo and has enough of it."""

import os
import signal
import subprocess
import sys
import time

INTERRUPTED = 130


def emulators() -> set[str]:
    """The processes of emulators and their workers, by process id."""
    command = ["ps", "-eww", "-o", "pid,args"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.split()[0] for line in listed if "ministack" in line}


def test_an_interrupted_demo_stops_what_it_started_and_says_so():
    before = emulators()
    demo = subprocess.Popen(
        [sys.executable, "-m", "local.demo"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not emulators() - before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert emulators() - before, "the emulator was started"
    os.killpg(demo.pid, signal.SIGINT)
    said, _ = demo.communicate(timeout=30)
    assert (demo.returncode, said.splitlines()[-1]) == (
        INTERRUPTED,
        "Interrupted; everything that was started is stopped.",
    )
    assert emulators() == before
