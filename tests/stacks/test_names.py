"""Hold that names which people choose never collide, and that identities get what SES accepts of their kind."""

from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from aftersend.config.environment import ConfigurationSet, Dimension, Environment, EventDestination, Identity
from aftersend.events import Kind
from stacks.names import construct_id
from tests.stacks.conftest import build_stacks

STREAM = "arn:aws:firehose:eu-west-1:111111111111:deliverystream/shop"
TO_STREAM = EventDestination(events=(Kind.SEND,), firehose_stream_arn=STREAM)
METRICS = EventDestination(events=(Kind.SEND,), cloudwatch_dimensions=(Dimension(name="campaign"),))
SETTINGS = Identity(configuration_set="a-b", feedback_forwarding=False)

SETS = {
    "a-b": ConfigurationSet(event_destinations={"x": TO_STREAM, "x-role": TO_STREAM, "Resource": METRICS}),
    "a_b": ConfigurationSet(event_destinations={"Default": TO_STREAM}),
    "ab": ConfigurationSet(resource_tags={"a-b": "1", "ab": "2"}),
}
IDENTITIES = {
    "sales@ab.example": SETTINGS,
    "sa-les@ab.example": SETTINGS,
    "a-b.example": SETTINGS,
    "ab.example": SETTINGS,
    "ab.example-previous": SETTINGS,
    "bounces@ab.example": Identity(configuration_set="ab", mail_from_domain="bounce.ab.example"),
}


def templates(folder: Path, **settings: Any) -> dict[str, Template]:
    values: dict[str, Any] = {"account": "111111111111", "region": "eu-west-1", "configuration_sets": SETS, **settings}
    stacks = build_stacks(Environment(name="shop", **values), folder)
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}


@pytest.fixture(scope="module")
def publishing(output: Path) -> Template:
    return templates(output, identities=IDENTITIES)["Publishing"]


@pytest.fixture(scope="module")
def identities(publishing: Template) -> dict[str, dict[str, Any]]:
    """Return the properties of the identities by their names."""
    resources = publishing.find_resources("AWS::SES::EmailIdentity").values()
    return {each["Properties"]["EmailIdentity"]: each["Properties"] for each in resources}


@pytest.mark.parametrize(("one", "other"), [("a-b.example", "ab.example"), ("a_b", "ab"), ("x", "X")])
def test_ids_of_names_that_differ_only_in_punctuation_or_case_differ(one: str, other: str):
    ids = ["".join(filter(str.isalnum, construct_id("Identity", name))).lower() for name in (one, other)]
    assert ids[0] != ids[1]


def test_names_that_differ_only_in_punctuation_do_not_collide(
    publishing: Template, identities: dict[str, dict[str, Any]]
):
    assert identities.keys() == IDENTITIES.keys()
    # Domains have DKIM records; an address has those of its MAIL FROM domain, if any.
    assert len([name for name in publishing.find_outputs("*") if name.startswith("DnsRecords")]) == 4
    publishing.resource_count_is("AWS::SES::ConfigurationSet", len(SETS))
    destinations = sum(3 + len(each.event_destinations) for each in SETS.values())
    publishing.resource_count_is("AWS::SES::ConfigurationSetEventDestination", destinations)


def test_address_gets_no_dkim_settings(identities: dict[str, dict[str, Any]]):
    """They belong to its domain: SES refuses them for an address."""
    for name, properties in identities.items():
        assert ("DkimAttributes" in properties) == ("@" not in name)
        assert ("DkimSigningAttributes" in properties) == ("@" not in name)


def test_identity_without_a_mail_from_domain_gets_no_mail_from_settings(identities: dict[str, dict[str, Any]]):
    assert {name for name, properties in identities.items() if "MailFromAttributes" in properties} == {
        "bounces@ab.example"
    }


def test_address_is_created_after_the_domains(publishing: Template):
    resources = publishing.to_json()["Resources"]
    ids = {each["Properties"].get("EmailIdentity"): name for name, each in resources.items() if "Properties" in each}
    waits_for, pending = set(), [ids["sales@ab.example"]]
    while pending:
        resource = resources[pending.pop()]
        new = {*resource.get("DependsOn", ())} - waits_for
        waits_for |= new
        pending += new
    assert {ids["ab.example"], ids["a-b.example"]} <= waits_for


@pytest.mark.parametrize("emptied", ["archive", "feedback", "both"])
@pytest.mark.slow
def test_exports_stay_where_publishing_no_longer_imports_them(emptied: str, tmp_path: Path):
    """CloudFormation deploys the stack that exports first, and refuses to remove an export that is still in use."""
    settings: dict[str, Any] = {name: () for name in ("archive", "feedback") if emptied in (name, "both")}
    used = templates(tmp_path / "used", configuration_sets={"news": ConfigurationSet()})
    unused = templates(tmp_path / "unused", configuration_sets={"news": ConfigurationSet(**settings)})
    imported = set(imports(used["Publishing"].to_json()))
    assert imported - set(imports(unused["Publishing"].to_json())), "it shows nothing otherwise"
    for stack in ("State", "Pipeline"):
        assert exports(unused[stack]) >= imported & exports(used[stack])
    assert imported <= exports(unused["State"]) | exports(unused["Pipeline"])


def exports(template: Template) -> set[str]:
    return {output["Export"]["Name"] for output in template.find_outputs("*").values() if "Export" in output}


def imports(value: Any) -> list[str]:
    """Return the names of the exports that a template imports."""
    if isinstance(value, list):
        return [name for each in value for name in imports(each)]
    if not isinstance(value, dict):
        return []
    if "Fn::ImportValue" in value:
        return [value["Fn::ImportValue"]]
    return imports([*value.values()])


@pytest.mark.parametrize(
    ("region", "address"),
    [
        ("eu-west-1", "https://eu-west-1.console.aws.amazon.com/cloudwatch"),
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/cloudwatch"),
        ("us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch"),
    ],
)
@pytest.mark.slow
def test_link_to_the_dashboard_fits_the_partition(region: str, address: str, tmp_path: Path):
    [url] = templates(tmp_path, region=region)["Dashboard"].find_outputs("DashboardUrl").values()
    assert url["Value"]["Fn::Join"][1][0].startswith(address)
