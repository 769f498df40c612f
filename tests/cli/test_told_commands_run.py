"""The usual commands, word for word as the pages tell them, run to their end."""

import pytest
from told_commands import ROOT, Told
from told_commands import commands as told_commands

QUICK = (  # appended to what trains: no trial, so that latest is it
    "trainer.max_epochs=1", "logger=none", "dataset.train_size=100", "dataset.val_size=10", "dataset.test_size=10",
    "encoder.hidden_dim=8", "decoder.hidden_dim=16", "model.embedding_dim=8", "model.initialization.kind=uniform",
    "callbacks.attention_maps.sentences=1", "callbacks.run_files.figures=0",
)  # fmt: skip
PAIR = "he can laugh ||| er kann lachen\n"


@pytest.fixture(scope="module")
def types(commands, tmp_path_factory):
    """Types a line of a page, found by how it begins, with further words; returns what is printed."""
    folder = tmp_path_factory.mktemp("told")

    def types(page, line, *further, **options):
        told = find(page, line)
        program, *words = told.words
        name, *words = words if program == "attnlab" else [words[0].removesuffix(".py"), *words[1:]]
        own = {"ATTNLAB_ROOT": str(folder), "ATTNLAB_CACHE": str(commands.root / "cache")}
        return commands(name, *words, *further, environment=own, cwd=folder, **options)

    types.folder = folder
    return types


def find(page: str, line: str) -> Told:
    for told in commands_of(page):
        if " ".join(told.words).startswith(line):
            return told
    raise AssertionError(f"{page} has no command {line!r}")


def commands_of(page: str) -> list[Told]:
    return list(told_commands(ROOT / page, ("python", "attnlab")))


def test_a_first_run_is_asked_scored_looked_into_and_gone_on_with(types):
    types("docs/start.md", "python train.py attention=bahdanau", *QUICK)
    assert types("docs/start.md", "python translate.py run=latest", text="He will laugh tomorrow.\n").count("\n") == 1
    assert "bleu" in types("docs/start.md", "python evaluate.py run=latest search=beam").lower()
    assert "view.html" in types("docs/start.md", "attnlab view runs=latest")
    (types.folder / "pairs.txt").write_text(PAIR, "utf-8")
    types("docs/alignment.md", "attnlab align run=latest input=pairs.txt output=forward.txt")
    assert (types.folder / "forward.txt").read_text("utf-8").count("\n") == 1
    types("docs/explanation.md", "attnlab explain run=latest", "items=1", "steps=1", "captum=false", "starts=0")
    assert list(types.folder.glob("outputs/*/*/*/explanations/*/explanation.json"))
    assert "model.safetensors" in types("docs/run_folder.md", "attnlab export run=latest")
    gone_on = types("docs/running.md", "python train.py resume=latest trainer.max_epochs=20", "trainer.max_epochs=2")
    assert "goes on with" in gone_on


@pytest.mark.long
def test_a_sweep_is_compared_and_makes_a_paper(types):
    types("docs/start.md", "python train.py -m attention=bahdanau,luong_dot", "seed=1,2", *QUICK)
    assert "finished" in types("docs/running.md", "python train.py -m resume=latest").lower()
    printed = types("docs/start.md", "python compare.py runs=latest", "resamples=200")
    assert "bahdanau" in printed
    assert "report.html" in printed
    types("docs/paper.md", "python compare.py runs=latest paper=paper", "resamples=200")
    assert (types.folder / "paper" / "paper.tex").is_file()
