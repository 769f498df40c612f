"""What papers have printed of runs such as these: recorded with the runs, by the preset that made them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from attnlab.analysis.runs import Run

SPLIT = "test"  #: beside whose scores it stands


class Source(NamedTuple):
    """Where it was printed."""

    name: str
    cite: str  #: the key of an entry of a bibliography
    data: str  #: what it was measured on

    @property
    def told(self) -> str:
        return f"Published: {self.name}, on its own data and at its own size ({self.data})."


class Published(NamedTuple):
    """Of the configurations of a comparison."""

    sources: tuple[Source, ...] = ()
    values: Mapping[str, Mapping[str, str]] = {}  #: by configuration and quantity, or any other name; as printed

    @property
    def names(self) -> list[str]:
        """Of all values, in their order."""
        return list(dict.fromkeys(name for told in self.values.values() for name in told))


def published(runs: Mapping[str, Run]) -> Published:
    """What the presets of these runs have of them, by configuration; of an edited record nothing."""
    sources: dict[Source, None] = {}
    values = {}
    for name, run in runs.items():
        told = run.config.get("published")
        if not isinstance(told, Mapping) or not isinstance(rows := told.get("rows"), Sequence):
            continue
        found = [row for row in rows if isinstance(row, Mapping) and matches(row.get("when"), run)]
        if found and isinstance(printed := found[0].get("values"), Mapping):
            sources[Source(*(str(told.get(key, "")) for key in ("source", "cite", "data")))] = None
            values[name] = {str(key): str(value) for key, value in printed.items()}
    return Published(tuple(sources), values)


def matches(when: Any, run: Run) -> bool:
    """Whether a run has made these choices."""
    return isinstance(when, Mapping) and all(run.choices.get(key) == value for key, value in when.items())
