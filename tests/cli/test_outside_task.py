"""A task that is no part of the laboratory: a package on the path and a folder of configurations."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

OUTSIDE = Path(__file__).parents[1] / "outside"
SMALL = ("dataset=reviews", "encoder.hidden_dim=8", "logger=none", "callbacks.attention_maps.sentences=0",
         "callbacks.run_files.figures=0", "optimizer.lr=0.01")  # fmt: skip
DRAWN = ("callbacks.attention_maps.sentences=2", "callbacks.run_files.figures=1")


@pytest.fixture(scope="module")
def outside(commands):
    """Commands with the package on the path."""

    def call(script, *arguments, **options):
        return commands(script, *arguments, environment={"PYTHONPATH": str(OUTSIDE / "packages")}, **options)

    return call


def folder_of(output):
    return Path(output.split("files:")[1].strip())


def read(folder, name="metrics.json"):
    return json.loads((folder / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def judged(outside):
    return folder_of(outside("train", "--config-dir", OUTSIDE / "conf", *SMALL, *DRAWN, "trainer.max_epochs=3"))


def test_it_trains_is_tested_and_drawn(judged):
    metrics = read(judged)
    assert metrics["train/steps"] == 45
    assert metrics["train/reviews_per_second"] > 0
    lines = [json.loads(line) for line in (judged / "test.jsonl").read_text("utf-8").splitlines()]
    assert len(lines) == 60
    right = np.mean([line["label"] == line["predicted"] for line in lines])
    assert metrics["test/hits"] == pytest.approx(right)
    assert metrics["test/log_loss"] == pytest.approx(np.mean([line["log_loss"] for line in lines]))
    for name in ("attention/val.npz", "attention/maps.npz", "attention/maps_test_long.npz", "attention/test_0.png"):
        assert (judged / name).is_file()
    with np.load(judged / "attention" / "maps.npz", allow_pickle=False) as maps:
        assert maps["target_tokens_3"].tolist() == ["verdict"]
        assert maps["source_tokens_3"].tolist() == lines[3]["text"].split()
        np.testing.assert_allclose(maps["weights_3"].sum(), 1, rtol=1e-5)


def test_the_best_checkpoint_is_by_its_first_quantity(judged):
    history = [json.loads(line) for line in (judged / "history.jsonl").read_text("utf-8").splitlines()]
    assert read(judged)["val/hits"] == max(line["val/hits"] for line in history if "val/hits" in line)


def test_it_goes_on_as_if_it_had_not_stopped(outside, judged):
    short = folder_of(outside("train", "--config-dir", OUTSIDE / "conf", *SMALL, "trainer.max_epochs=1",
                              "scheduler=constant"))  # fmt: skip
    outside("train", f"resume={short}", "trust=[sentiment]", "trainer.max_epochs=3")
    whole = folder_of(outside("train", "--config-dir", OUTSIDE / "conf", *SMALL, "trainer.max_epochs=3",
                              "scheduler=constant"))  # fmt: skip
    assert (short / "test.jsonl").read_bytes() == (whole / "test.jsonl").read_bytes()


def test_a_recorded_run_of_it_asks_for_trust(outside, judged):
    assert "trust=[sentiment]" in outside("evaluate", f"run={judged}", code=2)
    outside("evaluate", f"run={judged}", "trust=[sentiment]", "name=again")
    again = read(judged / "evaluations", "again.json")
    assert again["test/hits"] == read(judged)["test/hits"]


def test_other_splits_of_it_are_tested_and_nothing_is_translated(outside, judged):
    outside("evaluate", f"run={judged}", "trust=[sentiment]", "splits=[val]", "name=held_out")
    assert read(judged / "evaluations", "held_out.json")["test_val/hits"] == read(judged)["val/hits"]
    told = outside("translate", f"run={judged}", "trust=[sentiment]", text="a line\n", code=2)
    assert "its task has no search, so there is nothing to translate with" in " ".join(told.split())
    assert "attnlab predict" in told


def test_it_says_what_is_made_of_lines(outside, judged, tmp_path):
    lines = [json.loads(line) for line in (judged / "test.jsonl").read_text("utf-8").splitlines()]
    text = "".join(f"{line['text']}\n" for line in lines)
    assert "trust=[sentiment]" in outside("predict", f"run={judged}", text=text, code=2)
    answers = outside("predict", f"run={judged}", "trust=[sentiment]", f"plot={tmp_path}", text=text).splitlines()
    assert answers == ["praise" if line["predicted"] else "blame" for line in lines]
    assert len(list(tmp_path.glob("*.png"))) == len(lines)


def test_the_default_logger_takes_a_run_without_a_decoder(outside):
    words = [word for word in SMALL if word != "logger=none"]
    folder = folder_of(outside("train", "--config-dir", OUTSIDE / "conf", *words, "logger.wandb.mode=disabled",
                               "trainer=smoke"))  # fmt: skip
    assert read(folder)["decoder"] is None


@pytest.mark.parametrize(("said", "told"), [
    ("monitor=val/loss", "monitor=val/loss: a validation does not measure it; there is val/hits, val/log_loss"),
    ("scheduler=plateau", "scheduler.monitor=val/loss: a validation does not measure it"),
    ("attention=hard_sampled", "attention: Sampled draws its weights at random in training, and Sentiment.loss learns "
                               "nothing from the draws. Take another normalizer (attention/normalizer=hard_st"),
    ("measure=[chrf]", "measure: chrf finds nothing to count in the items of sentiment"),
])  # fmt: skip
def test_what_it_does_not_measure_is_told(outside, said, told):
    assert told in " ".join(outside("train", "--config-dir", OUTSIDE / "conf", *SMALL, "trainer=smoke", said,
                                    code=2).split())  # fmt: skip


def test_a_mechanism_brings_no_decoder_where_there_is_none(outside):
    folder = folder_of(outside("train", "--config-dir", OUTSIDE / "conf", *SMALL, "attention=bahdanau",
                               "trainer=smoke"))  # fmt: skip
    assert read(folder)["decoder"] is None
    told = outside("train", "--config-dir", OUTSIDE / "conf", *SMALL, "decoder=luong", code=2)
    assert "decoder=luong: nothing that was chosen takes it" in told


@pytest.mark.long
def test_its_mixer_and_its_callback(outside):
    folder = folder_of(outside(
        "train", "--config-dir", OUTSIDE / "conf", "trainer=smoke", "logger=none", "dataset.train_size=200",
        "dataset.val_size=20", "dataset.test_size=20", "model.embedding_dim=8", "encoder=transformer",
        "encoder.layers=1", "encoder.layer.heads=2", "encoder.layer.feedforward_dim=8", "decoder.hidden_dim=8",
        "self_attention=neighbours", "+callbacks.onlooker._target_=sentiment.watching.Onlooker",
        "+callbacks.onlooker.path=${paths.run}/seen.txt",
    ))  # fmt: skip
    assert (folder / "seen.txt").read_text("utf-8") == "2 updates\n"
    assert "onlooker" in read(folder)["watching"].split(",")


@pytest.mark.long
def test_it_is_compared_over_seeds_and_reported(outside):
    output = outside("train", "-m", "--config-dir", OUTSIDE / "conf", *SMALL, "trainer.max_epochs=2",
                     "attention=uniform,luong_dot", "seed=1,2", "sweep_name=judged")  # fmt: skip
    multirun = Path(output.rpartition("multirun: ")[2].strip())
    said = outside("compare", f"runs={multirun}", "metric=log_loss")
    told = read(multirun / "comparison", "comparison.json")
    assert told["metric"] == "log_loss"
    page = (multirun / "comparison" / "report.html").read_text("utf-8")
    assert "log loss" in page
    assert "hits" in page
    assert "luong_dot" in page
    # Nothing that is told of it speaks of translation.
    texts = re.sub(r"<style>.*?</style>|<script>.*?</script>|<pre.*?</pre>|<[^>]*>", " ", page, flags=re.DOTALL)
    labels = " ".join(re.findall(r'(?:aria-label|title)="([^"]*)"', page))
    names = ("comparison.md", "comparison.tex", "scores.csv", "significance.csv", "outputs.csv")
    files = [(multirun / "comparison" / name).read_text("utf-8") for name in names]
    everything = "\n".join((said, texts, labels, *files)).replace("sentences-2", "")  # an option, in a folder's name
    assert not re.search("sentence|translat|source word|target word|bahdanau|hypothes", everything, re.IGNORECASE)
    assert "on the 60 reviews of" in " ".join(texts.split())
    assert "Reviews on which systems differ most" in texts
    assert "ask if these judgements differ beyond the choice of reviews" in texts
    assert "Rows run across" not in texts
    assert "Words run across, rows down;" in texts
    assert re.search("Attention of luong_dot, review [0-9]+. Row: the word with the most weight", labels)
    assert "over reviews, or seeds" not in texts
    assert "over seeds and reviews" in texts
    assert "reviews_changed" in files[-1].splitlines()[0]


def test_who_lacks_its_package_is_told_its_name(commands, judged):
    output = commands("compare", f"runs={judged}")
    assert "a quantity of sentiment, which is not installed" in " ".join(output.split())
    assert "hits" in output
