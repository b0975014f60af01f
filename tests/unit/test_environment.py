"""Test loading environment files, and the messages that name file, key, value and fix of a mistake."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from aftersend.config.environment import Environment
from aftersend.config.loader import InvalidEnvironment, _base_type, _describe, environment_names, load

VALID = """
account = "111111111111"
region = "eu-west-1"
"""


NOT_NAMED = (
    "No environment is named. Add `ENV=NAME` to a command of make, or `-c env=NAME` to one of cdk. Valid names: dev, "
    "local, prod."
)


@pytest.mark.parametrize("name", environment_names())
def test_environment_of_the_repository_is_valid(name: str):
    assert load(name).name == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            None,
            NOT_NAMED,
        ),
        (
            "",
            NOT_NAMED,
        ),
        ("prd", 'There is no environment "prd" in environments. Did you mean "prod"?'),
        ("other", 'There is no environment "other" in environments. Valid names: dev, local, prod.'),
    ],
)
def test_unknown_environment_suggests_names(name: str | None, message: str):
    with pytest.raises(InvalidEnvironment) as error:
        load(name)
    assert str(error.value) == message


def test_folder_without_environments_is_reported(tmp_path: Path):
    with pytest.raises(InvalidEnvironment, match=r"contains no environment files \(\*\.toml\)\."):
        load("prod", tmp_path)


def load_problems(folder: Path, text: str, *, name: str = "shop") -> list[str]:
    """Return the problems of a file with that text."""
    (folder / f"{name}.toml").write_text(text)
    with pytest.raises(InvalidEnvironment) as error:
        load(name, folder)
    return str(error.value).replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("monthly_mesages = 7", 'monthly_mesages: there is no such key. Did you mean "monthly_messages"?'),
        ("retain_state = 'no'", 'retain_state: "no" is not true or false.'),
        ("counting_window_seconds = 301", "counting_window_seconds: 301 is not a whole number from 0 to 300."),
        ("archive_days = 0", "archive_days: 0 is not a whole number of at least 1."),
        (
            "archive_interval_seconds = 901",
            "archive_interval_seconds: 901 is not a whole number from 0 to 900.",
        ),
        (
            'counted_tags = "campaign"',
            'counted_tags: "campaign" is not a list in which each item is a message tag name: 1 to 256',
        ),
        (
            f"counted_tags = {[f'tag-{number}' for number in range(12)]}",
            '"tag-9", "tag-10", "tag-11"] is not a list with at most 11 items.',
        ),
        (
            'counted_tags = ["campaign", "straße"]',
            'counted_tags[1]: "straße" is not a message tag name: 1 to 256 ASCII letters',
        ),
        ("log_days = 31", "log_days: 31 is not one of 1, 3, 5, 7, 14, 30"),
        ('on_identity_drift = "restor"', '"restor" is not one of "alarm", "restore". Did you mean "restore"?'),
        ('on_identity_drift = "RESTORE"', '"RESTORE" is not one of "alarm", "restore". Did you mean "restore"?'),
        ('alarm_addresses = ["operations"]', 'alarm_addresses[0]: "operations" is not an e-mail address.'),
        ("functions = 7", "functions: 7 is not a table."),
        (
            "functions.archive_max_concurrency = 1",
            "functions.archive_max_concurrency: 1 is not a whole number from 2 to 1000.",
        ),
        ("retention.volume_days = 0", "retention.volume_days: 0 is not a whole number of days, from 1 on."),
        (
            'suppression.simulator = "reel"',
            'suppression.simulator: "reel" is not one of "separate", "real". Did you mean "real"?',
        ),
        ("[configuration_sets.'a b']", 'configuration_sets."a b": "a b" is not an SES name: 1 to 64 ASCII letters'),
        (
            '[configuration_sets.news]\nfeedback = ["Bounced"]',
            'configuration_sets.news.feedback[0]: "Bounced" is not an SES event type. Did you mean "Bounce"?',
        ),
        (
            '[configuration_sets.news]\nfeedback = ["xyz"]',
            '"xyz" is not an SES event type. Valid names: Bounce, Click, Complaint, Delivery, DeliveryDelay, Open,',
        ),
        (
            "[configuration_sets.news]\nmax_delivery_seconds = 60",
            "max_delivery_seconds: 60 is not a whole number from 300 to 50400.",
        ),
        (
            "[configuration_sets.news]\narchive = 7",
            "configuration_sets.news.archive: 7 is not a list in which each item is an SES event type.",
        ),
        (
            "[configuration_sets.news.event_destinations.metrics]\nevents = []",
            "configuration_sets.news.event_destinations.metrics.events: [] is not a list with at least one item.",
        ),
        (
            "[configuration_sets.news.event_destinations.metrics]\nevent_bridge = true",
            "event_destinations.metrics.events: this key is missing. Its value must be a list in which each item is an",
        ),
        (
            '[configuration_sets.news.event_destinations.metrics]\nevents = ["Send"]\n'
            'cloudwatch_dimensions = [{ name = "größe" }]',
            'cloudwatch_dimensions[0].name: "größe" is not a dimension name: 1 to 256 ASCII letters, digits, _, - or : '
            "(SES silently drops any other).",
        ),
        (
            '[configuration_sets.news.event_destinations.metrics]\nevents = ["Send"]\n'
            'cloudwatch_dimensions = [{ name = "shop", default = "a.b" }]',
            '.default: "a.b" is not a dimension value: 1 to 256 ASCII letters, digits, _ or - (CloudFormation',
        ),
        (
            '[configuration_sets.news.event_destinations.shop]\nevents = ["Send"]\nsns_topic_arn = "shop"',
            'sns_topic_arn: "shop" is not the ARN of an Amazon SNS topic.',
        ),
        ('[identities."bookshop"]', 'identities.bookshop: "bookshop" is not a domain or an e-mail address.'),
        (
            '[identities."a.example"]\nnotifications = ["Open"]',
            'notifications[0]: "Open" is not one of "Bounce", "Complaint", "Delivery".',
        ),
        (
            "[contact_lists.readers.topics.new]\ndisplay_name = 'New'",
            "topics.new.default_subscription: this key is missing. Its value must be one of",
        ),
    ],
)
def test_mistake_is_reported_with_file_key_value_and_fix(line: str, message: str, tmp_path: Path):
    configuration_sets = "" if "[configuration_sets" in line else "\n[configuration_sets.news]"
    text = VALID + line + configuration_sets
    if line.startswith("["):
        text = VALID + configuration_sets + "\n" + line
    [problem] = load_problems(tmp_path, text)
    assert problem.startswith("shop.toml: ")
    assert message in problem


def test_file_name_that_no_stack_can_have_is_reported(tmp_path: Path):
    assert load_problems(tmp_path, VALID, name="my_shop") == [
        'my_shop.toml: "my_shop" is not an environment name. Stacks are named after the file: rename it, with at most '
        "100 ASCII letters, digits and hyphens."
    ]


def test_missing_keys_are_reported(tmp_path: Path):
    assert load_problems(tmp_path, "") == [
        "shop.toml: account: this key is missing. Its value must be a 12-digit AWS account ID in quotes.",
        'shop.toml: region: this key is missing. Its value must be an AWS Region such as "eu-west-1".',
        "shop.toml: configuration_sets: this key is missing. Its value must be a table.",
    ]


def test_all_mistakes_are_reported_at_once(tmp_path: Path):
    text = (
        'account = 111111111111\nregion = "Ireland"\ncolour = "blue"\n[configuration_sets.news]\ntls_policy = "require"'
    )
    assert load_problems(tmp_path, text) == [
        "shop.toml: colour: there is no such key. Valid names: "
        + ", ".join(sorted(set(Environment.__struct_fields__) - {"name"}))
        + ".",
        "shop.toml: account: 111111111111 is not a 12-digit AWS account ID in quotes.",
        'shop.toml: region: "Ireland" is not an AWS Region such as "eu-west-1".',
        'shop.toml: configuration_sets.news.tls_policy: "require" is not one of "OPTIONAL", "REQUIRE". Did you mean '
        '"REQUIRE"?',
    ]


def numbers(struct: type[msgspec.Struct]) -> Iterator[tuple[str, Any]]:
    """Yield every key of a section and the sections in it whose value is a number."""
    for name, annotation in get_type_hints(struct, include_extras=True).items():
        base, _ = _base_type(annotation)
        for part in (base, *get_args(base)):
            if isinstance(part, type) and issubclass(part, msgspec.Struct):
                yield from numbers(part)
        if base is int:
            yield name, annotation


@pytest.mark.parametrize(("name", "annotation"), list(numbers(Environment)))
def test_range_of_a_number_is_part_of_its_description(name: str, annotation: Any):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(-5, annotation)
    assert re.search(r"(from|at least) \d+", _describe(annotation)), name


def test_resources_of_two_environments_in_one_account_and_region_are_reported(tmp_path: Path):
    resources = '[configuration_sets.news]\n[identities."a.example"]\n[contact_lists.%s]\n'
    (tmp_path / "prod.toml").write_text(VALID + resources % "readers")
    assert load_problems(tmp_path, VALID + resources % "others") == [
        "shop.toml: configuration_sets.news: prod.toml defines this configuration set for the same account and Region "
        "too. Remove it from one of the two files, or rename it.",
        'shop.toml: identities."a.example": prod.toml defines this identity for the same account and Region too. '
        "Remove it from one of the two files, or rename it.",
        "shop.toml: contact_lists: prod.toml defines a contact list for the same account and Region too, and SES "
        "allows only one. Remove it from one of the two files.",
    ]


@pytest.mark.parametrize(
    "theirs", ['account = "222222222222"\nregion = "eu-west-1"', 'account = "111111111111"\nregion = "us-east-1"']
)
def test_environments_of_other_accounts_and_regions_may_have_the_same_resources(theirs: str, tmp_path: Path):
    resources = '\n[configuration_sets.news]\n[identities."a.example"]\n[contact_lists.readers]\n'
    (tmp_path / "prod.toml").write_text(theirs + resources)
    (tmp_path / "broken.toml").write_text("this is not TOML")
    (tmp_path / "shop.toml").write_text(VALID + resources)
    assert load("shop", tmp_path).name == "shop"


def test_environment_is_immutable():
    with pytest.raises(AttributeError):
        load("prod").region = "us-east-1"  # ty: ignore[invalid-assignment] (what the test is about)


def test_opens_and_clicks_are_archived_only_where_the_file_lists_them():
    """Publishing them makes SES rewrite every message of the configuration set."""
    sets = load("prod").configuration_sets
    assert {name for name, each in sets.items() if {"Open", "Click"} & set(each.archive)} == {"newsletter"}


def test_loaded_values_have_the_declared_types():
    environment = load("prod")
    assert msgspec.convert(msgspec.to_builtins(environment), Environment) == environment


SYNCHRONIZED = """
account = "111111111111"
region = "{region}"
[configuration_sets]
[identities]
[suppression]
account_list = "{mode}"
"""


def write_synchronized(folder: Path, name: str, mode: str, region: str = "eu-west-1") -> None:
    (folder / f"{name}.toml").write_text(SYNCHRONIZED.format(region=region, mode=mode))


@pytest.mark.parametrize("theirs", ["read", "off"])
def test_one_environment_of_an_account_and_region_may_change_the_account_list(tmp_path: Path, theirs: str):
    write_synchronized(tmp_path, "prod", "sync")
    write_synchronized(tmp_path, "shop", theirs)
    assert load("prod", tmp_path).suppression.account_list == "sync"


def test_two_environments_of_an_account_and_region_may_not_both_change_the_account_list(tmp_path: Path):
    for name in ("prod", "shop"):
        write_synchronized(tmp_path, name, "sync")
    with pytest.raises(InvalidEnvironment, match="two environments would undo each other's changes"):
        load("prod", tmp_path)


def test_environments_of_two_regions_may_both_change_their_account_lists(tmp_path: Path):
    for region in ("eu-west-1", "us-east-1"):
        write_synchronized(tmp_path, region, "sync", region)
    assert load("us-east-1", tmp_path).suppression.account_list == "sync"
