from aftersend.config.cost import format_estimate
from tests.unit.test_cost import ENVIRONMENT, added_cost, changed, dollars


def test_estimate_uses_the_prices_of_the_region():
    ireland = changed(region="eu-west-1")
    assert dollars(ireland)["DynamoDB"] > dollars(ENVIRONMENT)["DynamoDB"]
    assert added_cost(ireland).keys() == {"DynamoDB", "Firehose", "CloudWatch logs"}
    assert added_cost(changed(region="eu-central-1")).keys() == added_cost(ireland).keys() | {"S3 archive"}
    assert "(prices: eu-west-1, 2026)" in format_estimate(ireland)


def test_estimate_names_the_region_whose_prices_it_uses_instead():
    sydney = changed(region="ap-southeast-2")
    assert added_cost(sydney) == {}
    assert "(prices: us-east-1, 2026; those of ap-southeast-2 are not known)" in format_estimate(sydney)
