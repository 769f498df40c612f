"""The bibliography: it names what there is, and what the docstrings of mechanisms name as their papers."""

import re
from pathlib import Path
from typing import get_args
from unicodedata import normalize

import pytest

from attnlab.analysis.pages import template_file
from attnlab.analysis.paper.citations import ENTRY, PACKAGE, Citations, by_setting, entries, people, shown
from attnlab.metrics.quantity import Test
from attnlab.metrics.registry import known

ROOT = Path(__file__).resolve().parents[3]
CONF, SOURCE = ROOT / "conf", ROOT / "src" / "attnlab"
PAPER = re.compile(r"^Paper: (.*?)(?=^Cost:|\n\n|\Z)", re.MULTILINE | re.DOTALL)


def test_every_entry_is_read():
    text = template_file(PACKAGE, "references.bib")
    assert len(ENTRY.findall(text)) == text.count("\n@") == len(entries())
    for entry in entries().values():
        assert {"author", "title", "year", "keywords"} <= entry.fields.keys()
        assert entry.fields["year"] in entry.key
        assert shown(entry).endswith(f"{entry.fields['year']}.")


def test_what_calls_for_an_entry_is_there():
    others = {"quantity": set(known()), "test": {*get_args(Test), "seeds", "holm"},
              "package": {"torch", "sacrebleu", "scikit-learn", "torchmetrics"}}  # fmt: skip
    for setting in by_setting():
        group, _, option = setting.partition("=")
        assert option in others[group] if group in others else (CONF / group / f"{option}.yaml").is_file(), setting


def paper_of(path: Path) -> str:
    found = PAPER.search(path.read_text("utf-8"))
    return "" if found is None else " ".join(found[1].split())


MECHANISMS = [
    *((f"attention={path.stem}", path) for path in sorted((SOURCE / "attention" / "scores").glob("[!_]*.py"))),
    *((f"attention/{kind}={path.stem}", path) for kind in ("normalizer", "window")
      for path in sorted((SOURCE / "attention" / f"{kind}s").glob("[!_]*.py"))),
]  # fmt: skip
UNCITED = ("attention/normalizer=softmax", "attention/window=all")  # what everybody has is nobody's


@pytest.mark.parametrize(("setting", "path"), MECHANISMS, ids=[setting for setting, _ in MECHANISMS])
def test_the_papers_of_mechanisms_are_those_of_their_docstrings(setting, path):
    paper = paper_of(path)
    if setting in UNCITED or not paper or paper.startswith("none"):
        assert setting not in by_setting()
        return
    fields = entries()[by_setting()[setting]].fields
    surname = normalize("NFC", fields["author"].partition(",")[0])
    assert re.search(rf"{surname}\b.*?\b{fields['year']}\b", paper), (paper, surname)


def test_names_and_places():
    assert people("Luong, Thang and Pham, Hieu") == "Thang~Luong and Hieu~Pham"
    assert people("A, B and C, D and others") == "B~A, D~C, et~al"
    cited = Citations()
    assert cited.of("attention=luong_dot", "decoder=luong") == r"~\cite{luong2015effective}"  # once
    assert cited.of("attention=mine") == ""
    assert "pages 1412--1421, 2015." in cited.bbl()
