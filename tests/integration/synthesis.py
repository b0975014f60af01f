"""Synthesize an environment in this process, which has loaded the CDK: half the work of starting app.py."""

from pathlib import Path

import aws_cdk as cdk

from aftersend.config.environment import Environment
from stacks.app import add_stacks
from tests.stacks.conftest import CONTEXT


def synthesize(environment: Environment, assembly: Path) -> Path:
    """Write the stacks of an environment to a folder, and return it. What `cdk deploy` alone does is in test_doctor."""
    app = cdk.App(context=CONTEXT, outdir=str(assembly))
    add_stacks(app, environment)
    app.synth()
    return assembly
