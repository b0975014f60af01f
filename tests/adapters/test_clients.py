"""Create clients whose models are found and decoded without botocore's own loader."""

from typing import get_args

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from aftersend.aws.clients import ModelFiles, ModelLoader, Service


@pytest.mark.parametrize("service", get_args(Service))
@pytest.mark.parametrize("model", ["service-2", "endpoint-rule-set-1", "paginators-1"])
def test_models_are_those_that_botocore_loads(service: str, model: str):
    ours, botocores = ModelLoader(file_loader=ModelFiles()), Loader()
    assert ours.load_service_model(service, model) == botocores.load_service_model(service, model)


def test_service_that_no_function_uses_is_refused():
    with pytest.raises(UnknownServiceError, match="dynamodb"):
        ModelLoader(file_loader=ModelFiles()).load_service_model("ec2", "service-2")
