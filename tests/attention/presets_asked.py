"""The presets found in conf/attention, built as the configuration builds them, and what they are asked."""

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

from attnlab.attention.base import consecutive
from attnlab.types import Encoded

CONF = Path(__file__).resolve().parents[2] / "conf"
PRESETS = sorted(path.stem for path in (CONF / "attention").glob("*.yaml"))
B, T, S, D = 3, 4, 6, 8
LENGTHS = [6, 3, 1]


@cache
def composed(preset: str, *overrides: str) -> Any:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", overrides=[f"attention={preset}", *overrides])
    return OmegaConf.create(OmegaConf.to_container(config.attention, resolve=True))


def factory(preset: str) -> Callable[..., Any]:
    """A preset with the settings of its reference, if it asks for some."""
    return instantiate(composed(preset, *getattr(reference_of(preset), "SETTINGS", [])))


def reference_of(preset: str) -> ModuleType | None:
    path = Path(__file__).parent / "references" / f"{preset}.py"
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location(f"reference_{preset}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def encoded(dtype=torch.float64, lengths=LENGTHS, source=S):
    mask = torch.arange(source) < torch.tensor(lengths)[:, None]
    states = torch.randn(len(lengths), source, D, dtype=dtype) * mask[..., None]
    return Encoded(states, mask, states.sum(1), (states[:, :1],))


def make(build, dtype=torch.float64):
    """Ready to be evaluated; what draws at random or expects something in training does so after ``train()``."""
    return build(query_dim=D, key_dim=D, summary_dim=D).to(dtype).eval()


def in_steps(attention, query, sentence):
    """Query by query, each with the past of the one before."""
    memory = attention.memory(sentence)
    history, steps = attention.initial_state(memory), []
    for step in range(query.size(1)):
        steps.append(attention(query[:, step : step + 1], memory, history))
        history = steps[-1].history
    weights = [step.weights for step in steps]
    samples = [step.sample for step in steps]
    return SimpleNamespace(
        context=torch.cat([step.context for step in steps], 1),
        weights=None if weights[0] is None else torch.cat(weights, 1),
        sample=None if samples[0] is None else type(samples[0])(*(torch.cat(p, 1) for p in zip(*samples, strict=True))),
    )


def at_once(attention, query, sentence):
    memory = attention.memory(sentence)
    history = attention.initial_state(memory)
    return attention(query, memory, None if history is None else consecutive(history, query.size(1)))


def ask(attention, query, sentence):
    """All queries: at once, or one by one for a mechanism that looks back."""
    return (in_steps if attention.looks_back else at_once)(attention, query, sentence)


def alone(sentence, row, length):
    """One sentence of a batch without its padding."""
    rows = slice(row, row + 1)
    return Encoded(
        sentence.states[rows, :length],
        sentence.mask[rows, :length],
        sentence.summary[rows],
        tuple(part[rows] for part in sentence.final),
    )
