from urllib.parse import quote

import pytest

from tests.evaluators.leaks import leaks

ADDRESS = "Reader+News@mail.example"


@pytest.mark.parametrize(
    "line",
    [
        f"could not send to {ADDRESS}.",
        f'{{"recipient": "{ADDRESS.lower()}"}}',
        f"GET /v2/email/suppression/addresses/{quote(ADDRESS, safe='')}",
        f"Action=PutSuppressedDestination&EmailAddress={ADDRESS.replace('@', '%40')}",
        f'{{"recipient": "{ADDRESS.replace("@", chr(92) + "u0040")}"}}',
        f"<{ADDRESS.upper()}>",
    ],
)
def test_address_is_found_in_every_form(line: str):
    [leak] = leaks({"log": f"harmless\n{line}\n", "other": "harmless"}, [ADDRESS])
    assert leak.startswith("log, line 2: ")


def test_masked_addresses_and_domains_are_no_leaks():
    assert leaks({"log": "r***@mail.example, mail.example"}, [ADDRESS]) == []
