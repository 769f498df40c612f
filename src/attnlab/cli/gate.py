"""What is taken over of a recorded configuration, value by value.

It builds only what ``provided`` lists and what the user trusts; it refers to values of its own and to the paths of
the command that runs, never to the environment; where something is written is for that command to say.
"""

import re
import sys
from collections.abc import Collection
from typing import Any

from attnlab.cli.provided import NAME, allowed, below

REFERENCE = re.compile(r"\$\{(\.*)([A-Za-z_]\w*(?:\.\w+)*)\}")
# A value of its own where there is one, and else a plain one.
SELECTED = re.compile(r"\$\{oc\.select:([A-Za-z_]\w*(?:\.\w+)*), ?(?:null|true|false|-?[\d.]+)\}")
# Of Hydra's own node, and only of the command that runs: what names a run and where it lies.
OF_HYDRA = re.compile(r"\$\{(hydra:(runtime\.choices\.\w+|runtime\.output_dir|sweep\.dir)|varies:|mechanism:)\}")
# What the running command has of its own, by the name of the argument that takes it.
PLACES = {
    "root": "${paths.data}", "cache": "${paths.cache}", "tokenizers": None, "vectors": None, "path": "${paths.run}",
    "exclude_batches_path": "${paths.run}/skipped.json",
    **dict.fromkeys(("directory", "default_root_dir", "save_dir", "dirpath", "log_dir"), "${paths.run}"),
}  # fmt: skip
PLACES_TO_READ = {
    ("attnlab.data.corpora.huggingface_labelled.HuggingfaceLabelled", "path"),
    ("attnlab.data.corpora.huggingface.Huggingface", "path"),
}
OWN_PLACE = re.compile(r"\$\{paths\.\w+\}(/(?!\.\.?(/|$))[^/$]+)*")
NAMES = ("name", "version", "filename", "sub_dir")  # of files within those places
OUTSIDE = re.compile(r"^(~|[A-Za-z]:|[/\\])|(^|[/\\])\.\.([/\\]|$)")
BUILDS, ARGUMENTS = "_target_", "_args_"
LIBRARIES = ("attnlab", "torch", "pytorch_lightning", "lightning", "torchmetrics", "numpy", "hydra", "omegaconf")
GIVEN = "???"  # for Hydra, a value that is still to come: the command line has it

Place = tuple[str, ...]
SAID_OF_A_RUN = ("tags", "notes")  # texts of the running command, which a logger of an earlier run may take


class Gate:
    """Takes a recorded node over and collects what it refuses.

    Args:
        trust: packages of the user's choice.
        roots: top-level keys that a value may refer to.
        given: keys that the command line sets; what was recorded there does not matter.
    """

    def __init__(self, trust: Collection[str], roots: Collection[str], given: Collection[str]) -> None:
        self.trust, self.roots, self.given = trust, roots, given
        self.mistakes: list[str] = []
        self.moved: list[str] = []

    def take(self, node: Any, at: Place, owner: str = "") -> Any:
        """The node, or what stands for it here; ``owner`` is what it is an argument of."""
        if isinstance(node, dict):
            return self.take_node(node, at)
        if isinstance(node, list):
            return [self.take(item, (*at, str(index)), owner) for index, item in enumerate(node)]
        if ".".join(at) in self.given:
            return GIVEN
        if not isinstance(node, str | int | float | None):
            self.refuse(at, f"a {type(node).__name__}, expected text, numbers, lists and keys")
            return None
        return self.take_text(node, at, owner) if isinstance(node, str) else node

    def take_node(self, node: dict[Any, Any], at: Place) -> dict[str | int, Any]:
        if len(at) == 1 and "defaults" in node:
            self.refuse(at, "has a list of defaults, though a recorded configuration is composed already")
        target = node.get(BUILDS, "")
        found: dict[str | int, Any] = {}
        for key, value in sorted(node.items(), key=lambda item: item[0] != BUILDS):
            if not isinstance(key, str | int):
                self.refuse(at, f"a key of type {type(key).__name__}, expected text")
            elif key == BUILDS and ".".join((*at, key)) not in self.given:
                if not self.may_build(value, at):
                    return {}  # what it would be called with does not matter
                found[key] = value
            elif key == ARGUMENTS and not below(str(target), self.trust):  # which of them is a place cannot be told
                self.refuse((*at, key), f"{shown(value)} came by position, expected by name")
            else:
                found[key] = self.take(value, (*at, str(key)), str(target))
        return found

    def may_build(self, target: Any, at: Place) -> bool:
        if isinstance(target, str) and allowed(target, self.trust):
            return True
        name = str(target)
        package = name.partition(".")[0]
        if package not in LIBRARIES and package not in sys.stdlib_module_names:
            name = package  # of a library that does much else, nothing but this
        self.refuse(
            (*at, BUILDS),
            f"{shown(target)} is nothing that a recorded configuration may build; if you know who made this run and "
            f"what that does, trust it with trust=[{name if NAME.fullmatch(name) else 'my_package'}], or for good in "
            "conf/local/trust.yaml",
        )
        return False

    def take_text(self, text: str, at: Place, owner: str) -> str | None:
        """Only whole references to own values: what is left over could become one of Hydra's when it is resolved."""
        place = ".".join(at)
        plain = SELECTED.sub(r"${\1}", text)
        if "$" in REFERENCE.sub("", OF_HYDRA.sub("", plain)):
            self.refuse(at, f"{shown(text)} has a $ that refers to no value of the run; give {place}=…")
        for dots, name in REFERENCE.findall(plain):
            path = (*at[: len(at) - len(dots)], *name.split(".")) if dots else tuple(name.split("."))
            if len(dots) > len(at) or path[0] not in {*self.roots, *SAID_OF_A_RUN}:
                self.refuse(at, f"{shown(text)} refers to what is not of the run; give {place}=…")
        if at[-1] in NAMES and (OUTSIDE.search(text) or REFERENCE.search(text.replace("${seed}", ""))):
            self.refuse(at, f"{shown(text)} leads out of the run's folder; give {place}=…")
        if at[-1] not in PLACES or (owner, at[-1]) in PLACES_TO_READ or below(owner, self.trust):
            return text
        return text if OWN_PLACE.fullmatch(text) else self.move(text, at)

    def move(self, text: str, at: Place) -> str | None:
        instead, place = PLACES[at[-1]], ".".join(at)
        if instead is not None:
            self.moved.append(
                f"{place}={text} of the run is not taken over, {instead} is used; give {place}=… to change it"
            )
        return instead

    def refuse(self, at: Place, why: str) -> None:
        self.mistakes.append(f"{'.'.join(at)}: {why}")


def references(node: Any) -> set[str]:
    """The top-level keys that a node refers to."""
    if isinstance(node, dict | list):
        return set().union(*map(references, node.values() if isinstance(node, dict) else node))
    if isinstance(node, str):
        return {name.partition(".")[0] for dots, name in REFERENCE.findall(SELECTED.sub(r"${\1}", node)) if not dots}
    return set()


def shown(value: Any) -> str:
    """What came, on one line and not too long."""
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}…"
