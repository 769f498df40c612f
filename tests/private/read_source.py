"""What the tests of the fence read: our modules as trees, and things by their dotted names."""

import ast
import inspect
import re
from functools import cache
from importlib import import_module
from pathlib import Path

UNDERSCORED = re.compile(r"_[a-z]\w*")
# Documented, underscore and all: NamedTuple's, the interpreter's and the keys that Hydra builds nodes by.
DOCUMENTED = {
    "_replace", "_asdict", "_make", "_fields", "_field_defaults", "_exit", "_getframe", "_current_frames", "_target_",
    "_partial_",
}  # fmt: skip


@cache
def modules(fence: bool) -> dict[str, ast.Module]:
    """By their dotted names; those of the fence, or all others."""
    root = Path(__file__).parents[2] / "src"
    files = {".".join(path.relative_to(root).with_suffix("").parts): path for path in root.rglob("*.py")}
    return {
        name: ast.parse(path.read_text("utf-8"))
        for name, path in sorted(files.items())
        if name.startswith("attnlab.private.") == fence
    }


def found_of(name):
    """The thing of a dotted name; ``Kind()`` stands for one that is made without arguments."""
    path = name.split(".")
    for cut in range(len(path) - 1, 0, -1):
        try:
            thing = import_module(".".join(path[:cut]))
        except ImportError:
            continue
        for part in path[cut:]:
            kind = part.removesuffix("()")
            annotated = kind in inspect.get_annotations(thing) if inspect.isclass(thing) else False
            slots = inspect.isclass(thing) and f"self.{kind}" in inspect.getsource(thing)
            thing = getattr(thing, kind, None) if annotated or slots else getattr(thing, kind)
            thing = thing() if part.endswith("()") else thing
        return thing
    raise AssertionError(f"there is no {name}")
