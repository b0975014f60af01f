"""Synthesize the example environment prod once for all tests, as `cdk synth -c env=prod` does."""

import json
import os
from functools import cache
from pathlib import Path

import pytest

os.environ["CDK_VALIDATION"] = "false"  # it takes two seconds a synthesis; `cdk synth` and `cdk deploy` have it on

import aws_cdk as cdk
import msgspec
from aws_cdk.assertions import Template

from aftersend.config.environment import Environment
from aftersend.config.loader import load
from stacks import function
from stacks.app import add_stacks

function.bundle = cache(function.bundle)  # ty: ignore[invalid-assignment]  (else each synthesis reads all imports)

PROJECT = Path(__file__).parent.parent.parent

CONTEXT = {**json.loads((PROJECT / "cdk.json").read_bytes())["context"], "aws:cdk:disable-asset-staging": True}
"""As in a synthesis, but bundles are not copied into its output: nothing is deployed from it."""


def build_stacks(environment: Environment, folder: Path) -> dict[str, cdk.Stack]:
    """Return the stacks of an environment by the last part of their name."""
    app = cdk.App(context=CONTEXT, outdir=str(folder))
    return {stack.stack_name.rpartition("-")[2]: stack for stack in add_stacks(app, environment)}


@pytest.fixture(scope="session")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one folder for all syntheses: the CDK hashes a bundle once for each folder that it writes to."""
    return tmp_path_factory.mktemp("cdk.out")


@pytest.fixture(scope="session")
def stacks(output: Path) -> dict[str, cdk.Stack]:
    return build_stacks(load("prod"), output)


@pytest.fixture(scope="session")
def templates(stacks: dict[str, cdk.Stack]) -> dict[str, Template]:
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}


@pytest.fixture(scope="session")
def local_templates(output: Path) -> dict[str, Template]:
    """Return the templates of the environment that runs on the emulator."""
    stacks = build_stacks(load("local"), output)
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}


@pytest.fixture(scope="session")
def bare_templates(output: Path) -> dict[str, Template]:
    """Return the templates of prod without configuration sets, and without what needs them."""
    environment = msgspec.structs.replace(load("prod"), configuration_sets={}, identities={}, canary=None)
    stacks = build_stacks(environment, output)
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}


@pytest.fixture(scope="session")
def full_templates(output: Path) -> dict[str, Template]:
    """Return the templates of the environment that sets everything (tests/environments/b), deployed to AWS."""
    environment = load("change", PROJECT / "tests" / "environments" / "b")
    functions = msgspec.structs.replace(environment.functions, runs_on="aws")
    on_aws = msgspec.structs.replace(environment, functions=functions)
    stacks = build_stacks(on_aws, output)
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}
