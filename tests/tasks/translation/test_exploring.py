"""A sentence explored: the search and what is decoded by force say the same, with links as they are and changed."""

from functools import cache, partial

import pytest
import torch

from attnlab.attention.base import Attention
from attnlab.attention.edited import Changes
from attnlab.attention.given import mechanism_of
from attnlab.attention.multi_head import MultiHead
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.bahdanau import Bahdanau as BahdanauScore
from attnlab.attention.scores.coverage import Coverage
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.windows.all import All
from attnlab.attention.windows.local_m import LocalM
from attnlab.data.tokenizers.whitespace import Whitespace
from attnlab.decoders.bahdanau import Bahdanau
from attnlab.decoders.cho import Cho
from attnlab.decoders.conditional_gru import ConditionalGru
from attnlab.decoders.luong import Luong
from attnlab.decoders.luong_input_feeding import LuongInputFeeding
from attnlab.decoders.readout import Attentional, TanhOutput
from attnlab.decoders.transformer import Transformer
from attnlab.layers.bridges import NoBridge
from attnlab.layers.initialization import Initialization
from attnlab.layers.positions.learned import Learned as LearnedPositions
from attnlab.layers.positions.sinusoidal import Sinusoidal
from attnlab.layers.transformer import LayerSettings
from attnlab.search.beam import Beam
from attnlab.tasks.translation.exploring import Explorer
from attnlab.types import BOS, EOS, ConfigError

ADDITIVE = partial(Attention, partial(BahdanauScore, attention_dim=4), All, Softmax)
HEADS = partial(MultiHead, ScaledDot, All, Softmax, heads=2)
STACK = {"self_attention": partial(Attention, ScaledDot, All, Softmax), "layers": 2,
         "layer": LayerSettings(heads=2, feedforward_dim=8)}  # fmt: skip
DECODERS = {
    "bahdanau": (ADDITIVE, partial(Bahdanau, readout=Attentional, hidden_dim=6)),
    "luong": (ADDITIVE, partial(Luong, readout=Attentional, hidden_dim=6)),
    "local": (partial(Attention, partial(BahdanauScore, attention_dim=4), partial(LocalM, D=2), Softmax),
              partial(Luong, readout=Attentional, hidden_dim=6)),
    "input_feeding": (HEADS, partial(LuongInputFeeding, readout=Attentional, cell="lstm", hidden_dim=6)),
    "looking_back": (partial(Attention, partial(Coverage, attention_dim=4), All, Softmax),
                     partial(ConditionalGru, readout=Attentional, hidden_dim=6)),
    "transformer": (HEADS, partial(Transformer, position=Sinusoidal, **STACK)),
}  # fmt: skip
SOURCE = [4, 5, 6, 7, 5]
SEARCH = Beam(beam=4, n_best=4, max_length=9, max_extra=0)


@cache
def words():
    """A vocabulary in which the word of id 7 is w7."""
    tokenizer = Whitespace("en")
    tokenizer.fit([" ".join(f"w{number}" for number in range(4, most)) for most in range(5, 14)])
    assert tokenizer.tokens([4, 12]) == ["w4", "w12"]
    return tokenizer


@pytest.fixture
def explorer(make_model):
    def make(name, source=SOURCE, **more):
        attention, decoder = DECODERS[name]
        if name == "transformer":
            more = {"embedding_dim": 8, "bridge": NoBridge} | more
        more = {"attention": attention, "decoder": decoder, "initialization": Initialization("uniform", 1.0)} | more
        return Explorer(make_model(**more), (words(), words()), source, torch.device("cpu"))

    return make


