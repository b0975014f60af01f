"""Write the endpoints of a local run to a file, so that `aftersend --env local` finds it."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

import msgspec

from aftersend.aws.deployment import LOCAL_RUN_VARIABLE, LocalRun, find_local_run, local_run_file


@contextmanager
def published_endpoint(run: LocalRun) -> Generator[None]:
    """Write the file while the run lasts. If another run owns it, leave it alone and print how to use a second one."""
    file = local_run_file()
    if other := find_local_run():
        print(
            f"The commands with --env local reach the local run of process {other.pid}. To have them reach this one, "
            f"start it with {LOCAL_RUN_VARIABLE} set to another file than {file}.",
            file=sys.stderr,
        )
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(f".{run.pid}")
    unfinished.write_bytes(msgspec.json.encode(run))
    unfinished.replace(file)  # never half a file for a command that reads it now
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
