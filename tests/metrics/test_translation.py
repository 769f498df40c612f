"""CorpusScore against sacreBLEU: its command line and its Python interface."""

import copy
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from sacrebleu.metrics import BLEU, CHRF, TER

from attnlab.metrics.translation import CorpusScore, tokenize_for
from attnlab.types import ConfigError, DataError

Lines = list[str]

REFERENCES = [
    "Der alte Mann kauft dem kleinen Kind einen roten Ball.",
    "Weil die Frau müde ist, steht sie heute nicht auf.",
    "Wir haben 3,5 Kilo Äpfel (und 12 Birnen) gekauft!",
    "Das ist der Hund, den die Lehrerin gestern gesehen hat.",
    "Ja.",
    "„Kommst du mit?“, fragte er sie.",
]
HYPOTHESES = [
    "Der alte Mann kauft einen roten Ball dem kleinen Kind.",
    "Weil die frau müde ist , steht sie nicht auf.",
    "",
    "Das ist der Hund, den gestern die Lehrerin sah.",
    "Ja.",
    "„Kommst du mit?“, fragte sie ihn & lachte sehr laut.",
]


def command_line(folder: Path, hypotheses: Lines, references: Lines, *options: str) -> list[dict[str, object]]:
    """Run ``python -m sacrebleu``: scores with twelve decimals and signatures."""
    for name, lines in (("hypotheses", hypotheses), ("references", references)):
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    files = [str(folder / "references"), "-i", str(folder / "hypotheses")]
    command = [sys.executable, "-m", "sacrebleu", *files, "-m", "bleu", "chrf", "ter", "-w", "12", *options]
    found: list[dict[str, object]] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def scored(hypotheses: Lines, references: Lines, batch: int, metric: CorpusScore) -> dict[str, float]:
    for start in range(0, len(references), batch):
        metric.update(hypotheses[start : start + batch], references[start : start + batch])
    found: dict[str, float] = metric.compute()
    return found


def assert_agree(metric: CorpusScore, scores: dict[str, float], said: list[dict[str, object]]) -> None:
    assert {name: round(score, 12) for name, score in scores.items()} == {
        name: record["score"] for name, record in zip(("bleu", "chrf", "ter"), said, strict=True)
    }
    assert list(metric.signatures.values()) == [record["signature"] for record in said]
    assert metric.signature == said[0]["signature"]


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_equals_command_line(tmp_path: Path, batch: int) -> None:
    metric = CorpusScore()
    scores = scored(HYPOTHESES, REFERENCES, batch, metric)
    assert_agree(metric, scores, command_line(tmp_path, HYPOTHESES, REFERENCES))


def test_equals_command_line_lowercase(tmp_path: Path) -> None:
    metric = CorpusScore(lowercase=True)
    scores = scored(HYPOTHESES, REFERENCES, 2, metric)
    assert_agree(metric, scores, command_line(tmp_path, HYPOTHESES, REFERENCES, "-lc", "--chrf-lowercase"))
    assert scores["bleu"] > scored(HYPOTHESES, REFERENCES, 2, CorpusScore())["bleu"]


def test_equals_command_line_on_news(tmp_path: Path, shared_data: Path) -> None:
    rows = gzip.decompress((shared_data / "newstest/wmt14_en-de.extra_refs.gz").read_bytes()).decode("utf-8")
    sentences = dict(row.split("\t", 1) for row in rows.splitlines())
    numbers = [name[2:] for name in sentences if name.startswith("T-")][:120]
    references = [sentences[f"T-{number}"].strip() for number in numbers]
    hypotheses = [sentences[f"R1-{number}"].strip() for number in numbers]
    metric = CorpusScore()
    scores = scored(hypotheses, references, 7, metric)
    assert_agree(metric, scores, command_line(tmp_path, hypotheses, references))


def test_equals_command_line_on_chinese(tmp_path: Path, shared_data: Path) -> None:
    rows = gzip.decompress((shared_data / "tatoeba/cmn.txt.gz").read_bytes()).decode("utf-8").splitlines()
    texts = [row.split("\t")[1] for row in rows[20000:20200]]
    hypotheses, references = texts[:-1], texts[1:]  # neighbours: often the same English sentence
    metric = CorpusScore(tokenize=tokenize_for("zh"))
    scores = scored(hypotheses, references, 16, metric)
    options = ("-tok", "zh", "--ter-normalized", "--ter-asian-support")
    assert_agree(metric, scores, command_line(tmp_path, hypotheses, references, *options))
    assert scores["ter"] < TER().corpus_score(hypotheses, [references]).score  # which takes a sentence for a word


