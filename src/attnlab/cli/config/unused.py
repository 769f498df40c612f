"""A part that is chosen and that nothing takes would be an option that does nothing: it is a mistake."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

BUILT = ("model", "task")  # by the command itself; all other parts are handed on to one another
REFERENCE = re.compile(r"\$\{(?:oc\.select:)?(\w+)")
TAKERS = {
    "position": "encoder=transformer, encoder=convolutional and decoder=transformer take one; "
    "recurrent layers know the order by themselves",
    "attention": "pooling=context_vector, last_state and structured take one, in task=classification",
    "decoder": "task=translation has one",
    "bridge": "task=translation has one",
    "search": "task=translation has one",
    "pooling": "model=classifier takes one, in task=classification",
    "encoder": "model=seq2seq and model=classifier take one",
    "self_attention": "encoder=transformer and decoder=transformer have some",
}


def idle(config: DictConfig, choices: Mapping[str, Any]) -> Iterator[str]:
    """Messages for parts at the root that no other part refers to; the option ``none`` says as much itself."""
    read = set(REFERENCE.findall(str(OmegaConf.to_container(config, resolve=False))))
    for key, node in config.items_ex(resolve=False):
        name = str(key)
        part = isinstance(node, DictConfig) and node.get("_partial_") is True
        chosen = choices.get(name) not in (None, "none")  # a finished run's parts are given, not chosen
        if part and chosen and name not in BUILT and name not in read:
            hint = TAKERS.get(name, f"a part that takes it has {name}: ${{{name}}}")
            yield f"{name}={choices.get(name)}: nothing that was chosen takes it, so it would do nothing; {hint}"
