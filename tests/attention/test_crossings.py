"""Every score with every window with every normalizer: those that are refused say why, all others work.

The parts are those found in conf/attention; a new one is crossed with all others without being named anywhere.
"""

from pathlib import Path

import pytest
import torch
from composing import CONF
from hydra.utils import instantiate
from omegaconf import OmegaConf
from presets_asked import PRESETS

from attnlab.attention.row_sums import RowSum
from attnlab.testing.asking import LENGTHS, B, D, alone, ask, at_once, encoded, in_steps
from attnlab.types import ConfigError, Encoded, select

ATTENTION, STEPS = "attnlab.attention.base.Attention", 7
READ = [OmegaConf.load(CONF / "attention" / f"{preset}.yaml") for preset in PRESETS]
SCORES = {preset.score["_target_"].split(".")[-2]: preset.score for preset in READ if preset["_target_"] == ATTENTION}
WINDOWS, NORMALIZERS = (
    {path.stem: OmegaConf.load(path) for path in sorted(Path(CONF, "attention", part).glob("*.yaml"))}
    for part in ("window", "normalizer")
)
CROSSINGS = [(s, w, n) for s in SCORES for w in WINDOWS for n in NORMALIZERS]
READS_ON = ("monotonic", "mocha")  # windows that decide word by word
NARROW = {"D": 1, "w": 2}  # so that windows are narrower than the sentences here


def impossible(score, window, normalizer):
    """What the error has to name where a combination cannot exist."""
    if score == "last" and (window != "all" or normalizer == "sigmoid"):
        return "attention/window=all"
    if window in READS_ON and normalizer != "sigmoid":
        return "attention/normalizer=sigmoid"
    if score == "neural_coverage" and window == "mocha":
        return "attention/window=monotonic"
    return None


def build(score, window, normalizer, dtype):
    window = OmegaConf.merge(WINDOWS[window], {k: v for k, v in NARROW.items() if k in WINDOWS[window]})
    parts = {"score": SCORES[score], "window": window, "normalizer": NORMALIZERS[normalizer]}
    node = OmegaConf.create({"_target_": ATTENTION, "_partial_": True, **parts})
    return instantiate(node)(query_dim=D, key_dim=D).to(dtype).eval()


@pytest.mark.parametrize(("score", "window", "normalizer"), [c for c in CROSSINGS if impossible(*c)])
def test_what_cannot_exist_is_refused_with_what_can(score, window, normalizer):
    with pytest.raises(ConfigError) as caught:
        build(score, window, normalizer, torch.float64)
    assert impossible(score, window, normalizer) in str(caught.value)


@pytest.mark.parametrize("dtype", [pytest.param(torch.float32, marks=pytest.mark.long), torch.float64])
@pytest.mark.parametrize(("score", "window", "normalizer"), [c for c in CROSSINGS if not impossible(*c)])
def test_what_can_exist_works(score, window, normalizer, dtype):
    """Lengths of 6, 3 and 1 with 7 queries: longer and shorter than the sentences, and a sentence of one word."""
    attention, sentence = build(score, window, normalizer, dtype), encoded(dtype)
    query, close = torch.randn(B, STEPS, D, dtype=dtype), {"atol": 1e-5 if dtype == torch.float32 else 1e-11, "rtol": 0}
    found = ask(attention, query, sentence)
    check_rows(found.weights, sentence.mask, attention, normalizer if window not in READS_ON else "")
    torch.testing.assert_close(found.context, found.weights @ attention.memory(sentence).values)

    for row, length in enumerate(LENGTHS):
        apart = ask(attention, query[row : row + 1], alone(sentence, row, length))
        torch.testing.assert_close(apart.weights[0], found.weights[row, :, :length], **close)
        torch.testing.assert_close(apart.context[0], found.context[row], **close)
    order = torch.tensor([2, 0, 1])
    shuffled = Encoded(*(part[order] for part in sentence[:3]), (sentence.final[0][order],))
    torch.testing.assert_close(ask(attention, query[order], shuffled).context, found.context[order], **close)
    if not attention.looks_back:
        torch.testing.assert_close(in_steps(attention, query, sentence).weights, found.weights, **close)
        torch.testing.assert_close(at_once(attention, query, sentence).weights, found.weights, **close)
    check_beam(attention, sentence, dtype, close)
    check_training(attention, sentence, query)


def check_rows(weights, mask, attention, normalizer):
    assert weights.isfinite().all()
    assert (weights >= 0).all()
    assert (weights.masked_select(~mask[:, None].expand_as(weights)) == 0).all()
    sums = weights.double().sum(-1)
    if attention.row_sum is RowSum.ONE:
        torch.testing.assert_close(sums, torch.ones_like(sums), atol=1e-6, rtol=0)
    elif attention.row_sum is RowSum.AT_MOST_ONE:
        assert (sums <= 1 + 1e-6).all()
    else:
        assert attention.row_sum is RowSum.NOT_NEGATIVE
        assert normalizer == "sigmoid"  # which weighs every word on its own
        assert (weights <= 1 + 1e-6).all()


def check_beam(attention, sentence, dtype, close):
    """Two hypotheses a sentence, swapped after every step, against sentences of their own."""
    rows, query = torch.arange(B).repeat_interleave(2), torch.randn(2 * B, 3, D, dtype=dtype)
    copies = Encoded(*(part[rows] for part in sentence[:3]), (sentence.final[0][rows],))
    memory, copied = attention.memory(sentence), attention.memory(copies)
    history, past = select(attention.initial_state(memory), rows), attention.initial_state(copied)
    swap = torch.arange(2 * B).view(B, 2).flip(1).flatten()
    for step in range(3):
        together = attention(query[:, step].view(B, 2, D), memory, history)
        apart = attention(query[:, step : step + 1], copied, past)
        torch.testing.assert_close(together.weights.flatten(0, 1), apart.weights[:, 0], **close)
        history, past = select(together.history, swap), select(apart.history, swap)


def check_training(attention, sentence, query):
    """Finite gradients, and a way to every parameter."""
    found = ask(attention.train(), query, sentence._replace(states=sentence.states.requires_grad_()))
    loss = found.context.square().sum()
    if found.sample is not None:
        reward = -torch.arange(1.0, B + 1, dtype=query.dtype)
        loss = loss + attention.surrogate(found.sample, reward, torch.ones(query.shape[:2], dtype=torch.bool))
    loss.backward()
    assert sentence.states.grad.isfinite().all()
    for name, parameter in attention.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
