"""Start the local AWS and deploy the stacks to it with the CDK CLI."""

import json
import os
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import boto3

from aftersend.aws.deployment import LocalRun
from local.emulator import (
    ACCOUNT,
    BIN,
    PROJECT,
    REGION,
    ProcessFailed,
    emulator_log,
    free_port,
    process_environment,
    running_emulator,
    stop,
    temporary_folder,
)
from local.endpoint import published_endpoint
from local.pipeline import LocalPipeline
from local.ses import LocalSes
from local.ses.__main__ import running_ses
from local.ses.smtp import SmtpPorts, running_smtp

ARCHIVES, ARCHIVE_SECONDS = PROJECT / ".build" / "archives", 86_400
"""Where archives of bundles are kept, named by their content, and how long."""


@contextmanager
def deployed_pipeline(seed: int = 0, assembly: Path | None = None) -> Generator[LocalPipeline]:
    """Start the local AWS, deploy environments/local.toml and yield the pipeline, after about half a minute.

    With an assembly, a folder with the synthesized stacks, these are not synthesized again.
    """
    with (
        temporary_folder() as folder,
        local_aws(folder, seed) as (ses, run),
    ):
        bootstrap(run.endpoint)
        outputs = deploy(run.endpoint, folder, assembly)
        with published_endpoint(run):
            yield LocalPipeline(ses, run, outputs, emulator_log(folder))


@contextmanager
def local_aws(folder: Path, seed: int = 0) -> Generator[tuple[LocalSes, LocalRun]]:
    """Start the emulator with the local SES in front of it; yield the SES and the endpoints."""
    ses_port, smtp_ports = free_port(), SmtpPorts(free_port(), free_port())
    with running_emulator(folder, ses_port) as emulator_url:
        ses = LocalSes(emulator_url, seed=seed)
        with running_ses(ses, [], [], ses_port, emulator_url), running_smtp(ses, smtp_ports):
            yield ses, LocalRun(os.getpid(), emulator_url, ses.url, smtp_ports.starttls)


def bootstrap(emulator_url: str) -> None:
    """Create what the CDK CLI asks an account for: the version of its bootstrap stack, and its bucket.

    `cdk bootstrap` takes seconds. Without the stack's roles, the CLI uses the credentials that it has.
    """
    session = boto3.Session("test", "test", region_name=REGION)
    parameter = {"Name": "/cdk-bootstrap/hnb659fds/version", "Value": "30", "Type": "String"}
    session.client("ssm", endpoint_url=emulator_url).put_parameter(**parameter)
    bucket = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
    session.client("s3", endpoint_url=emulator_url).create_bucket(Bucket=bucket)


def deploy(emulator_url: str, folder: Path, assembly: Path | None = None) -> dict[str, str]:
    """Deploy all stacks of an assembly, or else of environments/local.toml, and return their outputs."""
    outputs_file, output = folder / "outputs.json", assembly or folder / "cdk.out"
    share_archives(output)
    options = ["--app", str(assembly)] if assembly else ["--context", "env=local", "--output", str(output)]
    # Without change sets, and with the bundles where they were made: half the time.
    options += ["--outputs-file", str(outputs_file), "--method", "direct", "--no-staging"]
    cdk("deploy", "--all", "--require-approval", "never", *options, emulator_url=emulator_url)
    stacks: dict[str, dict[str, str]] = json.loads(outputs_file.read_text())
    return {name: value for outputs in stacks.values() for name, value in outputs.items()}


def share_archives(output: Path) -> None:
    """Have the CDK CLI find the archives that other deployments have made of the same bundles.

    To compress them takes longer than to synthesize. Those that are a day old are removed.
    """
    output.mkdir(exist_ok=True)
    ARCHIVES.mkdir(parents=True, exist_ok=True)
    for archive in ARCHIVES.iterdir():
        if time.time() - archive.stat().st_mtime > ARCHIVE_SECONDS:
            archive.unlink(missing_ok=True)
    with suppress(FileExistsError):
        (output / ".cache").symlink_to(ARCHIVES)


def cdk(*arguments: str, emulator_url: str) -> str:
    """Run the CDK CLI against the emulator and return its output.

    Raises:
        ProcessFailed: if the exit code is not 0.
    """
    settings = {
        "AWS_ENDPOINT_URL": emulator_url,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_VALIDATION": "false",  # of the templates by the CDK: some seconds each time, and tests/stacks does it
        "CI": "true",
    }
    process = subprocess.Popen(
        [BIN / "cdk", "--no-color", "--no-notices", *arguments],
        cwd=PROJECT,
        env=process_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate()
    finally:
        stop(process)
    if process.returncode:
        raise ProcessFailed(f"`cdk {' '.join(arguments)}` failed", output)
    return output
