"""Transformers of runs in CTranslate2: the same log-probabilities, the same translations; and what it has not."""

import ctranslate2
import pytest
import torch
from omegaconf import OmegaConf

from attnlab.cli.commands.export import export
from attnlab.cli.converting import named, specification, unlike, write_ctranslate2
from attnlab.data.tokenizers.load import load
from attnlab.data.tokenizers.whitespace import Whitespace
from attnlab.errors import ConfigError
from attnlab.search.beam import Beam
from attnlab.search.greedy import Greedy
from attnlab.tasks.translation.looking import batch_of
from attnlab.types import EOS

SIZE = 24
PAIRS = [([5, 9, 11], [7, 8]), ([4], [20, 6, 6, 5, 9]), ([10, 10, 12, 13, 22, 4, 6], [])]


@pytest.fixture
def built():
    """A Transformer of random weights, by its overrides."""
    from composing import compose

    from attnlab.cli import build

    def made(*overrides):
        torch.manual_seed(0)
        config = compose(
            "encoder=transformer", "decoder=transformer", "attention=scaled_dot", "model.embedding_dim=16",
            "encoder.layers=2", "decoder.layers=3", "model.initialization.kind=normal",
            "model.initialization.scale=0.4", *overrides,
        )  # fmt: skip
        return build.model(config, {"source_vocabulary": SIZE, "target_vocabulary": SIZE}).eval()

    return made


def names():
    tokenizer = Whitespace("en")
    tokenizer.fit([" ".join(f"w{number}" for number in range(4, SIZE))])
    return named(tokenizer)


def converted(model, tmp_path):
    words = names()
    spec = specification(model, words, words)
    spec.save(str(tmp_path))
    return ctranslate2.Translator(str(tmp_path), inter_threads=1, intra_threads=1), words


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("encoder.layer.norm=post", "decoder.layer.norm=post", "encoder.layer.activation=gelu",
         "decoder.layer.activation=gelu"),
        ("position=learned", "position.max_positions=40", "model.tie=all", "encoder.scale_embeddings=false"),
        ("attention=luong_dot", "position=none", "encoder.layer.heads=2", "decoder.layer.heads=2"),
    ],
)  # fmt: skip
def test_log_probabilities_are_those_of_the_run(built, tmp_path, overrides):
    model = built(*overrides)
    engine, words = converted(model, tmp_path)
    batch = batch_of(PAIRS, torch.device("cpu"))
    expected = model.sentence_log_probs(batch, model(batch)).tolist()
    told = engine.score_batch(*[[[words[piece] for piece in pair[side]] for pair in PAIRS] for side in (0, 1)])
    assert [sum(one.log_probs) for one in told] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("beam", "bias"), [(1, 3.5), (4, 3.0)])
def test_translations_are_those_of_the_run(built, tmp_path, beam, bias):
    model = built("model.tie=all")
    model.output.bias.data[EOS] = bias  # or hardly one would end
    engine, words = converted(model, tmp_path)
    source = batch_of(PAIRS, torch.device("cpu"))
    limits = {"min_length": 0, "max_length": 12, "max_ratio": 1e3}
    search = Greedy(**limits) if beam == 1 else Beam(beam, length_penalty=0.0, **limits)
    found = search(model, source.source, source.source_mask)
    told = engine.translate_batch(
        [[words[piece] for piece in pair[0]] for pair in PAIRS],
        beam_size=beam, length_penalty=0, patience=4, min_decoding_length=0, max_decoding_length=12,
    )  # fmt: skip
    assert {several[0].ended for several in found} == {True, False}
    best = [[words[piece] for piece in several[0].tokens] for several in found]
    assert [one.hypotheses[0] for one in told] == best


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (("position=rotary",), "position Rotary, expected one that is added"),
        (("position=concatenated",), "position Concatenated"),
        (("attention=bahdanau",), "attention Bahdanau with All with Softmax, expected scaled_dot"),
        (("encoder=gru", "encoder.hidden_dim=8"), "encoder is Recurrent, expected transformer"),
        (("encoder.layer.norm=post",), "norms that differ"),
        (("decoder.layer.residual=false",), "residual=false"),
        (("encoder.layer.kv_heads=1",), "kv_heads"),
        (("decoder.alignment_module=true",), None),
    ],
)
def test_what_it_has_not(built, overrides, told):
    faults = "; ".join(unlike(built(*overrides)))
    assert faults == "" if told is None else told in faults


def test_pieces_that_read_alike_are_told_apart():
    tokenizer = Whitespace("en")
    tokenizer.fit(["<s> a a"])
    assert named(tokenizer) == ["<pad>", "<unk>", "<s>", "</s>", "a", "<s>#5"]


def test_a_run_that_is_no_transformer_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    config = OmegaConf.create(
        {"run": str(run), "checkpoint": "best", "to": "ctranslate2", "output": str(tmp_path / "to"), "trust": []}
    )
    with pytest.raises(ConfigError, match=r"to=ctranslate2: it has plain Transformers only; encoder is Recurrent"):
        export(config)
    assert not (tmp_path / "to").exists()


def test_a_folder_has_all_that_it_takes(built, tmp_path):
    tokenizers = tmp_path / "tokenizer"
    tokenizers.mkdir()
    tokenizer = Whitespace("en")
    tokenizer.fit([" ".join(f"w{number}" for number in range(4, SIZE))])
    for side in ("source", "target"):
        tokenizer.save(tokenizers / f"{side}.json")
    model = built()
    for _ in range(2):  # an earlier export is replaced
        write_ctranslate2(model, tokenizer, tokenizer, tokenizers, tmp_path / "model")
    engine = ctranslate2.Translator(str(tmp_path / "model"))
    again = load(tmp_path / "model" / "source_tokenizer.json")
    pieces = named(again)
    assert engine.translate_batch([[pieces[number] for number in again.encode("w5 w9")]], max_decoding_length=5)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(ConfigError, match="holds other files"):
        write_ctranslate2(model, tokenizer, tokenizer, tokenizers, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.tex").is_file()
