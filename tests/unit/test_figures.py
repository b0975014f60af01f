"""Test how the figures of docs/performance.md are read and compared."""

import importlib.util

import pytest

from benchmarks.figures import PAGE, Figure, main, read_figures

HEAD = "<!-- figures -->\n| figure | value | command | tolerance |\n|---|---:|---|---:|\n"


def test_row_has_name_value_command_and_tolerance():
    rows = "| write units | 1,232 | `python -m benchmarks.cost` | exact |\n| CPU | 13.7 | `python -m x --y` | 20 % |\n"
    assert read_figures(f"{HEAD}{rows}<!-- end of figures -->\n| another | table |") == [
        Figure("write units", 1232, "python -m benchmarks.cost", 0),
        Figure("CPU", 13.7, "python -m x --y", 0.2),
    ]


@pytest.mark.parametrize("row", ["| CPU | none | `python` | exact |", "| CPU | 1 | python | exact |", "| CPU |"])
def test_row_that_cannot_be_read_is_an_error(row: str):
    with pytest.raises(ValueError, match="not a row"):
        read_figures(HEAD + row)


@pytest.mark.parametrize(("measured", "is_off"), [(90, False), (110, False), (89, True), (111, True), (None, True)])
def test_figure_is_off_beyond_its_tolerance(measured: float | None, is_off: bool):
    assert Figure("CPU", 100, "python", 0.1).is_off(measured) is is_off


def test_command_fails_where_a_figure_is_off(tmp_path, monkeypatch, capsys):
    program = tmp_path / "program.py"
    program.write_text('print(\'{"right": 5, "wrong": 4}\')')
    page = tmp_path / "page.md"
    command = f"python {program}"
    page.write_text(f"{HEAD}| right | 5 | `{command}` | exact |\n| wrong | 5 | `{command}` | 10 % |\n")
    monkeypatch.setattr("benchmarks.figures.PAGE", page)
    assert main([]) == 1
    assert "OFF  wrong: 5 in the page, 4\n" in capsys.readouterr().out
    assert main(["another command"]) == 0


def test_every_command_of_the_page_is_a_module_here():
    modules = {figure.command.split()[2] for figure in read_figures(PAGE.read_text())}
    assert [module for module in modules if not importlib.util.find_spec(module)] == []


def test_no_figure_of_the_page_occurs_twice():
    names = [figure.name for figure in read_figures(PAGE.read_text())]
    assert len(set(names)) == len(names)