CHANGES = {
    "as_it_is": None,
    "forbidden": Changes(frozenset({(None, 1), (0, 3), (2, 0)})),
    "forced": Changes(frozenset({(None, 4)}), frozenset({(1, 2), (3, 0), (3, 1)})),
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("name", DECODERS)
def test_search_and_forced_decoding_agree(explorer, name, changes):
    found = explorer(name).explore(SEARCH, (4,), changes)
    assert len(found.candidates) == 4
    for one in found.candidates:
        assert one.tokens[0] == 4
        assert len(one.steps) == len(one.tokens) + one.ended
        assert sum(one.steps) == pytest.approx(one.log_prob, abs=1e-5)
    said = [*found.best.tokens, EOS]
    assert [step.said for step in found.steps] == found.candidates[0].steps
    for step, token in zip(found.steps, said, strict=False):
        assert step.log_probs == sorted(step.log_probs, reverse=True)
        assert dict(zip(step.tokens, step.log_probs, strict=True)).get(token, step.said) == step.said
    shown = torch.from_numpy(found.seen.map.weights)
    torch.testing.assert_close(shown, found.best.weights, check_dtype=False, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", DECODERS)
def test_links_are_changed_in_every_layer_and_head(explorer, name):
    asked = explorer(name)
    changes = Changes(frozenset({(None, 1), (0, 3)}), frozenset({(1, 2)}))
    found = asked.explore(SEARCH, (4, 5, 6), changes)
    heads = found.seen.map.heads if found.seen.map.heads is not None else found.seen.map.weights[None, None]
    assert heads.shape[2:] == (len(found.seen.map.rows), 5)
    assert (heads[..., [0, *range(2, heads.shape[2])], 1] == 0).all()
    assert (heads[..., 0, 3] == 0).all()
    assert (heads[..., 1, 2] == 1).all()
    assert heads.sum(-1) == pytest.approx(1, abs=1e-5)
    free = asked.explore(SEARCH, (4, 5, 6))
    assert free.seen.map.weights[..., 1].min() > 0
    assert [step.log_probs for step in free.steps] != [step.log_probs for step in found.steps]


@pytest.mark.parametrize("name", ["bahdanau", "luong", "input_feeding", "transformer"])
def test_a_word_that_is_forbidden_to_a_softmax_is_one_that_is_masked(explorer, name):
    """Renormalised shares are those of a softmax over the words that are left."""
    asked = explorer(name)
    best = asked.explore(SEARCH).best
    told = asked.next_words(best, Changes(frozenset({(None, 1)})), [[7, 4]] * (len(best.tokens) + 1))
    model, source = asked.model, torch.tensor([SOURCE])
    with torch.no_grad():
        encoded = model.encode(source, source > 0)
        left = encoded._replace(mask=torch.tensor([[True, False, True, True, True]]))
        memory, state = model.decoder.initial_state(left)
        state = model.decoder.initial_state(encoded)[1] if name != "transformer" else state  # begins as it would
        decoded = model.decode(torch.tensor([[BOS, *best.tokens]]), memory, state)
        expected = model.logits(decoded.features)[0].log_softmax(-1)
    for step, row, token in zip(told, expected, [*best.tokens, EOS], strict=False):
        assert step.said == pytest.approx(float(row[token]), abs=1e-5)
        assert step.asked == pytest.approx(row[[7, 4]].tolist(), abs=1e-5)


def test_everything_is_as_it_was_afterwards(explorer):
    asked = explorer("transformer")
    before = list(asked.model.modules())
    free = asked.explore(SEARCH)
    with pytest.raises(ConfigError, match="no link None, 5"):
        asked.explore(SEARCH, (), Changes(frozenset({(None, 5)})))
    asked.explore(SEARCH, (), Changes(frozenset({(None, 1)})))
    assert list(asked.model.modules()) == before
    assert asked.explore(SEARCH).candidates == free.candidates
    assert all(type(mechanism_of(one).window) is All for one in asked.model.decoder.attentions)


def test_a_search_that_had_to_stop_is_told_as_far_as_it_went(explorer):
    """Also where the model knows no position for another word."""
    position = partial(LearnedPositions, max_positions=6)
    more = {"decoder": partial(Transformer, position=position, **STACK)}
    asked = explorer("transformer", **more)
    found = asked.explore(Beam(beam=2, n_best=2, min_length=5, length_penalty=0.0))
    unended = next(one for one in found.candidates if not one.ended)
    assert len(unended.steps) == len(unended.tokens) == 6
    assert sum(unended.steps) == pytest.approx(unended.log_prob, abs=1e-5)
    said = found.best._replace(tokens=unended.tokens, ended=False)
    assert asked.looks(said).map.rows == [f"w{token}" for token in unended.tokens]
    assert len(asked.next_words(said)) == 6


def test_a_model_without_weights_is_explored_and_has_no_links(explorer):
    from attnlab.attention.none import NoAttention

    asked = explorer("luong", attention=NoAttention, decoder=partial(Cho, readout=TanhOutput, hidden_dim=6))
    found = asked.explore(SEARCH, (4,))
    assert found.seen is None
    assert found.candidates[0].tokens[0] == 4
    with pytest.raises(ConfigError, match="no attention weights"):
        asked.explore(SEARCH, (), Changes(frozenset({(None, 1)})))
