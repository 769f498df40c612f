"""Nothing private of a library is used, and none is patched, outside of ``attnlab.private``."""

import ast
import inspect
import re
from functools import cache

import pytest
from read_source import DOCUMENTED, UNDERSCORED, found_of, modules

SET = {"os.environ", "sys.argv"}  # by Python's documentation, to be set by programs
OUTSIDE = {  # what is set of something imported and is no patch
    "sys.modules['__main__'].__spec__",  # of a program that Python itself has started
    "HydraConfig.instance().cfg",  # Hydra's own way to forget it, in hydra.core
    "logging.getLogger('wandb').propagate",
}


def imported(tree):
    """Names of a module that stand for something that is not ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module.partition(".")[0] != "attnlab":
            yield from (alias.asname or alias.name for alias in node.names)


def taken(tree):
    """Everything private of something else that a module names: imports, attributes."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    own |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and of_itself(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module.partition(".")[0] != "attnlab":
            names = [*node.module.split("."), *(alias.name for alias in node.names)]
            yield from (ast.unparse(node) for name in names if UNDERSCORED.fullmatch(name))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if "._" in alias.name)
        elif isinstance(node, ast.Attribute) and UNDERSCORED.fullmatch(node.attr):
            yield from [] if of_itself(node) or node.attr in own | DOCUMENTED else [ast.unparse(node)]


def of_itself(node):
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def patched(tree):
    """What is set or deleted of something imported, or of a class as such."""
    names = set(imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.Delete):
            targets = node.targets
        elif isinstance(node, ast.AugAssign):
            targets = [node.target]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("setattr", "delattr"):
            targets = [ast.Attribute(node.args[0], "…")]
        else:
            continue
        for target in targets:
            place, text = target, ast.unparse(target)
            while isinstance(place, ast.Attribute | ast.Subscript | ast.Call):
                place = place.func if isinstance(place, ast.Call) else place.value
            known = text in OUTSIDE or any(text.startswith(name) for name in SET)
            of_library = isinstance(target, ast.Attribute | ast.Subscript) and getattr(place, "id", "") in names
            if (of_library and not known) or text.endswith(".__class__"):
                yield text


@pytest.mark.parametrize("found", [taken, patched])
def test_nothing_private_is_used_and_nothing_patched_elsewhere(found):
    assert not {f"{module}: {each}" for module, tree in modules(fence=False).items() for each in found(tree)}


@pytest.mark.parametrize(("line", "found"), [
    ("from hydra._internal.hydra import Hydra", taken), ("from torch import _dynamo", taken), ("import a._b", taken),
    ("import torch\ntorch._foreach_norm([])", taken), ("trial._trial_id", taken), ("x().y._z", taken),
    ("import sys\nsys.modules['a'] = 1", patched), ("from hydra.x import Hydra\nHydra.get_mode = None", patched),
    ("import torch.nn as nn\nsetattr(nn.init, name, None)", patched), ("loop.__class__ = Mine", patched),
    ("import torch\ndel torch.x", patched),
])  # fmt: skip
def test_the_rules_find_what_they_are_for(line, found):
    assert list(found(ast.parse(line)))


def test_no_class_uses_what_a_base_from_a_library_keeps_for_itself():
    trees = modules(fence=False) | modules(fence=True)
    found = set()
    for module, tree in modules(fence=False).items():
        for node in (each for each in ast.walk(tree) if isinstance(each, ast.ClassDef)):
            own = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute) and of_itself(each)}
            own |= {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
            own = set(filter(UNDERSCORED.fullmatch, own))
            if own:
                kept = {name for base in bases_from_libraries(module, node, trees) for name in kept_by(base)}
                found |= {f"{module}.{node.name}: {name}" for name in own & kept}
    assert found == set()


def bases_from_libraries(module, node, trees):
    """The classes that are not ours and that a class of ours is derived from, by way of others of ours too."""
    origins = {alias.asname or alias.name: (each.module, alias.name) for each in ast.walk(trees[module])
               if isinstance(each, ast.ImportFrom) for alias in each.names}  # fmt: skip
    origins |= {each.name: (module, each.name) for each in trees[module].body if isinstance(each, ast.ClassDef)}
    origins |= {alias.asname or alias.name.partition(".")[0]: (alias.name, "") for each in ast.walk(trees[module])
                if isinstance(each, ast.Import) for alias in each.names}  # fmt: skip
    for base in node.bases:
        first, *rest = ast.unparse(base.value if isinstance(base, ast.Subscript) else base).split(".")
        place, name = origins.get(first, ("builtins", first))
        if place in trees:
            ours = [each for each in trees[place].body if isinstance(each, ast.ClassDef) and each.name == name]
            for each in ours:
                yield from bases_from_libraries(place, each, trees)
        elif place.partition(".")[0] not in ("typing", "builtins", "abc", "collections", "attnlab"):
            yield found_of(".".join(filter(None, (place, name, *rest))))


@cache
def kept_by(kind):
    """The private names of a class and its bases."""
    kept = set()
    for base in kind.__mro__[:-1]:
        try:
            source = inspect.getsource(base)
        except (OSError, TypeError):  # not written in Python
            source = ""
        kept |= set(re.findall(r"\bself\.(_[a-z]\w*)", source)) | set(filter(UNDERSCORED.fullmatch, vars(base)))
    return kept


@pytest.mark.parametrize(("lines", "found"), [
    ("from pytorch_lightning.callbacks import TQDMProgressBar\nclass Mine(TQDMProgressBar): ...", {"_enabled"}),
    ("import pytorch_lightning as pl\nclass Mine(pl.Callback): ...\nclass Further(Mine): ...", set()),
    ("from attnlab.private.wandb import LateWandbLogger\nclass Mine(LateWandbLogger): ...", {"_experiment"}),
])  # fmt: skip
def test_what_a_library_keeps_for_itself_is_known(lines, found):
    trees = modules(fence=True) | {"it": ast.parse(lines)}
    bases = list(bases_from_libraries("it", trees["it"].body[-1], trees))
    assert bases
    assert found <= {name for base in bases for name in kept_by(base)}
