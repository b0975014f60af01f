"""What a person is told of a mistake in an environment: the file, the key, the value, and what would be right."""

from pathlib import Path

import msgspec
import pytest

from aftersend.config import loader
from aftersend.config.environment import Environment
from aftersend.config.loader import InvalidEnvironment, load

VALID = """
account = "111111111111"
region = "eu-west-1"
"""


@pytest.mark.parametrize("name", loader.names())
def test_every_environment_of_the_project_can_be_read(name: str):
    assert load(name).name == name


@pytest.mark.parametrize(
    ("name", "said"),
    [(None, "No environment was named."), ("", "No environment was named."), ("prd", 'There is no environment "prd".')],
)
def test_an_environment_there_is_not_lists_those_there_are(name: str | None, said: str):
    with pytest.raises(InvalidEnvironment) as error:
        load(name)
    assert str(error.value) == f"{said} There are: dev, local, prod. Name one with `-c env=NAME`."


def test_a_folder_without_environments_says_so(tmp_path: Path):
    with pytest.raises(InvalidEnvironment, match="There are no files in "):
        load("prod", tmp_path)


def told(folder: Path, text: str, *, name: str = "shop") -> list[str]:
    """What is said of a file with that text."""
    (folder / f"{name}.toml").write_text(text)
    with pytest.raises(InvalidEnvironment) as error:
        load(name, folder)
    return str(error.value).replace(f"{folder.name}/", "").splitlines()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("monthly_mesages = 7", 'monthly_mesages: there is no such key. Did you mean "monthly_messages"?'),
        ("retain_state = 'no'", 'retain_state = "no": this must be true or false.'),
        ("counter_shards = 0", "counter_shards = 0: this must be a whole number from 1 on."),
        (
            "archive_interval_seconds = 901",
            "archive_interval_seconds = 901: this must be a whole number from 0 to 900.",
        ),
        (
            'counted_tags = "campaign"',
            'counted_tags = "campaign": this must be a list; of each: the name of a message tag',
        ),
        (
            'counted_tags = ["campaign", "straße"]',
            'counted_tags[1] = "straße": this must be the name of a message tag: ASCII',
        ),
        ("log_days = 31", "log_days = 31: this must be one of 1, 3, 5, 7, 14, 30"),
        ('on_identity_drift = "restor"', '"restor": this must be one of "alarm", "restore". Did you mean "restore"?'),
        ('alarm_addresses = ["operations"]', 'alarm_addresses[0] = "operations": this must be an e-mail address.'),
        ("functions = 7", "functions = 7: this must be a table."),
        (
            "functions.archive_max_concurrency = 1",
            "functions.archive_max_concurrency = 1: this must be a whole number from 2 to",
        ),
        ("retention.volume_days = 0", "retention.volume_days = 0: this must be a whole number of days, from 1 on."),
        (
            'suppression.simulator = "reel"',
            'suppression.simulator = "reel": this must be one of "separate", "real". Did you mean',
        ),
        ("[configuration_sets.'a b']", 'configuration_sets."a b": the name must be 1 to 64 ASCII letters'),
        (
            '[configuration_sets.news]\nfeedback = ["Bounced"]',
            'configuration_sets.news.feedback[0] = "Bounced": this must be one of "Send", "Reject", "Rendering '
            'Failure"',
        ),
        ('[configuration_sets.news]\nfeedback = ["Bounced"]', 'Did you mean "Bounce"?'),
        (
            "[configuration_sets.news]\nmax_delivery_seconds = 60",
            "max_delivery_seconds = 60: this must be a whole number from 300",
        ),
        (
            "[configuration_sets.news]\narchive = 7",
            "configuration_sets.news.archive = 7: this must be a list; of each: one of",
        ),
        (
            "[configuration_sets.news.event_destinations.metrics]\nevents = []",
            "configuration_sets.news.event_destinations.metrics.events = []: this must be a list with at least one.",
        ),
        (
            "[configuration_sets.news.event_destinations.metrics]\nevent_bridge = true",
            "configuration_sets.news.event_destinations.metrics.events is missing. It must be a list; of each: one of",
        ),
        (
            '[configuration_sets.news.event_destinations.metrics]\nevents = ["Send"]\n'
            'cloudwatch_dimensions = [{ name = "größe" }]',
            'metrics.cloudwatch_dimensions[0].name = "größe": this must be ASCII letters, digits, _, - and :; of '
            "others SES drops",
        ),
        (
            '[configuration_sets.news.event_destinations.metrics]\nevents = ["Send"]\n'
            'cloudwatch_dimensions = [{ name = "shop", default = "a.b" }]',
            '.default = "a.b": this must be 1 to 256 ASCII letters, digits, _ and - (SES also knows',
        ),
        (
            '[configuration_sets.news.event_destinations.shop]\nevents = ["Send"]\nsns_topic_arn = "shop"',
            'sns_topic_arn = "shop": this must be the ARN of an Amazon SNS topic.',
        ),
        ('[identities."bookshop"]', "identities.bookshop: the name must be a domain or an e-mail address."),
        (
            '[identities."a.example"]\nnotifications = ["Open"]',
            'notifications[0] = "Open": this must be one of "Bounce", "Co',
        ),
        (
            "[contact_lists.readers.topics.new]\ndisplay_name = 'New'",
            "topics.new.default_subscription is missing. It must be one",
        ),
    ],
)
def test_a_mistake_is_told_by_file_key_value_and_what_would_be_right(line: str, said: str, tmp_path: Path):
    configuration_sets = "" if "[configuration_sets" in line else "\n[configuration_sets.news]"
    text = VALID + line + configuration_sets
    if line.startswith("["):
        text = VALID + configuration_sets + "\n" + line
    [problem] = told(tmp_path, text)
    assert problem.startswith("shop.toml: ")
    assert said in problem


