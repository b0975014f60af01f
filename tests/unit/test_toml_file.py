"""Test what is said about files that are not valid TOML, and how files are named."""

from pathlib import Path

import pytest

from aftersend.config.loader import InvalidEnvironment, load
from tests.unit.test_environment import VALID, load_problems


def test_invalid_toml_is_reported_with_its_line(tmp_path: Path):
    [problem] = load_problems(tmp_path, VALID + "[configuration_sets\n")
    assert problem == ("shop.toml: line 4: the file is not valid TOML: Expected ']' at the end of a table declaration.")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[configuration_sets.news]\n\n[configuration_sets.news]\n",
            "line 3: the section [configuration_sets.news] stands in the file twice. Put all its keys into one.",
        ),
        (
            "log_days = 7\n\n[log_days]\nx = 1",
            "line 3: a key is given twice, or a section has the name of a key. Keep one of the two.",
        ),
        (
            "\n[suppression]\nlog_days = 7\nlog_days = 14\n",
            "line 4: a key is given twice, or a section has the name of a key. Keep one of the two.",
        ),
        ("\nregion = 'eu", 'line 2: the file is not valid TOML: Expected "\'".'),
    ],
)
def test_toml_error_names_the_line_and_what_to_do(text: str, problem: str, tmp_path: Path):
    assert load_problems(tmp_path, text) == [f"shop.toml: {problem}"]


def test_file_in_another_encoding_is_reported_with_its_line(tmp_path: Path):
    (tmp_path / "shop.toml").write_bytes((VALID + "# Grüße\n").encode("latin-1"))
    with pytest.raises(InvalidEnvironment, match=r"shop\.toml: line 4: .*not encoded in UTF-8"):
        load("shop", tmp_path)


def test_byte_order_mark_is_accepted(tmp_path: Path):
    (tmp_path / "shop.toml").write_text(VALID + "[configuration_sets.news]", encoding="utf-8-sig")
    assert load("shop", tmp_path).region == "eu-west-1"


def test_top_level_key_below_a_section_is_explained(tmp_path: Path):
    text = 'account = "111111111111"\n[configuration_sets.news]\n[functions]\nlog_days = 7\nregion = "eu-west-1"\n'
    assert load_problems(tmp_path, text) == [
        'shop.toml: region: this key is missing. Its value must be an AWS Region such as "eu-west-1". It stands below '
        "[functions], which makes it a key of that section: move it above the first [section].",
        "shop.toml: functions.log_days: there is no such key. It belongs to the top level: move it above the first "
        "[section].",
        "shop.toml: functions.region: there is no such key. It belongs to the top level: move it above the first "
        "[section].",
    ]


def test_file_is_named_relative_to_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "shops").mkdir()
    (tmp_path / "shops" / "shop.toml").write_text("x")
    monkeypatch.chdir(tmp_path)
    for folder, named in ((Path("shops"), "shops/shop.toml"), (tmp_path / "shops", "shops/shop.toml")):
        with pytest.raises(InvalidEnvironment, match=f"^{named}: "):
            load("shop", folder)
    monkeypatch.chdir("shops")
    with pytest.raises(InvalidEnvironment, match=r"^shop\.toml: "):
        load("shop", Path())
    with pytest.raises(InvalidEnvironment, match=f'"other" in {tmp_path}/shops\\. '):
        load("other", Path())
