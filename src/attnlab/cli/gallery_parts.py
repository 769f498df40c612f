"""Pictures of windows and normalizers for the gallery: what each does to scores that are the same for all of them.

Nothing is computed here that a part does not compute itself. What a window learns (where to look, how to share a chunk)
is learned on the one sentence that is shown.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from jaxtyping import Bool, Float
from matplotlib.patches import Rectangle
from omegaconf import OmegaConf
from torch import Tensor

from attnlab.attention.base import Attention, Normalizer, Score
from attnlab.attention.normalizers.sigmoid import Sigmoid
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.windows.all import All
from attnlab.cli import project
from attnlab.types import ConfigError, Encoded, History, Memory
from attnlab.viz.heatmap import FAINT, save
from attnlab.viz.normalizing import Curve, normalizing
from attnlab.viz.panels import Panel, side_by_side

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCE = ["I", "saw", "the", "old", "man", "who", "sold", "his", "boat"]
TARGET = ["ich", "sah", "den", "alten", "Mann", ",", "der", "sein", "Boot", "verkaufte"]
LINKS = (0, 1, 2, 3, 4, 5, 5, 7, 8, 6)  #: the word of SOURCE that each of TARGET is of; the last one goes back
ELSEWHERE = {(2, 7): 2.6, (6, 4): 2.0, (7, 0): 2.8, (9, 8): 2.0}  #: further scores above 0
ROW = (0.2, 1.0, -0.5, 2.0, 2.6, 0.4, 1.4, -1.0, 0.0)  #: one row of scores, of SOURCE
GAPS = torch.linspace(-4.0, 6.0, 201)
# A short sentence fits into a window of the usual width; and what a setting of a normalizer changes is shown.
NARROW = {"D": 2}
VARIANTS: Mapping[str, tuple[str, tuple[Any, ...]]] = {
    "softmax": ("temperature", (0.5, 1.0, 2.0)),
    "entmax": ("alpha", (1.2, 1.5, 1.8)),
    "sigmoid": ("bias", (None, "length")),
}
STEPS, DRAWS, SHOWN = 60, 1000, 8


class Given(Score):
    """Scores that stand in a table, a row a step."""

    needs_history = counts_only = True

    def __init__(self, query_dim: int, key_dim: int, table: Float[Tensor, "T S"]) -> None:
        super().__init__(query_dim, key_dim)
        self.table = table

    def forward(self, query: Float[Tensor, "B T Q"], memory: Memory, history: History | None) -> Float[Tensor, "B T S"]:
        assert history is not None  # needs_history
        return self.table[history.step].view(*query.shape[:2], -1)


def draw_parts(folder: Path, windows: Mapping[str, Any], normalizers: Mapping[str, Any]) -> None:
    """Draw ``window-<name>.png`` and ``normalizer-<name>.png``.

    Args:
        folder: of the pictures.
        windows: factories by name, called with ``query_dim`` and ``key_dim``.
        normalizers: likewise, called with their settings.
    """
    with torch.random.fork_rng(devices=[]):
        for name, window in windows.items():
            torch.manual_seed(0)
            save(window_picture(name, window), folder / f"window-{name}.png")
        for name, normalizer in normalizers.items():
            torch.manual_seed(0)
            save(normalizer_picture(name, normalizer), folder / f"normalizer-{name}.png")


def parts(group: str) -> dict[str, Any]:
    """The factories of ``conf/attention/<group>``, by name; a part that takes another takes that of luong_general."""
    conf, found = project.configuration(), {}
    with initialize_config_dir(str(conf), version_base="1.3"):
        config = compose("train", overrides=["attention=luong_general"])
    OmegaConf.set_struct(config, False)
    for path in sorted((conf / "attention" / group).glob("*.yaml")):
        config.attention[group] = OmegaConf.load(path)
        node: Any = OmegaConf.to_container(config.attention[group], resolve=True)
        found[path.stem] = instantiate({key: NARROW.get(key, value) for key, value in node.items()})
    return found


def window_picture(name: str, window: Any) -> "Figure":
    """The same scores without the window, then with it: in training where that is something else, and in use."""
    gold = [(source, target) for target, source in enumerate(LINKS)]
    attention = learned(attention_of(window))
    told = ", ".join(f"{key} = {value}" for key, value in NARROW.items() if hasattr(attention.window, key))
    heading = f"window={name}{f', {told}' if told else ''}"
    used, seen = asked(attention.eval())
    attention.train()
    trained = torch.stack([asked(attention)[0] for _ in range(SHOWN)]).mean(0)
    heading += "" if bool(seen.all()) else " (grey: outside)"
    shown = [(heading, used, seen)]
    if not torch.allclose(used, trained, atol=1e-3):
        shown = [(f"{heading}, in training", trained, seen), (f"{heading}, in use", used, seen)]
    if not isinstance(attention.window, All):
        shown = [("window=all", *asked(attention_of(All))), *shown]
    figure = side_by_side([Panel(title, weights, SOURCE, TARGET, (gold, [])) for title, weights, _ in shown])
    for axes, (_, _, seen) in zip((one for one in figure.axes if one.images), shown, strict=True):
        for target, source in (~seen).nonzero().tolist():
            axes.add_patch(Rectangle((source - 0.5, target - 0.5), 1, 1, facecolor=FAINT, edgecolor="none"))
    return figure


def attention_of(window: Any) -> Attention:
    """The table of scores under a window, with the softmax; of a window that refuses that, with the sigmoid."""
    given = partial(Given, table=table())
    for normalizer in (Softmax, Sigmoid):
        try:
            return Attention(given, window, normalizer, query_dim=len(TARGET), key_dim=len(SOURCE))
        except ConfigError:
            continue
    raise ConfigError(f"{window} fits neither softmax nor sigmoid, so the gallery cannot draw it")


def table() -> Float[Tensor, "T S"]:
    """High where a word is of a word, some elsewhere, the rest below 0."""
    scores = -2.5 - torch.rand(len(TARGET), len(SOURCE), generator=torch.Generator().manual_seed(1))
    for target, source in enumerate(LINKS):
        scores[target, source] = 3.0
    for place, score in ELSEWHERE.items():
        scores[place] = score
    return scores


def learned(attention: Attention) -> Attention:
    """Let what can be learned be learned: that on average each word looks at the word that it is of."""
    known = list(attention.parameters())
    if known:
        places, links = torch.arange(len(SOURCE), dtype=torch.float32), torch.tensor(LINKS, dtype=torch.float32)
        optimizer = torch.optim.Adam(known, lr=0.2)
        for _ in range(STEPS):
            found, _ = asked(attention.train())
            mean = (found @ places) / found.sum(-1).clamp(min=1e-3)
            optimizer.zero_grad()
            missed = -found[torch.arange(len(LINKS)), LINKS].clamp(min=1e-3).log()
            ((mean - links).square() + missed).mean().backward()
            optimizer.step()
    return attention


def asked(attention: Attention) -> tuple[Float[Tensor, "T S"], Bool[Tensor, "T S"]]:
    """The weights of every word of TARGET, one after the other, and what its window lets it see.

    Queries and annotations say which word it is, and no more.
    """
    query, states = torch.eye(len(TARGET)), torch.eye(len(SOURCE)).unsqueeze(0)
    memory = attention.memory(Encoded(states, torch.ones(1, len(SOURCE), dtype=torch.bool), states.sum(1), ()))
    history, rows, seen = attention.initial_state(memory), [], []
    for step in range(len(TARGET)):
        one = query[step].view(1, 1, -1)
        seen.append(attention.window(one, memory, history)[0, 0])
        attended = attention(one, memory, history)
        assert attended.weights is not None  # the window gives some
        history = attended.history
        rows.append(attended.weights[0, 0])
    weights = torch.stack(rows)
    return weights if attention.training else weights.detach(), torch.stack(seen)


def normalizer_picture(name: str, normalizer: Any) -> "Figure":
    """Weights of one row of scores; beside it what they do as one score grows, or what is drawn in training."""
    scores = torch.tensor(ROW)
    made = made_of(normalizer)
    used = rows(made.eval(), scores)[0]
    draws = rows(made.train(), scores.expand(DRAWS, -1))
    random = bool((draws != draws[0]).any())
    setting, values = VARIANTS.get(name, ("", (None,)))
    curves = [
        Curve(
            f"{setting} = {'null' if value is None else value}" if setting else name,
            grown(made_of(normalizer, **({setting: value} if setting else {})).eval()),
        )
        for value in values
    ]
    return normalizing(
        name,
        SOURCE,
        ROW,
        used.numpy(),
        rows(Softmax(), scores)[0].numpy(),
        draws[:SHOWN].numpy() if random else None,
        draws.mean(0).numpy() if random else None,
        GAPS.numpy(),
        curves,
        grown(Softmax()),
    )


def made_of(normalizer: Any, **settings: Any) -> Normalizer:
    made: Normalizer = normalizer(**settings)
    made.initialize()
    return made


def rows(normalizer: Normalizer, scores: Float[Tensor, "*T S"]) -> Float[Tensor, "T S"]:
    each = scores.reshape(1, -1, scores.size(-1))
    return normalizer(each, torch.ones_like(each, dtype=torch.bool))[0].detach()


def grown(normalizer: Normalizer) -> Float[np.ndarray, " G"]:
    """The weight of a word over GAPS: its score is so much above that of all others, which have 0."""
    scores = torch.zeros(len(GAPS), len(SOURCE))
    scores[:, 0] = GAPS
    return rows(normalizer, scores)[:, 0].numpy()
