"""The composed configuration as a tree, for whoever wants to see what will be trained."""

from io import StringIO
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from attnlab.analysis.values import show
from attnlab.atomic import write_text
from attnlab.console import console, visible

FILE = "config_tree.log"
WIDTH = 160  # columns of the file
BESIDE = ("_target_", "_partial_")  # are told with the part


def print_config(config: DictConfig, folder: Path) -> None:
    """Print the configuration, and keep it as ``config_tree.log``.

    What a part builds stands beside its name. Of references to values the value is told; a part that stands elsewhere
    is named, and told there; places are told from their folder on.
    """
    tree = Tree("configuration")
    grow(tree, OmegaConf.to_container(config, resolve=True), OmegaConf.to_container(config, resolve=False))
    console().print(tree)
    kept = Console(file=StringIO(), width=WIDTH, color_system=None, markup=False, emoji=False, highlight=False)
    with kept.capture() as captured:
        kept.print(tree)
    write_text(folder / FILE, captured.get())


def grow(tree: Tree, node: Any, written: Any) -> None:
    """A branch for each key; what has no keys stands behind its own.

    Args:
        tree: to grow from.
        node: resolved.
        written: the same as it is written.
    """
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        as_written, has_keys = written[key], isinstance(value, dict | list) and bool(value)
        if key in BESIDE:
            continue
        if has_keys and not isinstance(as_written, str):
            built = value.get("_target_") if isinstance(value, dict) else None
            head = Text(str(key), style="bold")
            grow(
                tree.add(head.append(f": {visible(str(built))}", style="not bold") if built else head),
                value,
                as_written,
            )
        else:
            named = isinstance(as_written, str) and (has_keys or as_written.startswith("${paths."))
            tree.add(Text(visible(f"{key}: {as_written if named else show(value)}")))
