"""Synthesize the example environment prod once for all tests, as `cdk synth -c env=prod` does."""

import json
import os
from pathlib import Path

import pytest

os.environ["CDK_VALIDATION"] = "false"  # it takes two seconds a synthesis; `cdk synth` and `cdk deploy` have it on

import aws_cdk as cdk
import msgspec
from aws_cdk.assertions import Template

from aftersend.config.environment import Environment
from aftersend.config.loader import load
from stacks.app import add_stacks

PROJECT = Path(__file__).parent.parent.parent

CONTEXT = {**json.loads((PROJECT / "cdk.json").read_bytes())["context"], "aws:cdk:disable-asset-staging": True}
"""As in a synthesis, but bundles are not copied into its output: nothing is deployed from it."""


def build_stacks(environment: Environment, folder: Path) -> dict[str, cdk.Stack]:
    """Return the stacks of an environment by the last part of their name."""
    app = cdk.App(context=CONTEXT, outdir=str(folder))
    return {stack.stack_name.rpartition("-")[2]: stack for stack in add_stacks(app, environment)}


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, cdk.Stack]:
    return build_stacks(load("prod"), tmp_path_factory.mktemp("prod"))


@pytest.fixture(scope="session")
def templates(stacks: dict[str, cdk.Stack]) -> dict[str, Template]:
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}


@pytest.fixture(scope="session")
def local_templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """Return the templates of the environment that runs on the emulator."""
    stacks = build_stacks(load("local"), tmp_path_factory.mktemp("local"))
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}


@pytest.fixture(scope="session")
def bare_templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """Return the templates of prod without configuration sets, and without what needs them."""
    environment = msgspec.structs.replace(load("prod"), configuration_sets={}, identities={}, canary=None)
    stacks = build_stacks(environment, tmp_path_factory.mktemp("bare"))
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}


@pytest.fixture(scope="session")
def full_templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """Return the templates of the environment that sets everything (tests/environments/b), deployed to AWS."""
    environment = load("change", PROJECT / "tests" / "environments" / "b")
    functions = msgspec.structs.replace(environment.functions, runs_on="aws")
    on_aws = msgspec.structs.replace(environment, functions=functions)
    stacks = build_stacks(on_aws, tmp_path_factory.mktemp("full"))
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}
