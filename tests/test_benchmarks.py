"""``python -m benchmarks``: what each benchmark gave is kept, whatever becomes of the others."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
GOOD = """'''Measures something.'''
import sys
from pathlib import Path
import measure
rows = [("small", "attnlab", measure.Number(2.04, ".1f"), ""),
        ("small", "peer", measure.Number(1.0, ".1f"), measure.ratio([2.0, 4.0, 6.0, 8.0], [2.0, 2.0, 2.0, 2.0], 1.5))]
out = Path(sys.argv[sys.argv.index("--out") + 1])
measure.results("## A title", ("size", "system", "tokens/s", "times"), rows, out)
"""


@pytest.fixture
def main(monkeypatch):
    """The command as a module, and that of the list."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("benchmarks_command", BENCHMARKS / "__main__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in ("measure", "suite", "ratios"):
        sys.modules.pop(name, None)


def test_every_benchmark_is_a_script_that_says_what_it_measures(main):
    assert all(benchmark.what for benchmark in main.BENCHMARKS.values())


def test_a_failure_does_not_lose_the_others(main, tmp_path, monkeypatch, capsys):
    import suite

    scripts = tmp_path / "benchmarks"
    scripts.mkdir()
    (scripts / "good.py").write_text(GOOD)
    (scripts / "bad.py").write_text("'''Fails.'''\nraise SystemExit('no such thing')\n")
    monkeypatch.setattr(suite, "HERE", scripts)
    monkeypatch.setattr(main, "ROOT", tmp_path)
    needs = {"bad": (), "good": (), "other": ("gpu",)}
    monkeypatch.setattr(suite.shutil, "which", lambda name: None)
    known = {name: suite.Benchmark(name, needs=what) for name, what in needs.items()}
    monkeypatch.setattr(main, "BENCHMARKS", known)
    monkeypatch.setenv("PYTHONPATH", str(BENCHMARKS))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--out", str(tmp_path / "out")])

    assert main.main() == 1

    printed, report = capsys.readouterr().out, (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "other: left out, no GPU here" in printed
    assert "no such thing" in report
    assert "| good | small, peer | 2.50 | 2.00 to 4.00 | 1.5 |" in report
    assert "| small | attnlab | 2.0 |  |" in report
    assert (tmp_path / "out" / "ratios.svg").is_file()
    lines = [json.loads(line) for line in (tmp_path / "out" / "results.jsonl").read_text("utf-8").splitlines()]
    assert [line["row"]["tokens/s"] for line in lines] == [2.04, 1.0]
    assert lines[1]["row"]["times"] == {"median": 2.5, "low": 2.0, "high": 4.0, "floor": 1.5}
    assert lines[0]["title"] == "A title"


def test_what_is_named_must_be_there(main, tmp_path, monkeypatch):
    import suite

    monkeypatch.setattr(suite.shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "gpu", "--out", str(tmp_path)])
    assert main.main() == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [(["trainning"], "no benchmark trainning; there are training,"), (["--", "--rounds", "4"], "name")],
)
def test_mistakes_are_told(main, words, said, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", *words])
    with pytest.raises(SystemExit):
        main.main()
    assert said in capsys.readouterr().err
