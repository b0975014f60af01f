"""The CDK app: one environment, named on the command line with `-c env=NAME`."""

import sys

import aws_cdk as cdk

from aftersend.environment import InvalidEnvironment, load
from stacks.app import add_stacks

app = cdk.App()
try:
    add_stacks(app, load(app.node.try_get_context("env")))
except InvalidEnvironment as error:
    sys.exit(f"aftersend: {error}")
app.synth()
