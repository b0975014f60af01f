"""Compare the cold starts of the functions with that of a typical function with Powertools for AWS Lambda.

    python -m benchmarks.cold_start [--python PATH] [--rounds N] [--imports FUNCTION | --figures]

A cold start is a fresh process that imports the handler and creates the clients that an invocation needs. Its figure is
processor time, beyond that of a process that does nothing. All have bytecode and the same SDK, and take turns.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import uv

from aftersend.contract import FUNCTIONS
from stacks.import_closure import PACKAGES

MAX_RATIO = 0.60
"""What part of the typical function's time each function may take that an event waits for."""

AWAITED = ("record_feedback", "record_archive", "count_tags", "publish_suppressions")
"""The functions that an event passes. The others run on a schedule or for a person: their figures are printed."""

PROJECT = Path(__file__).parent.parent
PEERS = PROJECT / "benchmarks" / "peers"

CLIENTS: dict[str, tuple[str, ...]] = {
    "record_feedback": ("dynamodb",),
    "record_archive": ("dynamodb", "s3"),
    "count_tags": ("dynamodb",),
    "publish_suppressions": ("events", "secretsmanager"),
    "set_identity_notifications": ("ses", "s3"),
    "check_identities": ("ses", "s3", "sesv2"),
    "sync_account_list": ("dynamodb", "s3", "sesv2"),
    "sweep_suppressions": ("dynamodb",),
    "watch_rates": ("dynamodb", "sesv2"),
    "check_counts": ("dynamodb", "cloudwatch"),
    "send_canary": ("dynamodb", "sesv2"),
    "show_widgets": ("sts", "cloudformation", "cloudwatch", "dynamodb", "lambda", "s3", "sqs"),
    "change_suppressions": ("dynamodb", "secretsmanager", "sesv2"),
}
"""The clients that an invocation of each function needs."""

OWN_SESSION = "show_widgets"
"""The function that makes clients of botocore's own session, of many services. A person waits for its cold start, no
event does, so it has no target."""

NOTHING, TYPICAL = "nothing", "a typical function"

ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_LAMBDA_FUNCTION_NAME": "function",
    "LAMBDA_TASK_ROOT": "/var/task",
    "POWERTOOLS_SERVICE_NAME": "service",
    "POWERTOOLS_METRICS_NAMESPACE": "namespace",
}
"""What AWS Lambda sets, as far as the SDK and Powertools look at it."""


FACTORY = "from aftersend.aws.clients import client"
SESSION_FACTORY = (
    "from functools import partial\n"
    f"session, config = lambdas.{OWN_SESSION}.FunctionSession(), lambdas.{OWN_SESSION}.FASTER\n"
    "client = partial(session.client, endpoint_url=None, config=config)"
)
"""What makes a client, as a line of Python."""


def sources() -> dict[str, str]:
    """Return what each process runs."""
    functions = {
        function: "\n".join([f"import lambdas.{function}", FACTORY, *(f"client({each!r})" for each in services)])
        for function, services in CLIENTS.items()
    }
    functions[OWN_SESSION] = functions[OWN_SESSION].replace(FACTORY, SESSION_FACTORY)
    return {NOTHING: "", TYPICAL: "import typical_function"} | functions


@contextmanager
def installation(python: str) -> Generator[Path]:
    """Prepare a folder with the packages, the functions and the typical function, all compiled."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        lock = str(PEERS / "requirements.lock")
        install = ["pip", "install", "--quiet", "--python", python, "--requirements", lock, "--target", name]
        subprocess.run([uv.find_uv_bin(), *install], check=True)
        for package in PACKAGES:
            shutil.copytree(PROJECT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(PEERS / "typical_function.py", folder)
        compile_all = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", name]
        subprocess.run([python, *compile_all], check=True)
        yield folder


def command(python: str, folder: Path, source: str, *options: str) -> list[str]:
    return [python, "-I", "-S", *options, "-c", f"import sys\nsys.path.insert(0, {str(folder)!r})\n{source}"]


def processor_seconds(arguments: list[str]) -> float:
    """Run a process and return the processor time that it took."""
    process = os.posix_spawn(arguments[0], arguments, ENVIRONMENT)
    _, status, usage = os.wait4(process, 0)
    assert status == 0, arguments
    return usage.ru_utime + usage.ru_stime


def measure(python: str, folder: Path, rounds: int) -> dict[str, float]:
    """Return the median seconds of each cold start. All take turns in each round, so that load affects all."""
    commands = {name: command(python, folder, source) for name, source in sources().items()}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, arguments in commands.items():
            seconds[name].append(processor_seconds(arguments))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    nothing = medians.pop(NOTHING)
    return {name: median - nothing for name, median in medians.items()}


def report(seconds: dict[str, float], ratios: dict[str, float]) -> int:
    """Print the figures; return how many functions miss the target."""
    print("| cold start | ms | of a typical function |\n|---|---:|---:|")
    for name, ratio in ratios.items():
        print(f"| {name} | {seconds[name] * 1000:.0f} | {ratio:.2f} |")
    print(f"\nTarget of {', '.join(AWAITED)}: at most {MAX_RATIO:.2f}.")
    return sum(ratios[function] > MAX_RATIO for function in AWAITED)


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare cold starts with a typical function's.")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs the functions (this one)")
    parser.add_argument("--rounds", type=int, default=15, help="rounds in which all take turns (15)")
    parser.add_argument("--figures", action="store_true", help="print the ratios as JSON instead")
    parser.add_argument("--imports", choices=sources(), help="print the import times of one function instead")
    arguments = parser.parse_args()
    assert CLIENTS.keys() == FUNCTIONS.keys(), "CLIENTS lists every function"
    with installation(arguments.python) as folder:
        if arguments.imports:
            source = sources()[arguments.imports]
            subprocess.run(command(arguments.python, folder, source, "-X", "importtime"), env=ENVIRONMENT, check=True)
            return 0
        seconds = measure(arguments.python, folder, arguments.rounds)
        ratios = {name: value / seconds[TYPICAL] for name, value in seconds.items()}
        if arguments.figures:
            print(json.dumps({f"cold start of {function}": ratios[function] for function in CLIENTS}))
            return 0
        version = subprocess.run([arguments.python, "--version"], check=True, capture_output=True, text=True).stdout
        print(f"{version.strip()}, the median of {arguments.rounds} rounds\n")
        return 1 if report(seconds, ratios) else 0


if __name__ == "__main__":
    sys.exit(main())
