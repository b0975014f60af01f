"""The CDK app: one environment, named on the command line with `-c env=NAME`. With `-c environments=FOLDER` its file is
looked for there, and not in environments/."""

import sys
from pathlib import Path

import aws_cdk as cdk

from aftersend.config.cost import format_estimate
from aftersend.config.lint import findings
from aftersend.config.loader import FOLDER, InvalidEnvironment, load
from stacks.app import add_stacks

app = cdk.App()
folder = Path(app.node.try_get_context("environments") or FOLDER)
try:
    environment = load(app.node.try_get_context("env"), folder)
except InvalidEnvironment as error:
    sys.exit("\n".join(f"aftersend: {line}" for line in str(error).splitlines()))
found = findings(environment)
if errors := [finding for finding in found if finding.is_error]:
    sys.exit("\n".join(f"aftersend: {folder.name}/{environment.name}.toml: {error}" for error in errors))
publishing = add_stacks(app, environment).publishing
for finding in found:
    cdk.Annotations.of(publishing).add_warning_v2(f"aftersend:{finding.id}:{finding.key}", str(finding))
if not environment.is_emulated:
    print(format_estimate(environment), file=sys.stderr)
app.synth()
