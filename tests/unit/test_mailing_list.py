"""Read the addresses of a mailing list, line by line."""

import pytest

from aftersend.operations.mailing_list import ADDRESS_COLUMNS, rows


def addresses(*lines: str) -> list[str]:
    return [row.address for row in rows(lines)]


def test_list_without_header_has_an_address_per_line():
    assert addresses("a@mail.example\r\n", "\n", " b@mail.example \n") == ["a@mail.example", "b@mail.example"]


@pytest.mark.parametrize("name", ADDRESS_COLUMNS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_column_is_recognized_by_its_name(name: str, delimiter: str):
    header, row = delimiter.join(["\ufeffname", name.upper()]), delimiter.join(["Ada", "a@mail.example"])
    assert addresses(header, row) == ["a@mail.example"]


def test_first_column_is_read_where_no_header_names_another():
    assert addresses("a@mail.example,Ada", "b@mail.example,Ben") == ["a@mail.example", "b@mail.example"]


def test_byte_order_mark_is_no_part_of_an_address():
    assert addresses("\ufeffa@mail.example") == ["a@mail.example"]


def test_quoted_cells_are_read():
    assert addresses("email,name", '"a@mail.example","Lovelace, Ada"') == ["a@mail.example"]


def test_quotation_mark_that_is_never_closed_costs_one_line():
    lines = ['"a@mail.example', "b@mail.example", "c\0@mail.example"]
    assert [row.line for row in rows(lines)] == [1, 2, 3]
    assert addresses(*lines)[1] == "b@mail.example"


def test_line_that_is_too_short_or_too_long_has_no_address_and_hides_no_other():
    assert addresses("name,email", "Ada", "x" * 200_000 + ",y", "Ben,b@mail.example") == ["", "", "b@mail.example"]


def test_lines_are_numbered_as_in_the_file():
    assert [row.line for row in rows(["email", "", "a@mail.example"])] == [3]
