"""Test how addresses are extracted: under every version of Python alike, for keys of events contain them."""

import pytest

from aftersend.parsing.addresses import bare_address, split_joined_addresses


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("a@b.example", "a@b.example"),
        (" a@b.example ", "a@b.example"),
        ("A <a@b.example>", "a@b.example"),
        ('"B, A." < a@b.example >', "a@b.example"),
        ("a@b.example (A)", "a@b.example"),
        ("(A) a@b.example", "a@b.example"),
        # Python 3.13, and patch releases since 2024, return nothing for these by default
        ("a@b.example (", "a@b.example"),
        ("<a@b.example> (A", "a@b.example"),
        ("a@b.example)c@d.example (", "a@b.example"),
        # no address, so the text stays
        ("(((a@b.example", "(((a@b.example"),
        ("(" * 2_000, "(" * 2_000),
    ],
)
def test_bare_address_is_the_same_under_every_version_of_python(written: str, address: str):
    assert bare_address(written) == address


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("a@b.example", []),
        ("a@b.example, c@d.example", ["a@b.example", "c@d.example"]),
        ('"B, A." <a@b.example>', []),
        ("G: a@b.example, c@d.example;", ["a@b.example", "c@d.example"]),
        # strict parsing counts commas within comments, and returns nothing
        ("a@b.example, c@d.example (D", ["a@b.example", "c@d.example"]),
        ("a@b.example, c@d.example, (e@f.example", ["a@b.example", "c@d.example"]),
    ],
)
def test_joined_addresses_are_the_same_under_every_version_of_python(written: str, addresses: list[str]):
    assert split_joined_addresses(written) == addresses
