"""Names, paths and values that are not ours, in every text that is written: they are shown, never obeyed."""

import csv
import io
import re

import pytest
from rich.table import Table

from attnlab.analysis.documents import _code, _plain
from attnlab.analysis.exports import cell, write_csv
from attnlab.analysis.latex import escaped
from attnlab.analysis.reading import read_choices
from attnlab.console import console, visible

HOSTILE = "a[/x] [bold]b [l](javascript:x) <script>alert(1)</script> `c` |d| *e* _f_ :smile: {g} $h$ \\i & %j"


def test_a_console_prints_text_as_it_is(capsys):
    terminal = console()
    terminal.print(f"files: /tmp/{HOSTILE}", soft_wrap=True)
    assert capsys.readouterr().out == f"files: /tmp/{HOSTILE}\n"
    table = Table()
    table.add_column("split")
    table.add_row("a[/x] [bold]")
    terminal.print(table)
    assert "a[/x] [bold]" in capsys.readouterr().out


def test_markdown_has_no_markup_of_others():
    shown = _plain(HOSTILE)
    # CommonMark: a backslash before punctuation makes it a plain character; none that opens markup is bare.
    assert not re.search(r"(?<!\\)[\[\]<>|*_`~]", shown.replace("\\\\", ""))
    assert re.sub(r"\\([\\`|*_~\[\]<>])", r"\1", shown).replace("&amp;", "&") == HOSTILE
    assert "\n" not in _plain("two\nlines\r\nand three")


@pytest.mark.parametrize("text", ["plain", "a`b", "``", "`x`", "a``b`c"])
def test_a_span_of_code_holds_any_backticks(text):
    # CommonMark: a span ends at a run of backticks as long as the one that opened it; a blank on each side is cut.
    fence = re.match("`+", _code(text))[0] if not text.startswith("`") else re.match("`+(?= )", _code(text))[0]
    inner = _code(text)[len(fence) : -len(fence)]
    assert fence not in re.findall("`+", inner)
    assert (inner[1:-1] if inner.startswith(" ") and inner.endswith(" ") else inner) == text


def test_latex_takes_no_command_and_no_option():
    shown = escaped("[2cm] \\input{x} 50% a_b $c$ #d &e ~f ^g\nh")
    assert "\n" not in shown
    assert not shown.startswith("[")  # after \\ it would be a length
    assert shown.count("\\input") == 0
    assert not re.search(r"(?<!\\)[%_#&]", shown)


FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", " =1", "\t=1", "\r=1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text, tmp_path):
    path = write_csv(tmp_path / "x.csv", iter([{"configuration": text, "p": -0.5, "n": 3}]))
    (row,) = csv.DictReader(io.StringIO(path.read_text("utf-8"), newline=""))
    assert row["configuration"].startswith("'")
    assert row["configuration"][1:] == text.replace("\r", " ")
    assert (row["p"], row["n"]) == ("-0.5", "3")


@pytest.mark.parametrize("text", ["-0.5", "+3", "luong_dot", "", "a=b", "-1e-3"])
def test_what_is_none_stays(text, tmp_path):
    path = write_csv(tmp_path / "x.csv", iter([{"configuration": text}]))
    (row,) = csv.DictReader(io.StringIO(path.read_text("utf-8"), newline=""))
    assert row["configuration"] == text


OBEYED = "\x1b[2J\x1b]0;title\x07a\rb\u202eabc\u2066\x9b1m\x00\udc80"


def test_a_terminal_has_nothing_to_obey(capsys):
    shown = visible(f"{OBEYED}\tb\nü中")
    assert shown == "\\x1b[2J\\x1b]0;title\\x07a\\rb\\u202eabc\\u2066\\x9b1m\\x00\\udc80\tb\nü中"
    terminal = console()
    terminal.print(f"Note: {OBEYED}", style="yellow", soft_wrap=True)
    table = Table()
    table.add_column(OBEYED)
    table.add_row(OBEYED)
    terminal.print(table)
    printed = capsys.readouterr().out
    assert not set(printed) & set("\x1b\x07\r\x9b\x00\u202e\u2066\udc80")
    assert "\\x1b[2J" in printed
    assert "\u202e" not in _plain(OBEYED) + _code(OBEYED) + escaped(OBEYED) + cell(OBEYED)
    assert not set("\x1b\x07\x9b\x00") & set(_plain(OBEYED) + _code(OBEYED) + escaped(OBEYED) + cell(OBEYED))


def test_a_name_turns_nothing_round_that_stands_behind_it(tmp_path):
    """A right-to-left override in a name would reverse the verdict on it, in the report, too."""
    (tmp_path / "hydra.yaml").write_text('hydra: {runtime: {choices: {attention: "a\\u202eb"}}}', "utf-8")
    assert read_choices(tmp_path / "hydra.yaml") == {"attention": "a\\u202eb"}
