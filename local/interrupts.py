"""End this process on the signals that end a command, also on one that only make got."""

import os
import signal
import threading
import time
from pathlib import Path

POLL_SECONDS = 0.2


def raise_on_signals() -> None:
    """Raise KeyboardInterrupt in the main thread on SIGINT and SIGTERM.

    SIGINT is otherwise ignored where a shell has its background jobs ignore it. GNU make, when it alone gets SIGINT,
    waits until its command ends by itself: a thread notices that.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    threading.Thread(target=_interrupt_with_make, args=(os.getppid(),), daemon=True).start()


def _interrupt_with_make(parent: int) -> None:
    """Interrupt this process once a make that caught SIGINT no longer does: then it has got one, and waits."""
    if not _is_ready_for_interrupt(parent):
        return
    while _is_ready_for_interrupt(parent):
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGINT)


def _is_ready_for_interrupt(process: int) -> bool:
    """Return whether a process is a make that catches SIGINT; False where there is no /proc."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
    fields = dict(line.split(":", 1) for line in status.splitlines())
    caught = int(fields["SigCgt"], 16)
    return fields["Name"].strip() in ("make", "gmake") and bool(caught >> (signal.SIGINT - 1) & 1)
