"""The parts of a paper: what stands in them follows from the runs, and pdflatex takes all of it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "report"))

from report_example import example

from attnlab.analysis.comparing import Settings, compare
from attnlab.analysis.finding import find_runs
from attnlab.analysis.latex import Room, escaped, latex_table
from attnlab.analysis.paper.cards import data_tables
from attnlab.analysis.paper.citations import Citations
from attnlab.analysis.paper.figures import INCH, attention, write_figures
from attnlab.analysis.paper.kit import FILES, room_of, write_paper
from attnlab.analysis.paper.method import method
from attnlab.analysis.paper.results import results, undisputed
from attnlab.analysis.paper.settings import shared
from attnlab.analysis.report.figures import by_length
from attnlab.data.card import DataCard, SplitCard, side_of
from attnlab.errors import ConfigError

NAMES = ["none", "luong_dot", "注意 <i>x</i>"]
REFERENCED = re.compile(r"\\ref\{([^}]*)\}")
LABELLED = re.compile(r"\\label\{([^}]*)\}")


@pytest.fixture(scope="module")
def compared(run_writer, tmp_path_factory):
    """Two configurations, two seeds, with what a training leaves besides."""
    write_run = run_writer(tmp_path_factory.mktemp("sweep"))
    for number, (name, seed) in enumerate((name, seed) for name in ("none", "luong_dot") for seed in (1, 2)):
        config = {"trainer": {"max_epochs": 7, "gradient_clip_val": 1.0}, "data": {"seed": "${seed}", "batch_size": 32},
                  "model": {"dropout": 0.25}, "encoder": {"dropout": "${oc.select:model.dropout,0.0}"},
                  "decoder": {"hidden_dim": 64 + 64 * (name == "none"), "layers": None}}  # fmt: skip
        choices = {"optimizer": "adam", "decoder": "cho" if name == "none" else "luong"}
        folder = write_run(f"{number}_x", name, seed, config=config, choices=choices,
                           metrics={"version/torch": "2.9.1", "train/steps": 70 + number})  # fmt: skip
        card = DataCard("small", "pairs", {"source": 11, "target": 13}, {
            "train": SplitCard(3, {"source": side_of(np.array([2, 4, 4]), 0)}, {}),
            "test": SplitCard(2, {"source": side_of(np.array([3, 5]), 2)}, {"source": 1}),
        }, ("1 left out",))  # fmt: skip
        (folder / "data_card.json").write_text(json.dumps(card.plain()), "utf-8")
        (folder / "data.json").write_text(json.dumps({"fingerprint": "abc123"}), "utf-8")
    found = find_runs(folder.parent)
    return compare(found, Settings(tests=("seeds", "ar"), resamples=100), "python compare.py runs=x paper=y")


def test_the_method_is_told_from_the_runs(compared):
    cited = Citations()
    text = method(compared, cited).replace(r"\allowbreak{}", "")
    for told in (
        "We compare 2 configurations on the task translation",
        r"luong\_dot~\cite{luong2015effective}",
        r"encoder lstm~\cite{hochreiter1997long}",
        "for at most 7 epochs, in batches of 32, by adam~\\cite{kingma2015adam}",
        "gradients clipped at norm 1, dropout 0.25",
        "A training took 70 to 73 updates.",
        "Every configuration is trained with the seeds 1 and 2.",
        r"BLEU~\cite{papineni2002bleu} (signature nrefs:1|case:mixed",
        r"approximate randomisation~\cite{riezler2005some}",
        r"PyTorch 2.9.1~\cite{paszke2019pytorch}",
        r"\texttt{python compare.py runs=x paper=y}",
    ):
        assert told in text
    keys = {key for found in re.findall(r"\\cite\{([^}]*)\}", text) for key in found.split(",")}
    assert (
        keys == set(re.findall(r"@\w+\{([\w-]+),", cited.bib())) == set(re.findall(r"\\bibitem\{(.*)\}", cited.bbl()))
    )


def test_settings_are_shared_or_differ(compared):
    runs = [run for item in compared.configurations for run in item.runs]
    assert shared(runs) == {
        "trainer.max_epochs": 7, "trainer.gradient_clip_val": 1.0, "data.batch_size": 32, "model.dropout": 0.25,
        "encoder.dropout": 0.25, "optimizer.lr": 0.001,
    }  # fmt: skip


def test_the_card_of_the_data(compared):
    (table,) = data_tables(compared)
    assert [column.title for column in table.columns] == [
        "split", "pairs", "side", "tokens", "median", "longest", "unknown (%)", "in train",
    ]  # fmt: skip
    assert [(line.head, *(cell.text for cell in line.cells)) for line in table.lines] == [
        ("train", "3", "source", "10", "4", "4", "0.00", "–"),
        ("test", "2", "source", "8", "4", "5", "25.00", "1"),
    ]
    assert "source 11; target 13. Fingerprint: abc123. 1 left out." in table.hint


def test_an_edited_card_is_none(write_run):
    folders = [write_run(f"{number}", name) for number, name in enumerate(("none", "luong_dot"))]
    for folder in folders:
        (folder / "data_card.json").write_text('{"splits": {"test": 3}}', "utf-8")
    found = compare(find_runs(folders), Settings(tests=("seeds",), resamples=100), "")
    assert data_tables(found) == []
    assert "trained on the data grammar" in method(found, Citations())


@pytest.mark.parametrize(("seeds", "level", "bold"), [(3, 0.05, NAMES[2]), (3, 0.01, None), (1, 0.05, None)])
def test_only_what_is_shown_is_bold(tmp_path, seeds, level, bold):
    """The p of every pair of the example is 0.04 over seeds; of one seed each nothing is shown of configurations."""
    found = example(tmp_path, NAMES, seeds, level=level)
    assert undisputed(found) == bold
    table, other = results(found)
    strong = [(line.head, place) for line in table.lines for place, cell in enumerate(line.cells) if cell.best]
    assert strong == ([(bold, 0)] if bold else [])
    assert table.columns[1].title == "BLEU"
    assert table.columns[-1].title == "p"
    assert not any(cell.best for line in other.lines for cell in line.cells)


def test_columns_are_those_asked_for(compared):
    from dataclasses import replace

    table = results(replace(compared, columns=("params", "chrf")))[0]
    assert [column.title for column in table.columns] == ["configuration", "parameters", "chrF", "p"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b 5% {x}", r"a\_b 5\% \{x\}"),
        ("漢字 ä", r"\texttt{U+6F22 U+5B57} ä"),
        ("u\u0308", "ü"),
        ("--", "-{}-"),
        ("\x1b[2J", r"\textbackslash{}x1b{[}2J"),
    ],
)
def test_text_is_shown_as_it_is(text, shown):
    assert escaped(text) == shown


def test_a_wide_table_goes_over_both_columns(compared):
    table = results(compared)[0]
    assert latex_table(table, Room(40.0, 80.0)).startswith(r"\begin{table}")
    assert latex_table(table, Room(8.4, 40.0)).startswith(r"\begin{table*}")
    assert r"\resizebox{\textwidth}" in latex_table(table, Room(5.0, 8.0))


def test_widths_of_columns():
    assert room_of("84mm") == Room(8.4, 17.4)
    assert room_of("16cm") == Room(16.0, 16.0)
    for width in ("1cm", "30cm", "wide"):
        with pytest.raises(ConfigError, match="width="):
            room_of(width)


def test_figures_are_as_wide_as_the_column_with_their_letters(tmp_path, monkeypatch):
    monkeypatch.setattr("attnlab.analysis.paper.figures.draw", by_length)
    found = example(tmp_path / "runs", NAMES)
    figures = {figure.name: figure for figure in write_figures(found, tmp_path / "figures", room_of("8cm"))}
    assert set(figures) == {"bleu-by-length", "attention"}
    for figure in figures.values():
        svg, pdf = figure.files
        width = 16.6 if figure.broad else 8.0
        box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ", pdf.read_bytes())
        assert box is not None
        assert float(box[1]) == pytest.approx(72 * width / INCH, abs=0.1)
        assert b"/Type3" not in pdf.read_bytes()
        assert b"/FontFile2" in pdf.read_bytes() or figure.name == "attention"
        assert "<text" not in svg.read_text("utf-8")  # outlines: no font is asked for


def test_a_map_that_is_alone_has_one_column(tmp_path):
    (figure,) = attention(example(tmp_path / "runs", NAMES[:2]), tmp_path / "figures", room_of("8cm"))
    assert not figure.broad
    assert figure.latex.startswith(r"\begin{figure}")


def compiled(folder, name):
    """What pdflatex logs of a text that it takes."""
    command = shutil.which("pdflatex")
    if command is None:
        pytest.skip("pdflatex is not installed")
    asked = [command, "-interaction=nonstopmode", "-halt-on-error", name]
    done = subprocess.run(asked, cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-3000:]
    return (folder / f"{name}.log").read_text("utf-8", "replace")


@pytest.mark.long
@pytest.mark.parametrize(("names", "width"), [(NAMES, "8.4cm"), (["none", *(f"m_{n}" for n in range(9))], "16cm")])
def test_pdflatex_takes_it(tmp_path, names, width):
    """Awkward texts, Arabic, Japanese; few configurations, and more than lie over each other."""
    folder = tmp_path / "paper"
    written = write_paper(example(tmp_path / "runs", names), folder, width)
    assert {path.name for path in written} >= {*FILES, "attention.pdf", "attention.svg"}
    compiled(folder, "paper")
    log = compiled(folder, "paper")
    assert "undefined" not in log
    assert not re.search(r"Overfull \\hbox \((\d\d\d|[3-9]\d)", log)  # a line that stands out by 30 points
    texts = "".join((folder / name).read_text("utf-8") for name in FILES)
    assert set(REFERENCED.findall(texts)) <= set(LABELLED.findall(texts))


@pytest.mark.long
def test_every_letter_that_is_let_through_is_there(tmp_path):
    from attnlab.analysis.latex import READY, SPECIAL

    letters = "\n".join(f"x{escaped(letter)}x" for letter in sorted({*READY, *SPECIAL}))
    head = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\usepackage{textcomp}"
    (tmp_path / "letters.tex").write_text(f"{head}\\begin{{document}}\n{letters}\n\\end{{document}}", "utf-8")
    assert "Missing character" not in compiled(tmp_path, "letters")
