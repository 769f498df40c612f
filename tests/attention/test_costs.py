"""The cost that a docstring states against the products that torch is asked for, at sizes that are all different."""

import importlib
import inspect
import math
import pkgutil
import re
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import attnlab.attention.scores
from attnlab.attention.base import Score
from attnlab.attention.multi_head import MultiHead
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.scaled_dot import ScaledDot
from attnlab.attention.windows.all import All
from attnlab.attention.windows.local_p import LocalP
from attnlab.types import Encoded, History, Memory, tree_map

SIZES = {"B": 2, "T": 5, "S": 11, "Q": 48, "K": 80, "A": 28, "d": 6, "k": 4, "r": 9, "P": 70}
SETTINGS = {"attention_dim": "A", "coverage_dim": "d", "filters": "k", "width": "r", "max_positions": "P"}
LARGER = [{}, {"S": 90}, {"T": 40}, {"Q": 400}, {"K": 640}, {"A": 320}, {"d": 60, "k": 40, "r": 91, "P": 900}]
AT_MOST = 2.1  # times what is stated: its constant, as of the two products of a multi-head's projections
SCORES = {
    name: score
    for _, name, _ in pkgutil.iter_modules(attnlab.attention.scores.__path__)
    for score in vars(importlib.import_module(f"attnlab.attention.scores.{name}")).values()
    if inspect.isclass(score) and issubclass(score, Score) and score.__module__.endswith(f".{name}")
}


def stated(module, what):
    """The expression behind a word, as a function of sizes: ``O(B T A (Q + S))`` is ``B*T*A*(Q+S)``."""
    cost = " ".join(re.search(r"\nCost: (.*?)(\n\n|$)", module.__doc__, re.DOTALL)[1].split())
    found = re.search(what + r"\b[^;]*? O\((.*)", cost)
    if found is None or "for the context" in cost:
        return lambda sizes: 0
    product = re.sub(r"(?<=[\w)]) (?=[\w(])", " * ", enclosed(found[1]).replace("^", " ** "))
    return lambda sizes: eval(product, {}, sizes)  # of our own docstrings


def enclosed(text):
    """Up to the parenthesis that closes one that was open before."""
    depth = 1
    for end, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[:end]
    raise ValueError(f"no end: {text}")


def products(work):
    """Multiply-adds of the matrix products of ``work()``, as torch counts them, and what it gave."""
    mv = {torch.ops.aten.mv: lambda matrix, *_, **__: 2 * math.prod(matrix), torch.ops.aten.dot: lambda *_, **__: 0}
    with torch.no_grad(), FlopCounterMode(display=False, custom_mapping=mv) as counter:
        result = work()
    return counter.get_total_flops() / 2, result


def holds(measured, formula, sizes):
    expected = formula(sizes)
    assert expected * 0.9 <= measured <= expected * AT_MOST, f"{measured / max(expected, 1):.2f} times what is stated"


@pytest.mark.parametrize("larger", LARGER, ids=str)
@pytest.mark.parametrize("name", SCORES)
def test_scores(name, larger):
    sizes = SIZES | larger
    module = inspect.getmodule(SCORES[name])
    same = "require_equal_sizes" in vars(module)
    sizes["K"] = sizes["Q"] if same else sizes["K"]
    accepted = inspect.signature(SCORES[name]).parameters
    settings = {key: sizes[letter] for key, letter in SETTINGS.items() if key in accepted}
    score = SCORES[name](query_dim=sizes["Q"], key_dim=sizes["K"], **settings)
    score.initialize()
    states, mask = torch.randn(sizes["B"], sizes["S"], sizes["K"]), torch.ones(sizes["B"], sizes["S"]).bool()
    once, keys = products(lambda: score.keys(states))
    memory, query = Memory(keys, states, mask, states[:, 0]), torch.randn(sizes["B"], sizes["T"], sizes["Q"])
    nowhere = torch.zeros(mask.shape)
    first = History(nowhere, nowhere, torch.zeros(sizes["B"], dtype=torch.long), score.initial_state(memory), ())
    past = tree_map(lambda part: part.repeat_interleave(sizes["T"], 0), first)

    def step():
        scores = score(query, memory, past)
        return score.next_state(query, memory, past, scores)

    measured, _ = products(step)
    holds(measured, stated(module, "time"), sizes)
    holds(once, stated(module, "keys"), sizes)


@pytest.mark.parametrize("larger", LARGER[:5], ids=str)
def test_heads(larger):
    sizes = SIZES | larger | {"H": 4}
    heads = MultiHead(ScaledDot, All, partial(Softmax), sizes["Q"], sizes["K"], heads=4).eval()
    states, mask = torch.randn(sizes["B"], sizes["S"], sizes["K"]), torch.ones(sizes["B"], sizes["S"]).bool()
    once, memory = products(lambda: heads.memory(Encoded(states, mask, states[:, 0], ())))
    measured, _ = products(lambda: heads(torch.randn(sizes["B"], sizes["T"], sizes["Q"]), memory))
    holds(measured, stated(inspect.getmodule(MultiHead), "time"), sizes)
    holds(once, stated(inspect.getmodule(MultiHead), "keys"), sizes)


def test_a_predicted_window():
    sizes = SIZES | {"S": 40}
    states = torch.randn(sizes["B"], sizes["S"], sizes["K"])
    memory = Memory(states, states, torch.ones(sizes["B"], sizes["S"]).bool(), states[:, 0])
    window = LocalP(sizes["Q"], sizes["K"])
    measured, _ = products(lambda: window.distance(torch.randn(sizes["B"], sizes["T"], sizes["Q"]), memory))
    holds(measured, stated(inspect.getmodule(LocalP), "time"), sizes)


def test_a_wrong_cost_would_be_found():
    """What location_aware said before: A + r k for each word, where it is k A + r k and the query's projection."""
    module = SimpleNamespace(__doc__="X.\n\nCost: time O(B T S (A + r k)), memory O(B).\n")
    right = stated(inspect.getmodule(SCORES["location_aware"]), "time")(SIZES)
    with pytest.raises(AssertionError, match="times what is stated"):
        holds(right, stated(module, "time"), SIZES)
