"""What a run is called by, after its data: the mechanism that looks, or what stands in its place."""

from collections.abc import Mapping
from typing import Any

#: Settings at the root that nothing of what is trained depends on: what a run is called and shown by, which goes on.
AROUND = (
    "sweep_name", "jobs_per_gpu", "resume", "trust", "compare_after", "tags", "notes", "print_config", "cmap",
    "published",
)  # fmt: skip
NONE = "none"
ABOVE = "attention@sentence_pooling.attention"  # the mechanism that looks at sentences
USUAL = "context_vector"  # the pooling that a classifier has by itself; its mechanism alone is the name


def mechanism(choices: Mapping[str, Any]) -> str:
    """``luong_dot``, ``none`` of a decoder without attention, ``mean`` of a pooling without, ``linear`` of a model.

    >>> mechanism({"attention": "bahdanau", "decoder": "luong", "model": "seq2seq"})
    'bahdanau'
    >>> mechanism({"attention": "none", "decoder": "cho", "model": "seq2seq"})
    'none'
    >>> mechanism({"attention": "tanh_dot", "pooling": "context_vector", "model": "classifier"})
    'tanh_dot'
    >>> mechanism({"attention": "luong_dot", "pooling": "last_state", "model": "classifier"})
    'last_state_luong_dot'
    >>> mechanism({"attention": "none", "pooling": "mean", "model": "classifier"})
    'mean'
    >>> mechanism({"attention": "none", "pooling": None, "model": "linear"})
    'linear'
    >>> mechanism({"attention": "tanh_dot", "pooling": "context_vector", "sentence_pooling": "mean",
    ...            "model": "hierarchical"})
    'hierarchical_tanh_dot_mean'

    Args:
        choices: the option of each group, null where there is none.
    """
    if above := choices.get("sentence_pooling"):
        levels = (choices.get("pooling"), choices.get("attention")), (above, choices.get(ABOVE))
        names = [mechanism({"pooling": pooling, "attention": attention}) for pooling, attention in levels]
        return "_".join([str(choices.get("model")), *dict.fromkeys(names)])
    attention, pooling = choices.get("attention") or NONE, choices.get("pooling")
    parts = [name for name, absent in ((pooling, (None, USUAL)), (attention, (NONE,))) if name not in absent]
    if parts:
        return "_".join(map(str, parts))
    return str(attention if choices.get("decoder") else pooling or choices.get("model") or attention)
