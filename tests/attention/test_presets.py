"""Every preset in its model, as ``python train.py attention=<preset>`` builds it: a step of training, and a search."""

from pathlib import Path

import pytest
import torch
from composing import CONF, compose
from hydra.utils import instantiate
from presets_asked import PRESETS

from attnlab.cli import build, folders
from attnlab.models.graphs import Graphs
from attnlab.models.seq2seq import passes
from attnlab.search.beam import Beam
from attnlab.types import ConfigError, tree_map

SIZES = {"source_vocabulary": 11, "target_vocabulary": 13}
SMALL = [
    "encoder.hidden_dim=8",
    "decoder.hidden_dim=16",
    "model.embedding_dim=8",
    "model.dropout=0",
    "logger=none",
]


@pytest.fixture(autouse=True)
def _resolvers(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folders.register()


def small(preset):
    composed = compose(f"attention={preset}")
    settings = [line for line in SMALL if present(composed, line.partition("=")[0])]
    return compose(f"attention={preset}", *settings)


def present(composed, key):
    part, _, name = key.partition(".")
    return not name or name in composed[part]


@pytest.mark.parametrize("preset", PRESETS)
def test_learns_and_translates(preset, batch):
    """A few steps on three sentences bring the loss down; then a beam search, whose weights are those of a search."""
    settings = small(preset)
    build.rehearse(settings)
    model = build.model(settings, SIZES)
    optimizer = instantiate(settings.optimizer)(model.parameters())
    optimizer.param_groups[0]["lr"] = 0.01
    losses = []
    for _ in range(15):
        decoded = model(batch)
        loss = model.loss(batch, decoded)
        total = loss.total if loss.extra is None else loss.total + loss.extra
        optimizer.zero_grad()
        total.backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is None or parameter.grad.isfinite().all(), name
        optimizer.step()
        losses.append(loss.total.item())
    assert losses[-1] < 0.8 * losses[0]

    found = Beam(beam=3)(model.eval(), batch.source, batch.source_mask)
    assert len(found) == len(batch.source)
    for hypotheses, words in zip(found, batch.source_mask.sum(1).tolist(), strict=True):
        weights = hypotheses[0].weights
        if not model.has_weights:
            assert weights is None
        else:
            assert weights.shape[1] == words
            assert weights.isfinite().all()


WINDOWS = sorted(path.stem for path in Path(CONF, "attention", "window").glob("*.yaml"))


@pytest.mark.parametrize("window", WINDOWS)
def test_a_window_picked_for_another_preset_works_or_says_what_does(window):
    """``attention=luong_general attention/window=<each>``, without naming a decoder or a normalizer."""
    picked = ["attention=luong_general", f"attention/window={window}"]
    if window not in ("monotonic", "mocha"):
        build.rehearse(compose(*picked))
        return
    with pytest.raises(ConfigError, match="attention/normalizer=sigmoid"):
        build.rehearse(compose(*picked))
    build.rehearse(compose(*picked, "attention/normalizer=sigmoid"))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["attention=coverage", "encoder=transformer", "decoder=transformer"], "decoder=bahdanau"),
        (["attention=last", "attention/window=local_p"], "attention=uniform"),
        (["attention=mocha", "attention/normalizer=softmax"], "attention/normalizer=sigmoid"),
        (["attention=monotonic", "attention.normalizer.bias=length"], "attention.window.r"),
        (["attention=none", "task.coverage_loss=1.0"], "attention=coverage"),
        (["attention=cosine", "decoder.hidden_dim=64"], "decoder.hidden_dim=256"),
        (["attention=bahdanau", "decoder=cho"], "attention=none"),
    ],
)
def test_what_cannot_be_built_names_what_can(overrides, message):
    with pytest.raises(ConfigError) as caught:
        build.rehearse(compose(*overrides))
    assert message in str(caught.value)


def test_what_a_paper_starts_from_survives_the_initialisation_of_the_model():
    """The model fills all weights at random afterwards; r, g, beta and alpha must not be among them."""
    wanted = {
        ("monotonic", "score.g"): 256**-0.5,
        ("monotonic", "window.r"): 0.0,
        ("mocha", "window.chunk_score.g"): 256**-0.5,
        ("entmax", "normalizer.alpha"): 1.5,
    }
    for (preset, name), value in wanted.items():
        found = build.model(compose(f"attention={preset}"), SIZES).decoder.attention
        for part in name.split("."):
            found = getattr(found, part)
        assert found.item() == pytest.approx(value)
    cosine = build.model(compose("attention=cosine"), SIZES).decoder.attention.score
    assert torch.nn.functional.softplus(cosine.b).item() == pytest.approx(10.0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("preset", PRESETS)
def test_trains_alike_by_cuda_graphs(preset, batch):
    """Captured, and equal to a plain pass from the same random state; weights that are drawn, too."""
    model = build.model(small(preset), SIZES).cuda().train()
    given = tree_map(lambda leaf: leaf.cuda(), batch)
    graphs, found = Graphs(passes(model)), []
    for call in (graphs, graphs, model, graphs):
        if call is model:  # as an optimizer's step would
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.mul_(0.9)
        torch.manual_seed(5)
        model.zero_grad()
        decoded = call(given)
        model.loss(given, decoded).total.backward()
        grads = [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
        found.append((decoded.features.detach(), *grads))
    assert not graphs.failed
    torch.testing.assert_close(found[3], found[2], atol=1e-5, rtol=1e-4)
