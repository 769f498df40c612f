"""``import attnlab``: what a notebook has."""

import doctest
import logging
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from viewer_data import read

import attnlab
from attnlab.cli.errors import MistakesError
from attnlab.data.corpora.grammar.corpus import Grammar
from attnlab.errors import ConfigError, DataError

SENTENCE = "the old man sees three dogs ."
SOURCE = Path(attnlab.__file__).parent
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCE.glob("**/*.py")
    if ">>>" in path.read_text("utf-8")
)


def test_importing_it_imports_nothing_heavy():
    heavy = "torch", "numpy", "hydra", "omegaconf", "pytorch_lightning", "matplotlib", "wandb"
    script = f"import sys, attnlab; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert told.strip() == "[]"


def test_everything_it_promises_is_there():
    assert all(getattr(attnlab, name) is not None for name in attnlab.__all__)
    assert set(attnlab.__all__) <= set(dir(attnlab))
    with pytest.raises(AttributeError, match=r"there is .*load"):
        attnlab.lode  # noqa: B018


def test_it_says_that_it_is_typed():
    assert (Path(attnlab.__file__).parent / "py.typed").is_file()


@pytest.fixture
def latest(run):
    """The run as one that is no trial."""
    marker = run.folder / "finished.json"
    before = marker.read_text("utf-8")
    marker.write_text('{"score": 1.0, "trial": null}', "utf-8")
    yield run
    marker.write_text(before, "utf-8")