@pytest.mark.parametrize("keep", [slice(None), slice(4, 5), slice(2, 3)], ids=["all", "one short", "one empty"])
def test_equals_corpus_score(keep: slice) -> None:
    hypotheses, references = HYPOTHESES[keep], REFERENCES[keep]
    scores = scored(hypotheses, references, 2, CorpusScore())
    assert scores["bleu"] == BLEU().corpus_score(hypotheses, [references]).score
    assert scores["chrf"] == CHRF().corpus_score(hypotheses, [references]).score
    assert scores["ter"] == TER().corpus_score(hypotheses, [references]).score


def test_perfect_and_all_empty() -> None:
    perfect = scored(REFERENCES, REFERENCES, 3, CorpusScore())
    assert perfect == pytest.approx({"bleu": 100.0, "chrf": 100.0, "ter": 0.0})
    nothing = scored([""] * len(REFERENCES), REFERENCES, 3, CorpusScore())
    assert nothing == {"bleu": 0.0, "chrf": 0.0, "ter": 100.0}


def test_order_and_batching_change_nothing() -> None:
    forwards = scored(HYPOTHESES, REFERENCES, 1, CorpusScore())
    assert scored(HYPOTHESES[::-1], REFERENCES[::-1], 5, CorpusScore()) == forwards


def test_only_the_scores_asked_for() -> None:
    metric = CorpusScore(scores=("bleu",))
    scores = scored(HYPOTHESES, REFERENCES, 2, metric)
    assert scores == {"bleu": BLEU().corpus_score(HYPOTHESES, [REFERENCES]).score}
    assert metric.signatures == {"bleu": metric.signature}


def test_module_casts_leave_the_counts_alone() -> None:
    metric = torch.nn.ModuleDict({"score": CorpusScore()}).to(torch.bfloat16)["score"]
    assert scored(HYPOTHESES, REFERENCES, 2, metric) == scored(HYPOTHESES, REFERENCES, 2, CorpusScore())


def test_copies_and_resets() -> None:
    metric = CorpusScore()
    metric.update(HYPOTHESES, REFERENCES)
    clone = copy.deepcopy(metric)
    metric.reset()
    metric.update(REFERENCES, REFERENCES)
    assert metric.compute()["bleu"] == pytest.approx(100.0)
    assert clone.compute() == scored(HYPOTHESES, REFERENCES, 1, CorpusScore())


def test_empty_batches_count_nothing() -> None:
    metric = CorpusScore()
    metric.update([], [])
    with pytest.raises(DataError, match="no sentence to score"):
        metric.compute()
    signatures = metric.signatures
    scores = scored(HYPOTHESES, REFERENCES, 2, metric)
    assert scores == scored(HYPOTHESES, REFERENCES, 2, CorpusScore())
    assert signatures == metric.signatures


@pytest.mark.parametrize(
    ("hypotheses", "references", "message"),
    [
        (["a", "b"], ["a"], "2 hypotheses came with 1 references"),
        ("text", ["t", "e", "x", "t"], "hypotheses: expected a list of texts"),
        (["t", "e", "x", "t"], "text", "references: expected a list of texts"),
    ],
)
def test_wrong_input(hypotheses: Lines, references: Lines, message: str) -> None:
    with pytest.raises(DataError, match=message):
        CorpusScore().update(hypotheses, references)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tokenize": "13"}, "tokenize: '13' is unknown; did you mean '13a'?"),
        ({"scores": ("blue",)}, "scores: 'blue' is unknown; did you mean 'bleu'?"),
        ({"scores": ()}, "scores is empty"),
    ],
)
def test_wrong_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        CorpusScore(**settings)  # type: ignore[arg-type]
    assert message in str(raised.value)


def test_missing_tokeniser_package(monkeypatch: pytest.MonkeyPatch) -> None:
    from sacrebleu.tokenizers import tokenizer_ja_mecab

    monkeypatch.setattr(tokenizer_ja_mecab, "MeCab", None)
    with pytest.raises(ConfigError, match=r"'ja-mecab' cannot be used here.*pip install"):
        CorpusScore(tokenize="ja-mecab")


@pytest.mark.parametrize(
    ("language", "tokenizer"),
    [("de", "13a"), ("cs", "13a"), ("zh", "zh"), ("cmn", "zh"), ("zh-Hans", "zh"), ("pt_BR", "13a")],
)
def test_tokenize_for(language: str, tokenizer: str) -> None:
    assert tokenize_for(language) == tokenizer
    CorpusScore(tokenize=tokenizer)


@pytest.mark.parametrize(("installed", "tokenizer"), [(True, "ja-mecab"), (False, "char")])
def test_tokenize_for_japanese(monkeypatch: pytest.MonkeyPatch, installed: bool, tokenizer: str) -> None:
    monkeypatch.setattr("attnlab.metrics.translation.find_spec", lambda name: object() if installed else None)
    assert tokenize_for("ja") == tokenizer
