"""Synthesize one environment with the CDK: `-c env=NAME` names it, and `-c environments=FOLDER` replaces the folder
environments/."""

import sys
from pathlib import Path

import aws_cdk as cdk

from aftersend.config import (
    ENVIRONMENTS_FOLDER,
    InvalidEnvironment,
    display_path,
    findings,
    format_estimate,
    load,
)
from stacks.app import add_stacks
from stacks.bytecode import CompilerMissing

app = cdk.App()
folder = Path(app.node.try_get_context("environments") or ENVIRONMENTS_FOLDER)
try:
    environment = load(app.node.try_get_context("env"), folder)
except InvalidEnvironment as error:
    sys.exit("\n".join(f"aftersend: {line}" for line in str(error).splitlines()))
file = display_path(folder / f"{environment.name}.toml")
reported = findings(environment)
if errors := [finding for finding in reported if finding.is_error]:
    sys.exit("\n".join(f"aftersend: {file}: {error}" for error in errors))
try:
    publishing = add_stacks(app, environment).publishing
except CompilerMissing as error:
    sys.exit(f"aftersend: {error}")
for warning in reported:
    cdk.Annotations.of(publishing).add_warning_v2(f"aftersend:{warning.id}:{warning.key}", f"{file}: {warning}")
if not environment.is_emulated:
    print(format_estimate(environment), file=sys.stderr)
app.synth()