@pytest.mark.usefixtures("latest")
@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings_are_true(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = doctest.testmod(import_module(name), raise_on_error=False)
    assert examples.attempted > 0
    assert examples.failed == 0


def test_there_are_examples_of_the_interface_and_in_modules():
    assert {"attnlab", "attnlab.api.mechanisms", "attnlab.viz.joining"} <= set(WITH_EXAMPLES)


def test_a_run_is_loaded_by_its_folder(run, root):
    assert attnlab.load(run.folder).metrics == run.metrics
    assert attnlab.load(str(run.folder)).folder == run.folder
    assert "test/bleu" in run.metrics
    with pytest.raises(MistakesError, match=r"run=latest: .* is a trial \(limit_train_batches=2 .*: name it, run=/"):
        attnlab.load()


def test_the_latest_run_is_loaded(latest):
    assert attnlab.load().folder == latest.folder


def test_a_run_that_is_not_there_is_one_line(root):
    with pytest.raises(MistakesError, match="there is no such folder"):
        attnlab.load("outputs/nothing")


def test_artifacts_that_cannot_be_fetched_are_one_line(root, monkeypatch):
    import wandb

    def unreachable(**_):
        raise wandb.errors.CommError("no network")

    monkeypatch.setattr(wandb, "Api", unreachable)
    with pytest.raises(ConfigError, match=r"team/project/run-1:v0: W&B gives no such artifact .no network"):
        attnlab.load("team/project/run-1:v0")


def test_an_artifact_is_a_run_where_there_is_one_in_it(run, monkeypatch):
    import wandb

    class Api:
        def __init__(self, timeout):
            assert timeout

        def artifact(self, name):
            assert name == "team/project/run-1:v0"
            return self

        def download(self):
            return str(run.folder)

    monkeypatch.setattr(wandb, "Api", Api)
    assert attnlab.load("team/project/run-1:v0").metrics == run.metrics


def test_sentences_are_translated_as_translate_py_does(run, project_root, root):
    texts = [SENTENCE, "", "a woman sleeps ."]
    here = run.translate(texts)
    command = [sys.executable, str(project_root / "translate.py"), f"run={run.folder}"]
    text = "\n".join(texts) + "\n"
    said = subprocess.run(command, check=True, input=text, capture_output=True, text=True, cwd=root)
    assert here == said.stdout.splitlines()
    assert here[1] == ""


def test_several_translations_of_each(run):
    found = run.translate([SENTENCE], ["search=beam"], nbest=3)
    assert len(found) == 1
    assert 1 <= len(found[0]) <= 3
    detailed = run.translations([SENTENCE], ["search=beam"], nbest=3)[0]
    assert [item.text for item in detailed] == found[0]
    assert detailed[0].score >= detailed[-1].score


@pytest.mark.parametrize("which", ["run", "transformer"])
def test_what_is_looked_at_step_by_step_is_what_is_told(which, request):
    """The search attends word by word, ``attend`` to all words at once."""
    trained = request.getfixturevalue(which)
    (best,) = trained.translations([SENTENCE])[0]
    seen = trained.attend(SENTENCE)
    steps = len(best.weights)
    np.testing.assert_allclose(seen.weights[:steps], best.weights.numpy(), atol=1e-5)
    assert seen.columns == tuple(SENTENCE.split())
    assert seen.rows == (*best.tokens, "</s>")
    assert seen.output == best.text


def test_a_given_translation_is_decoded_by_force(run):
    seen = run.attend(SENTENCE, "der Mann")
    assert seen.weights.shape == (3, 7)
    assert seen.output == "der Mann"


def test_all_layers_and_heads(transformer):
    seen = transformer.attend(SENTENCE, "der Mann schläft")
    layers = seen.heads.shape[0]
    assert seen.heads.shape == (layers, 2, 4, 7)
    np.testing.assert_allclose(seen.heads.sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(seen.heads[-1].mean(0), seen.weights, atol=1e-5)
    assert seen.own["source"].shape[1:] == (2, 7, 7)
    assert seen.own["target"].shape[1:] == (2, 4, 4)
    assert not np.triu(seen.own["target"], 1).any()  # no word sees a later one
    assert seen.own_labels["target"][0] == "<s>"
    assert len(seen.own_labels["target"]) == 4


def test_pictures(run, transformer, tmp_path):
    seen = transformer.attend(SENTENCE, "der Mann")
    assert seen._repr_png_()[:4] == b"\x89PNG"
    for name, settings in {"a.png": {}, "b.svg": {"heads": True}, "c.pdf": {"own": "source"}}.items():
        assert seen.save(tmp_path / name, **settings).stat().st_size > 1000
    with pytest.raises(ConfigError, match="no heads"):
        run.attend(SENTENCE).plot(heads=True)
    with pytest.raises(ConfigError, match="there is source, target"):
        seen.plot(own="middle")
    assert "3 rows × 7 columns" in repr(seen)


def test_texts_get_classes(classifier):
    good, nothing, bad = classifier.predict(["good film", "", "bad film"])
    assert nothing is None
    assert good.predicted in ("good", "bad")
    assert sum(bad.probabilities.values()) == pytest.approx(1)
    seen = classifier.attend("a good film")
    np.testing.assert_allclose(seen.weights, classifier.predict(["a good film"])[0].weights, atol=1e-6)
    assert seen.columns == ("a", "good", "film")


def test_what_a_run_cannot_do_is_said(run, classifier):
    with pytest.raises(ConfigError, match=r"use run\.predict"):
        classifier.translate(["a"])
    with pytest.raises(ConfigError, match=r"use run\.translate"):
        run.predict(["a"])
    with pytest.raises(ConfigError, match="translates nothing"):
        classifier.attend("a", "b")
    with pytest.raises(ConfigError, match="nothing shows"):
        run.attend("  ")


def test_a_text_without_a_token_has_nothing_to_look_at(run, monkeypatch):
    monkeypatch.setattr(run._translations(()).translator.source, "encode", lambda _: [])
    with pytest.raises(ConfigError, match="nothing shows"):
        run.attend(SENTENCE)


def test_one_text_is_no_list_of_texts(run):
    for call in (run.translate, attnlab.train):
        with pytest.raises(TypeError, match="expected a list"):
            call("a man")
    with pytest.raises(TypeError):
        run.attend(["a man"])


def test_a_text_that_is_too_long_is_named(run):
    with pytest.raises(DataError, match=r"texts\[1\]: 1025 tokens"):
        run.translate(["a man", "man " * 1025])


def test_a_run_is_scored_again(run):
    found = run.evaluate(["splits=[val]", "search=beam"])
    assert found["test_val/bleu"] >= 0
    assert "search=beam" in found["overrides"]


def test_runs_draw_themselves(run, classifier):
    for trained in (run, classifier):
        page = trained._repr_html_()
        assert "<table>" in page
        assert "data:image/png;base64" in page
    assert run.plot("train/loss").axes[0].get_ylabel() == "train/loss"
    with pytest.raises(ConfigError, match="val/bleu"):
        run.plot("val/nothing")


def test_mistakes_are_told_as_on_the_command_line(root):
    with pytest.raises(MistakesError, match="did you mean bahdanau"):
        attnlab.train(["attention=bahdanu"])
    with pytest.raises(ValueError, match=r"optimizer\.lr"):
        attnlab.train(["optimizer.lr=-1"])


def test_a_multirun_and_its_comparison(root, tiny_multirun):
    assert [item.config["seed"] for item in tiny_multirun] == [1, 2, 1, 2]
    comparison = attnlab.compare(tiny_multirun, tests=["seeds"], baseline="none")
    assert comparison.baseline == "none"
    assert {row.configuration for row in comparison.rows["test"]} == {"none", "luong_dot"}
    assert comparison.against_baseline[0].verdict in " ".join(str(comparison).split())  # wrapped
    assert len(repr(comparison)) < 200
    assert "| configuration |" in comparison._repr_markdown_()
    assert not (tiny_multirun[0].folder.parent / "comparison").exists()  # nobody asked for files
    attnlab.compare(tiny_multirun, tests=[], output=root / "compared", report=False)
    assert (root / "compared" / "comparison.md").is_file()
    with pytest.raises(ConfigError, match="there is no 'ttest'"):
        attnlab.compare(tiny_multirun, tests=["ttest"])


@pytest.fixture(scope="session")
def tiny_multirun(root, run):
    from tests.api.conftest import TINY

    words = [word for word in TINY if "figures" not in word]
    return attnlab.train([*words, "attention=none,luong_dot", "seed=1,2"], multirun=True)


def test_a_finished_run_is_not_run_again(run):
    assert attnlab.train([f"resume={run.folder}"]).folder == run.folder


def test_logging_is_as_before(root, run):
    root_logger = logging.getLogger()
    before = root_logger.handlers[:], root_logger.level
    run.evaluate(["splits=[val]"])
    assert (root_logger.handlers, root_logger.level) == before


def test_a_mechanism_alone_is_the_equation():
    """Scaled dot-product attention of torch, with padding."""
    torch.manual_seed(1)
    query, states, mask = torch.randn(2, 3, 8), torch.randn(2, 5, 8), torch.ones(2, 5, dtype=torch.bool)
    mask[1, 3:] = False
    seen = attnlab.mechanism("scaled_dot", query_dim=8, key_dim=8)(query, states, mask)
    expected = torch.nn.functional.scaled_dot_product_attention(query, states, states, mask.unsqueeze(1))
    torch.testing.assert_close(seen.context, expected)
    assert not seen.weights[1, :, 3:].any()


@pytest.mark.parametrize("name", ["coverage", "luong_local_m", "monotonic", "bahdanau", "multi_head"])
def test_all_queries_at_once_are_one_after_the_other(name):
    attention = attnlab.mechanism(name, query_dim=8, key_dim=8).eval()
    query, states = torch.randn(2, 4, 8), torch.randn(2, 6, 8)
    seen = attention(query, states)
    memory = attention.memory(states)
    history = attention.initial_state(memory)
    for step in range(4):
        one = attention.step(query[:, step], memory, history)
        history = one.history
        torch.testing.assert_close(one.context[:, 0], seen.context[:, step])
        torch.testing.assert_close(one.weights[:, 0], seen.weights[:, step])


def test_a_mechanism_has_settings_parts_and_heads():
    attention = attnlab.mechanism(
        "bahdanau", 8, 8, ["attention/normalizer=sparsemax", "attention.score.attention_dim=3"]
    )
    assert type(attention.attention.normalizer).__name__ == "Sparsemax"
    assert attention.attention.score.v_a.in_features == 3
    several = attnlab.mechanism("multi_head", 8, 6, ["attention.heads=2"])
    assert several.by_head(torch.randn(1, 3, 8), torch.randn(1, 4, 6)).shape == (1, 2, 3, 4)
    with pytest.raises(ConfigError, match="no heads"):
        attention.by_head(torch.randn(1, 3, 8), torch.randn(1, 4, 8))
    with pytest.raises(MistakesError, match="did you mean"):
        attnlab.mechanism("bahdanu", 8, 8)


def test_no_attention_reads_the_summary():
    attention = attnlab.mechanism("none", 8, 6, summary_dim=6)
    summary = torch.randn(2, 6)
    seen = attention(torch.randn(2, 3, 8), torch.randn(2, 4, 6), summary=summary)
    assert seen.weights is None
    torch.testing.assert_close(seen.context[:, 1], summary)


@pytest.fixture(scope="module")
def viewed(run, transformer):
    """Both runs, on the first of the items that they were tested on."""
    return attnlab.view([run, transformer], items=7, own=3)


def test_tested_items_have_the_weights_of_each_alone(viewed, run, transformer):
    index, runs = read(viewed.html)
    items = run.items()
    assert [item["input"] for item in index["items"]] == [item.input for item in items[:7]]
    assert [item["output"][0] for item in index["items"]] == [item.output for item in items[:7]]
    for number in (0, 4):
        asked = items[number].input, items[number].reference
        alone = run.attend(*asked)
        rows, columns, weights = runs[0][number]["look"]["attention"]
        assert (tuple(rows), tuple(columns)) == (alone.rows, alone.columns)
        assert weights[0, 0] == pytest.approx(alone.weights, abs=3e-3)
        assert runs[1][number]["look"]["attention"][2] == pytest.approx(transformer.attend(*asked).heads, abs=3e-3)
    own = transformer.attend(items[2].input, items[2].reference).own
    for side in ("source", "target"):
        assert runs[1][2]["look"][f"own {side}"][2] == pytest.approx(own[side], abs=3e-3)
    assert [set(item["look"]) for item in runs[1][3:]] == [{"attention"}] * 4


def test_gold_links_are_those_of_the_data(viewed, run):
    settings = {key: value for key, value in run.config["dataset"].items() if not key.startswith("_")}
    pairs = {(pair.source, pair.target): pair.alignment for pair in Grammar(**settings).read("test")}
    index, runs = read(viewed.html)
    for number, item in enumerate(run.items()[:7]):
        links = pairs[item.input, item.reference]
        sure, possible = ({tuple(link) for link in some} for some in runs[0][number]["gold"])
        assert sure == set(links.sure)  # grammar's words are the run's tokens
        assert possible == set(links.possible) - set(links.sure)
        hits, near, count, gold = item.record["links"]
        assert index["items"][number]["aer"][0] == pytest.approx(1 - (hits + near) / (count + gold), abs=1e-4)


def test_texts_of_ones_own_and_forced_translations(run):
    pairs = attnlab.view(run, ["the dog sleeps . ||| der Hund schläft .", "he sees ||| er sieht"])
    index, runs = read(pairs.html)
    assert [item["reference"] for item in index["items"]] == ["der Hund schläft .", "er sieht"]
    seen = run.attend("he sees", "er sieht")
    assert runs[0][1]["look"]["attention"][2][0, 0] == pytest.approx(seen.weights, abs=3e-3)
    free = read(attnlab.view(run, ["he sees three dogs"]).html)[1][0][0]
    assert free["look"]["attention"][2][0, 0] == pytest.approx(run.attend("he sees three dogs").weights, abs=3e-3)


def test_of_a_classifier_words_are_shaded(classifier):
    index, (items,) = read(attnlab.view(classifier, items=5).html)
    assert index["score"]["title"] == "accuracy"
    for told, kept in zip(classifier.items(), items, strict=False):
        _, columns, weights = kept["look"]["attention"]
        assert kept["kind"] == "text"
        assert columns == told.record["tokens"]
        assert weights[0, 0] == pytest.approx(np.array(told.record["weights"]), abs=3e-3)


def test_a_view_shows_itself_and_is_saved(viewed, tmp_path):
    shown = viewed._repr_html_()
    assert shown.startswith("<iframe")
    assert "<script" not in shown  # escaped, in the frame's document
    assert viewed.save(tmp_path / "there" / "view.html").read_text("utf-8") == viewed.html
    with pytest.raises(ConfigError, match=r"width and cmap are of a picture"):
        viewed.save(tmp_path / "view.html", width="8cm")


def test_both_runs_on_one_item_are_a_picture(viewed, run, transformer, tmp_path):
    figure = viewed.plot(2)
    tables = [np.asarray(axes.images[0].get_array()) for axes in figure.axes[:2]]
    asked = run.items()[1].input, run.items()[1].reference
    for table, one in zip(tables, (run, transformer), strict=True):
        assert table == pytest.approx(one.attend(*asked).weights, abs=1e-5)
    assert [text.get_text() for text in figure.texts][:2] == ["bahdanau", "multi_head"]
    assert figure.axes[0].patches  # gold links
    assert viewed.save(tmp_path / "a.pdf", 2, width="17cm", cmap="viridis").read_bytes().startswith(b"%PDF")
    with pytest.raises(ConfigError, match=r"item=8: there are 7"):
        viewed.save(tmp_path / "a.pdf", 8)


def test_what_cannot_be_viewed_is_told(run, classifier, tmp_path):
    with pytest.raises(ConfigError, match="was tested on other items than"):
        attnlab.view([run, classifier])
    with pytest.raises(DataError, match=r"texts\[1\]: nothing shows in it"):
        attnlab.view(run, ["he sees", " "])
    with pytest.raises(TypeError, match="expected a list of texts"):
        attnlab.view(run, "he sees")
    with pytest.raises(ConfigError, match="no such folder"):
        attnlab.view(tmp_path / "none")


def test_attention_is_drawn_for_a_paper(run, tmp_path):
    seen = run.attend(SENTENCE)
    assert "tikzpicture" in seen.save(tmp_path / "a.tex", gold=([(0, 0)], []), width="8cm").read_text("utf-8")
    assert seen.save(tmp_path / "a.pdf", gold=([(0, 0)], [(1, 0)]), joined=True, width="8.4cm").stat().st_size > 2000
    with pytest.raises(ConfigError, match="gold: links are framed in the map of a translation alone"):
        seen.plot(heads=True, gold=([], []))
