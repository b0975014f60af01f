"""One synthesis for all tests: the example environment prod, as `cdk synth -c env=prod` makes it."""

import json
import os
from pathlib import Path

import pytest

os.environ["CDK_VALIDATION"] = "false"  # two seconds a synthesis; `cdk synth` and `cdk deploy` have it on

import aws_cdk as cdk
from aws_cdk.assertions import Template

from aftersend.environment_files import load
from stacks.app import add_stacks

PROJECT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, cdk.Stack]:
    """The stacks of prod, by their last name."""
    context = json.loads((PROJECT / "cdk.json").read_bytes())["context"]
    app = cdk.App(context=context, outdir=str(tmp_path_factory.mktemp("cdk.out")))
    return {stack.stack_name.rpartition("-")[2]: stack for stack in add_stacks(app, load("prod"))}


@pytest.fixture(scope="session")
def templates(stacks: dict[str, cdk.Stack]) -> dict[str, Template]:
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}
