"""One synthesis for all tests: the example environment prod, as `cdk synth -c env=prod` makes it."""

import json
import os
from pathlib import Path

import pytest

os.environ["CDK_VALIDATION"] = "false"  # two seconds a synthesis; `cdk synth` and `cdk deploy` have it on

import aws_cdk as cdk
import msgspec
from aws_cdk.assertions import Template

from aftersend.config.environment import Environment
from aftersend.config.loader import load
from stacks.app import add_stacks

PROJECT = Path(__file__).parent.parent.parent


def stacks_of(environment: Environment, folder: Path) -> dict[str, cdk.Stack]:
    """The stacks of an environment, by their last name."""
    context = json.loads((PROJECT / "cdk.json").read_bytes())["context"]
    app = cdk.App(context=context, outdir=str(folder))
    return {stack.stack_name.rpartition("-")[2]: stack for stack in add_stacks(app, environment)}


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, cdk.Stack]:
    return stacks_of(load("prod"), tmp_path_factory.mktemp("prod"))


@pytest.fixture(scope="session")
def templates(stacks: dict[str, cdk.Stack]) -> dict[str, Template]:
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}


@pytest.fixture(scope="session")
def changed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """The environment that sets everything there is (tests/environments/b), as it would be deployed to AWS."""
    found = load("change", PROJECT / "tests" / "environments" / "b")
    on_aws = msgspec.structs.replace(found, functions=msgspec.structs.replace(found.functions, runs_on="aws"))
    stacks = stacks_of(on_aws, tmp_path_factory.mktemp("changed"))
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}
