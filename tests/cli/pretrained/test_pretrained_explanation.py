"""What is asked of models of the library ``transformers``: against their own forward pass, and by the command."""

import json

import pytest
import torch
from omegaconf import OmegaConf

from attnlab.cli.explaining import explain_run
from attnlab.cli.explaining_pretrained import instances_of
from attnlab.errors import ConfigError, DataError

TEXTS = ["the dog sleeps", "un ##happy dog the", "the dog"]
PAIRS = ["the dog ||| der Hund schläft", "the dog sleeps the ||| der schläft"]


def asked(folder, lines, tmp_path, **more):
    """The instances, with what is told of each."""
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    settings = {"input": str(path), "checkpoint": "best", "split": None, "words": False, "baselines": [],
                "device": "cpu", "items": None, "batch": 2, "steps": 2, "run": str(folder)}  # fmt: skip
    return list(instances_of(OmegaConf.create(settings | more), folder))


@pytest.fixture(params=["classifier", "filler", "marian"])
def found(request, tmp_path):
    folder = request.getfixturevalue(request.param)
    return asked(folder, PAIRS if request.param == "marian" else TEXTS, tmp_path)


def test_a_classifier_looks_from_its_first_piece(transformers, classifier, tmp_path):
    model = transformers.BertForSequenceClassification.from_pretrained(classifier, attn_implementation="eager").eval()
    ids = {0: [2, 5, 6, 7, 3], 1: [2, 8, 9, 6, 5, 3], 2: [2, 5, 6, 3]}
    seen = {}
    for instances, abouts in asked(classifier, TEXTS, tmp_path):
        for row, about in enumerate(abouts):
            with torch.no_grad():
                expected = model(torch.tensor([ids[about.number]]), output_attentions=True)
            length = len(about.positions)
            assert instances.output[row] == pytest.approx(expected.logits.softmax(-1)[0], abs=1e-5)
            weights = expected.attentions[-1][0, :, 0, 1:-1]
            assert instances.weights[row, :, :length] == pytest.approx(weights, abs=1e-5)
            assert not instances.weights[row, :, length:].any()
            seen[about.number] = about.positions
    assert seen == {number: text.split() for number, text in enumerate(TEXTS)}


def test_a_blank_looks_at_the_other_words(transformers, filler, tmp_path):
    model = transformers.BertForMaskedLM.from_pretrained(filler, attn_implementation="eager").eval()
    ((instances, abouts),) = asked(filler, ["the dog sleeps"], tmp_path, steps=1)
    with torch.no_grad():
        expected = model(torch.tensor([[2, 5, 13, 7, 3]]), output_attentions=True)
    assert abouts[0].positions == ["the", "sleeps"]
    assert abouts[0].more["target"] == "dog"
    assert instances.output[0] == pytest.approx(expected.logits[0, 2].softmax(-1), abs=1e-5)
    assert instances.weights[0] == pytest.approx(expected.attentions[-1][0, :, 2, [1, 3]], abs=1e-5)


def test_a_translator_is_asked_behind_given_words(transformers, marian, tmp_path):
    model = transformers.MarianMTModel.from_pretrained(marian, attn_implementation="eager").eval()
    found = asked(marian, PAIRS[:1], tmp_path, steps=3)
    with torch.no_grad():
        expected = model(
            torch.tensor([[5, 6, 4]]), decoder_input_ids=torch.tensor([[1, 10, 11]]), output_attentions=True
        )
    assert [abouts[0].more["target"] for _, abouts in found] == ["der", "Hund", "schläft"]
    assert [abouts[0].more["before"] for _, abouts in found] == [[], ["der"], ["der", "Hund"]]
    for step, (instances, abouts) in enumerate(found):
        assert abouts[0].positions == ["the", "dog"]
        assert instances.output[0] == pytest.approx(expected.logits[0, step].softmax(-1), abs=1e-5)
        weights = torch.cat([layer[0, :, step, :2] for layer in expected.cross_attentions])
        assert instances.weights[0] == pytest.approx(weights, abs=1e-5)


