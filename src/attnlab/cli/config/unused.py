"""A part that is chosen and that nothing takes would be an option that does nothing: it is a mistake."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from attnlab.cli.config.keys import TAKERS

BUILT = ("model", "task", "data", "trainer")  # by the command itself; all other parts are handed on to one another
REFERENCE = re.compile(r"\$\{(?:oc\.select:)?(\w+)")


def idle(config: DictConfig, choices: Mapping[str, Any]) -> Iterator[str]:
    """Messages for parts at the root that no other part refers to; the option ``none`` says as much itself."""
    built = BUILT if "task" in config else (*BUILT, "search")  # translate searches without a task
    read = set(REFERENCE.findall(str(OmegaConf.to_container(config, resolve=False))))
    for key, node in config.items_ex(resolve=False):
        name = str(key)
        part = isinstance(node, DictConfig) and "_target_" in node
        chosen = choices.get(name) not in (None, "none")  # a finished run's parts are given, not chosen
        if part and chosen and name not in built and name not in read:
            hint = TAKERS.get(name, f"a part that takes it has {name}: ${{{name}}}")
            yield f"{name}={choices.get(name)}: nothing that was chosen takes it, so it would do nothing; {hint}"
