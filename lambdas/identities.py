"""Build what identities' settings are read from and stored in, once per process and on first use."""

from functools import cache

from aftersend.aws.clients import client
from aftersend.aws.deployed_settings import DeployedSettings
from aftersend.aws.identity_settings import IdentitySettings
from aftersend.contract import Variable
from lambdas.settings import setting, text_setting


@cache
def identity_settings() -> IdentitySettings:
    return IdentitySettings(client("ses"), pace_seconds=setting(Variable.PACE_SECONDS, float))


@cache
def deployed_settings() -> DeployedSettings:
    return DeployedSettings(client("s3"), text_setting(Variable.ARCHIVE_BUCKET))