def test_own_weights_change_nothing_and_others_do(found):
    for instances, _ in found:
        for output in (
            instances.given(instances.weights),
            instances.read(instances.inputs, instances.mask).output,
            instances.read(instances.inputs, instances.mask, instances.weights).output,
            instances.without(torch.zeros_like(instances.mask)),
        ):
            assert output == pytest.approx(instances.output, abs=1e-5)
        others = instances.mask.unsqueeze(1) * torch.rand_like(instances.weights)
        assert instances.given(others) == pytest.approx(
            instances.read(instances.inputs, instances.mask, others).output, abs=1e-5
        )
        assert (instances.given(others) - instances.output).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("name", "long", "gone", "short", "steps"),
    [
        ("classifier", "un the dog sleeps", [0], "the dog sleeps", 1),
        ("filler", "the un dog der sleeps", [1, 2], "the dog sleeps", 1),  # the blank is the word in the middle
        ("marian", "un the dog sleeps ||| der", [0], "the dog sleeps ||| der", 1),
    ],
)
def test_what_is_left_out_is_not_there(request, tmp_path, name, long, gone, short, steps):
    """The others close up: as the model reads the shorter text."""
    folder = request.getfixturevalue(name)
    ((instances, _),) = asked(folder, [long], tmp_path, steps=steps)
    ((expected, _),) = asked(folder, [short], tmp_path, steps=steps)
    left_out = torch.tensor([[place in gone for place in range(instances.mask.size(1))]])
    assert instances.without(left_out)[0] == pytest.approx(expected.output[0], abs=1e-5)
    with pytest.raises(ValueError, match="every position"):
        instances.without(torch.ones_like(instances.mask))


def test_special_pieces_keep_their_weights(classifier, tmp_path):
    """Nothing given to the words: what is left are the looks at [CLS] and [SEP]."""
    ((instances, _),) = asked(classifier, TEXTS[:1], tmp_path)
    model = instances.reader.loaded.model
    layer = model.bert.encoder.layer[-1].attention.self
    states = instances.before
    value = layer.value(states).unflatten(-1, (3, 4))
    query, key = (each(states).unflatten(-1, (3, 4)) for each in (layer.query, layer.key))
    weights = torch.einsum("nthd,nshd->nhts", query, key).div(2).softmax(-1)[:, :, 0]
    expected = torch.einsum("nhs,nshd->nhd", weights[:, :, [0, 4]], value[:, [0, 4]]).flatten(1)
    kept = []
    with layer.register_forward_hook(lambda module, given, found: kept.append(found[0][:, 0])):
        instances.given(torch.zeros_like(instances.weights))
    assert kept[0] == pytest.approx(expected.detach(), abs=1e-5)


def test_gradients_reach_given_weights(found):
    for instances, _ in found:
        weights = instances.weights.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(instances.told(instances.given(weights)).sum(), [weights])
        spots = instances.mask.unsqueeze(1).expand_as(weights).nonzero()
        row, look, place = spots[len(spots) // 2].tolist()
        moved = weights.detach().double().clone()
        moved[row, look, place] += 1e-2
        told = instances.told(instances.given(moved.float()))
        rise = float(told[row] - instances.told(instances.output)[row]) / 1e-2
        assert float(gradient[row, look, place]) == pytest.approx(rise, abs=5e-3)


def test_from_the_command_line(commands, classifier, tuned, tmp_path):
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS) + "\nthe dog ||| un ##happy\n", "utf-8")
    quick = ["input=texts.txt", "permutations=3", "adam_steps=3", "name=all"]
    commands("explain", f"run={classifier}", *quick, cwd=tmp_path)
    told = commands("explain", f"run={tuned}", f"others=[{classifier}]", "figures=false", *quick, cwd=tmp_path)
    assert "4 instances" in told
    place = tuned / "explanations" / "all"
    summary = json.loads((place / "explanation.json").read_text("utf-8"))
    lines = [json.loads(line) for line in (place / "explanation.jsonl").read_text("utf-8").splitlines()]
    assert summary["task"] == "texts"
    assert 0 < summary["explanation/agreement_divergence"] < 0.7
    assert [line["input"] for line in lines] == [*TEXTS, "the dog un ##happy"]
    assert {line["output"] for line in lines} <= {"LABEL_0", "LABEL_1", "LABEL_2"}
    assert (classifier / "explanations" / "all" / "correlations.png").is_file()


def test_what_cannot_be_asked(bert, classifier, filler, tmp_path):
    with pytest.raises(ConfigError, match="saved without a head"):
        asked(bert, TEXTS, tmp_path)
    with pytest.raises(ConfigError, match=r"give it texts, a line each: input=my\.txt"):
        asked(classifier, TEXTS, tmp_path, input=None)
    for name, value in (("split", "val"), ("checkpoint", "last"), ("words", True)):
        with pytest.raises(ConfigError, match=rf"{name}={value}: it is of runs"):
            asked(classifier, TEXTS, tmp_path, **{name: value})
    with pytest.raises(DataError, match="text 2: 12 pieces, over the 10 positions"):
        asked(classifier, ["the dog", "the dog " * 5], tmp_path)
    with pytest.raises(DataError, match="text 1: one piece"):
        asked(filler, ["the"], tmp_path)


def test_texts_are_asked_of_models_alone():
    with pytest.raises(ConfigError, match=r"input=my\.txt: it is of models of transformers"):
        explain_run(OmegaConf.create({"run": "latest", "input": "my.txt", "captum": False}))
