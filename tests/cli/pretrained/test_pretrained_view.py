"""Models of the library ``transformers`` in the viewer: tiny random ones, where the library is installed."""

import numpy as np
import pytest
import torch
from viewer_data import read

import attnlab
from attnlab.errors import ConfigError, DataError


def test_bert_is_viewed_as_a_run_is(transformers, bert):
    index, (items,) = read(attnlab.view(bert, ["the dog sleeps", "the dog ||| un ##happy"]).html)
    assert index["runs"][0]["name"] == "bert"
    model = transformers.BertModel.from_pretrained(bert, attn_implementation="eager").eval()
    with torch.no_grad():
        expected = model(torch.tensor([[2, 5, 6, 7, 3]]), output_attentions=True).attentions
    rows, columns, weights = items[0]["look"]["own text"]
    assert rows == columns == ["[CLS]", "the", "dog", "sleeps", "[SEP]"]
    assert weights == pytest.approx(np.stack([layer[0].numpy() for layer in expected]), abs=3e-3)
    assert items[1]["look"]["own text"][0] == ["[CLS]", "the", "dog", "[SEP]", "un", "##happy", "[SEP]"]


def test_marian_is_viewed_beside_another_model(transformers, marian, bert):
    index, (items, others) = read(attnlab.view([marian, bert], ["the dog ||| der Hund schläft", "the dog"]).html)
    assert [run["name"] for run in index["runs"]] == ["marian", "bert"]
    model = transformers.MarianMTModel.from_pretrained(marian, attn_implementation="eager").eval()
    with torch.no_grad():
        found = model(
            torch.tensor([[5, 6, 4]]), decoder_input_ids=torch.tensor([[1, 10, 11, 12]]), output_attentions=True
        )
    rows, columns, weights = items[0]["look"]["attention"]
    assert (rows, columns) == (["der", "Hund", "schläft", "</s>"], ["the", "dog", "</s>"])
    assert weights == pytest.approx(np.stack([layer[0].numpy() for layer in found.cross_attentions]), abs=3e-3)
    assert items[0]["look"]["own target"][0] == ["[PAD]", "der", "Hund", "schläft"]
    assert items[1]["look"]["attention"][0][-1] == "</s>"  # its own translation, to its end
    assert set(others[0]["look"]) == {"own text"}


def test_what_a_model_of_the_library_cannot_do(bert, tmp_path):
    with pytest.raises(ConfigError, match=r"was tested on nothing here; give it texts"):
        attnlab.view(bert)
    with pytest.raises(DataError, match=r"texts\[0\]: 12 pieces, over the 10 positions of bert"):
        attnlab.view(bert, ["the dog " * 5])
    (tmp_path / "config.json").write_text('{"model_type": "nothing"}', "utf-8")
    with pytest.raises(ConfigError, match="transformers cannot read this model"):
        attnlab.view(tmp_path, ["the dog"])


def test_many_texts_are_read_together_as_each_alone(bert, marian, monkeypatch):
    from attnlab.cli.viewing import pretrained

    asked, read_by = [], pretrained.Pretrained._read

    def counting(self, several, where):
        asked.append(len(several))
        return read_by(self, several, where)

    monkeypatch.setattr(pretrained.Pretrained, "_read", counting)
    texts = ["the dog sleeps", "un ##happy", "the dog ||| un ##happy", "the"]
    pairs = ["the dog ||| der Hund schläft", "the dog sleeps ||| der", "un ##happy", "the dog sleeps"]
    for model, lines in ((bert, texts), (marian, pairs)):
        together = read(attnlab.view(model, lines).html)[1][0]
        for line, told in zip(lines, together, strict=True):
            (alone,) = read(attnlab.view(model, [line]).html)[1][0]
            assert set(told["look"]) == set(alone["look"])
            for name, (rows, columns, weights) in told["look"].items():
                assert (rows, columns) == alone["look"][name][:2]
                assert weights == pytest.approx(alone["look"][name][2], abs=5e-3)
    assert asked[:3] == [2, 1, 1]


def test_long_texts_are_read_one_by_one():
    from attnlab.cli.viewing.pretrained import alike

    pairs = [("a" * 100, "")] * 3 + [("a" * 900, "")] * 2 + [("a", "")] * 40 + [("a", "b")]
    groups = list(alike(pairs))
    assert [number for group in groups for number in group] == list(range(len(pairs)))
    assert [len(group) for group in groups] == [3, 1, 1, 40, 1]
