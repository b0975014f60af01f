import pytest

from aftersend import environment
from aftersend.environment import InvalidEnvironment, load


@pytest.mark.parametrize("name", environment.names())
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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("account = ", "Invalid"),
        ('account = "1"\nregion = "eu-west-1"\nconfiguration_sets = 7', "configuration_sets"),
        ('account = "1"\nregion = "eu-west-1"\ncolour = "blue"\n[configuration_sets]', "colour"),
    ],
)
def test_a_mistake_in_an_environment_names_the_file(text: str, said: str, tmp_path, monkeypatch):
    (tmp_path / "wrong.toml").write_text(text)
    monkeypatch.setattr(environment, "FOLDER", tmp_path)
    with pytest.raises(InvalidEnvironment, match=rf"^environments/wrong\.toml: .*{said}"):
        load("wrong")


def test_opens_and_clicks_are_archived_only_where_the_environment_asks():
    """Asking for them turns tracking on for every message of the configuration set."""
    sets = load("prod").configuration_sets
    assert {name for name, found in sets.items() if {"Open", "Click"} & set(found.archive)} == {"newsletter"}
