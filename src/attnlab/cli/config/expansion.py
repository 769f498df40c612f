"""What a configuration stands for once its references are followed: twenty lines of ``${a}${a}`` are gigabytes."""

import re
from collections.abc import Iterator
from typing import Any

from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf

MOST = 20_000  # values, each reference counted as all that it stands for; a training has about 300
LINE = 64  # characters that count as one value
DEEPEST = 50  # references that lead from one to the next
# ${name}, ${..name}, ${hydra:name}, ${oc.select:name}; of other resolvers the arguments are found where they refer.
REFERENCE = re.compile(r"\$\{\s*(?:(hydra):|oc\.(?:select|dict\.\w+):)?(\.*)([^\s{}:,$]+)(?![^\s{},$]*:)")

Place = tuple[str, ...]


def check_expansion(config: DictConfig) -> None:
    """See that what a configuration stands for is of a size that can be worked with. Nothing is resolved.

    Raises:
        ConfigCompositionException: it is not; of the value that goes too far.
    """
    Expansion(OmegaConf.to_container(config, resolve=False)).check()


class References:
    """What the values of a configuration refer to, as it is written."""

    def __init__(self, root: Any) -> None:
        self.root = root

    def referred(self, text: Any, at: Place) -> Iterator[Place]:
        """The places that a text refers to, which stands at ``at``."""
        if isinstance(text, str) and "${" in text:
            for node, dots, name in REFERENCE.findall(text):
                path = tuple(filter(None, (node, *re.split(r"[.\[\]]", name))))
                yield (*at[: max(len(at) - len(dots), 0)], *path) if dots else path

    def select(self, at: Place) -> Any:
        """What is there, or nothing."""
        node = self.root
        for name in at:
            if isinstance(node, dict):
                node = node.get(name, node.get(int(name)) if name.isdigit() else None)
            else:
                node = node[int(name)] if isinstance(node, list) and name.isdigit() and int(name) < len(node) else None
        return node

    def inside(self, node: Any, at: Place) -> Iterator[tuple[Place, Any]]:
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        yield from (((*at, str(key)), value) for key, value in pairs)

    def behind(self, at: Place) -> set[Place]:
        """All places that the value at a place is made of, directly or through others."""
        found: set[Place] = set()
        waiting: list[tuple[Place, Any]] = [(at, self.select(at))]
        while waiting:
            place, node = waiting.pop()
            if isinstance(node, dict | list):
                waiting += self.inside(node, place)
                continue
            new = [other for other in self.referred(node, place) if other not in found]
            found.update(new)
            waiting += [(other, self.select(other)) for other in new]
        return found


class Expansion(References):
    """Sizes of the values of a configuration, each worked out once."""

    def __init__(self, root: Any) -> None:
        super().__init__(root)
        self.sizes: dict[Place, int] = {}

    def check(self) -> None:
        self.of(())

    def of(self, at: Place, node: Any = None, through: tuple[Place, ...] = ()) -> int:
        """How many values stand at a place; ``through`` are the references that led there."""
        if at in through:  # a circle, which is told where it is resolved
            return 0
        if at not in self.sizes:
            node = self.select(at) if node is None else node
            if isinstance(node, dict | list):
                parts = self.inside(node, at)
            else:
                parts = ((place, None) for place in self.referred(node, at))
            size = 1 + (len(node) // LINE if isinstance(node, str) else 0)
            inner = through if isinstance(node, dict | list) else (*through, at)
            size += sum(self.of(place, value, inner) for place, value in parts)
            if size > MOST or len(inner) > DEEPEST:
                raise ConfigCompositionException(
                    f"{'.'.join(at)}: its references stand for more than {MOST:,} values, or lead through more than "
                    f"{DEEPEST} others"
                )
            self.sizes[at] = size
        return self.sizes[at]