def test_a_name_no_stack_can_have_is_told(tmp_path: Path):
    assert told(tmp_path, VALID, name="my_shop") == [
        "my_shop.toml: my_shop must be of letters, digits and -: stacks are named after the file."
    ]


def test_what_is_missing_is_told(tmp_path: Path):
    assert told(tmp_path, "") == [
        "shop.toml: account is missing. It must be twelve digits, in quotes.",
        'shop.toml: region is missing. It must be an AWS Region, as in "eu-west-1".',
        "shop.toml: configuration_sets is missing. It must be a table.",
    ]


def test_all_mistakes_are_told_at_once(tmp_path: Path):
    text = (
        'account = 111111111111\nregion = "Ireland"\ncolour = "blue"\n[configuration_sets.news]\ntls_policy = "require"'
    )
    assert told(tmp_path, text) == [
        "shop.toml: colour: there is no such key. There are: "
        + ", ".join(sorted(set(Environment.__struct_fields__) - {"name"}))
        + ".",
        "shop.toml: account = 111111111111: this must be twelve digits, in quotes.",
        'shop.toml: region = "Ireland": this must be an AWS Region, as in "eu-west-1".',
        'shop.toml: configuration_sets.news.tls_policy = "require": this must be one of "OPTIONAL", "REQUIRE".',
    ]


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path):
    [said] = told(tmp_path, VALID + "[configuration_sets\n")
    assert said.startswith("shop.toml: this is not TOML: ")
    assert "line 4" in said


def test_what_two_environments_of_one_account_and_region_claim_is_told(tmp_path: Path):
    claims = '[configuration_sets.news]\n[identities."a.example"]\n[contact_lists.%s]\n'
    (tmp_path / "prod.toml").write_text(VALID + claims % "readers")
    assert told(tmp_path, VALID + claims % "others") == [
        "shop.toml: configuration_sets.news: prod.toml has this configuration set too, in the same account and "
        "Region. "
        "There is one of it: give it to one environment, or rename it here.",
        'shop.toml: identities."a.example": prod.toml has this identity too, in the same account and Region. '
        "There is one of it: give it to one environment, or rename it here.",
        "shop.toml: contact_lists: prod.toml has one too, and SES keeps one contact list in an account and Region.",
    ]


@pytest.mark.parametrize(
    "theirs", ['account = "222222222222"\nregion = "eu-west-1"', 'account = "111111111111"\nregion = "us-east-1"']
)
def test_environments_of_other_accounts_and_regions_may_have_the_same(theirs: str, tmp_path: Path):
    claims = '\n[configuration_sets.news]\n[identities."a.example"]\n[contact_lists.readers]\n'
    (tmp_path / "prod.toml").write_text(theirs + claims)
    (tmp_path / "broken.toml").write_text("this is not TOML")
    (tmp_path / "shop.toml").write_text(VALID + claims)
    assert load("shop", tmp_path).name == "shop"


def test_values_cannot_be_changed():
    with pytest.raises(AttributeError):
        load("prod").region = "us-east-1"  # ty: ignore[invalid-assignment] (the point)


def test_opens_and_clicks_are_archived_only_where_the_environment_asks():
    """Asking for them turns tracking on for every message of the configuration set."""
    sets = load("prod").configuration_sets
    assert {name for name, found in sets.items() if {"Open", "Click"} & set(found.archive)} == {"newsletter"}


def test_the_values_of_a_file_are_those_of_the_types():
    found = load("prod")
    assert msgspec.convert(msgspec.to_builtins(found), Environment) == found
