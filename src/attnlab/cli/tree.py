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


def print_config(config: DictConfig, folder: Path) -> None:
    """Print the configuration, with its references resolved, and keep it as ``config_tree.log``."""
    tree = Tree("configuration")
    grow(tree, OmegaConf.to_container(config, resolve=True))
    console().print(tree)
    kept = Console(file=StringIO(), width=WIDTH, color_system=None, markup=False, emoji=False, highlight=False)
    with kept.capture() as captured:
        kept.print(tree)
    write_text(folder / FILE, captured.get())


def grow(tree: Tree, node: Any) -> None:
    """A branch for each key; what has no keys stands behind its own."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        if isinstance(value, dict | list) and value:
            grow(tree.add(Text(str(key), style="bold")), value)
        else:
            tree.add(Text(visible(f"{key}: {show(value)}")))
