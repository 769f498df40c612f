"""``attnlab new <kind> <name>``: write the files of a part of one's own, with its test, into the current folder.

A template is a folder of ``cli/templates``: files that work as they are, of a part called ``my_<kind>``.
"""

import keyword
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from attnlab.atomic import write_text
from attnlab.cli import folders, project
from attnlab.cli.errors import MistakesError, nearest, report
from attnlab.cli.trust import add, local
from attnlab.errors import ConfigError, StorageError
from attnlab.metrics import registry

USAGE = """
Write the files of a part of your own, with its test, into the current folder. They run as they are.

  attnlab new mechanism my_mechanism                           a score, its equation as a loop in the test
  attnlab new encoder my_encoder                               what the annotations are
  attnlab new dataset my_pairs                                 a reader of a file of pairs, and a small file
  attnlab new quantity my_score                                what measure=[my_score] measures, of any task
  attnlab new callback my_watch                                what watches a training, with a picture
  attnlab new optimizer my_optimizer                           its equation as a loop in the test
  attnlab new task my_task                                     a folder: data, model, loss, what is kept and drawn

Names are in snake case: the word on the command line, the file, and in CamelCase the class.
"""

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
KINDS = {  # and how one is chosen
    "mechanism": "attention={name}", "encoder": "encoder={name}", "dataset": "dataset={name}",
    "quantity": "measure=[{name}]", "callback": "callbacks={name}", "optimizer": "optimizer={name}",
    "task": "dataset={name}",
}  # fmt: skip
ALSO = {  # what they may be looked for as
    "attention": "mechanism", "score": "mechanism", "corpus": "dataset", "data": "dataset", "metric": "quantity",
    "measure": "quantity", "model": "task", "callbacks": "callback", "hook": "callback", "figure": "callback",
    "picture": "callback",
}  # fmt: skip
WRITTEN_BY_HAND = {  # parts without a template: what to derive from, or to be like, and whose option one is
    "normalizer": ("attnlab.attention.base.Normalizer", "attention/normalizer"),
    "window": ("attnlab.attention.base.Window", "attention/window"),
    "decoder": ("attnlab.decoders.base.Decoder", "decoder"),
    "pooling": ("attnlab.pooling.base.Pooling", "pooling"),
    "position": ("attnlab.layers.positions.base.Position", "position"),
    "mixer": ("attnlab.layers.mixer.Mixer", "self_attention"),
    "tokenizer": ("attnlab.data.tokenizers.base.Tokenizer", "tokenizer"),
    "search": ("attnlab.search.base.Search", "search"),
}
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
NO_MODULE = ("conf", "tests", "outputs", "sweeps")  # folders of a project


def new(kind: str, name: str) -> list[str]:
    """Write the files, and trust the part.

    Returns:
        What to say.

    Raises:
        MistakesError: nothing has been written; why.
    """
    asked = f"attnlab new {kind} {name}"
    require_project(asked)
    require_name(asked, kind, name)
    texts = dict(written(kind, name))
    said = trust(name) if kind != "quantity" else []  # which a run knows by its name alone
    for path, text in texts.items():
        write_text(path, text)
    return [*(f"wrote {path}" for path in texts), *said, "", "next:", *following(kind, name)]


def require_project(asked: str) -> None:
    """See that the current folder is one of the user's own.

    Raises:
        MistakesError: it is attnlab's, or a run's.
    """
    folder = project.current()
    if not project.is_own(folder):
        raise MistakesError([f"{asked}: {folder} is, or lies in, the folder of a run; call it in one of yours"])
    if project.CHECKOUT is not None and folder.resolve() == project.CHECKOUT:
        raise MistakesError([
            f"{asked}: this folder is attnlab's own; call it in one of yours, anywhere: mkdir my_project && cd "
            f"my_project && {asked} (docs/extending.md, Where things go, has the places of attnlab's own parts)"
        ])  # fmt: skip


def require_name(asked: str, kind: str, name: str) -> None:
    """See that a name can be that of an option, of a module and, in CamelCase, of a class, and that it is free.

    Raises:
        MistakesError: it cannot, or it is not.
    """
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        snake = re.sub(r"\W+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)).strip("_").lower()
        hint = f": {snake}" if NAME.fullmatch(snake) and not keyword.iskeyword(snake) else ""
        raise MistakesError([f"{asked}: expected a name in snake case (letters, digits, underscores){hint}"])
    for path, _ in written(kind, name):
        if path.exists() or path.is_symlink():
            raise MistakesError([f"{asked}: {path} is there already, and nothing was written; take another name"])
        if path.parts[0] == project.CONF and (project.configuration().parent / path).exists():
            group = "/".join(path.parts[1:-1])
            raise MistakesError([f"{asked}: attnlab has {group}={name} already; take another name"])
    if kind == "quantity" and registry.find(name) is not None:
        raise MistakesError([f"{asked}: there is a quantity {name} already; take another name"])
    if name in NO_MODULE or name in sys.stdlib_module_names or find_spec(name) is not None:
        raise MistakesError([f"{asked}: Python finds another module called {name}; take another name"])


def written(kind: str, name: str) -> Iterator[tuple[Path, str]]:
    """The files of a part, by their place in the current folder."""
    place, model = TEMPLATES / kind, f"my_{kind}"
    for path in sorted(path for path in place.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        text = path.read_text("utf-8")
        for form in (str, camel, spoken, lambda words: spoken(words).lower()):
            text = text.replace(form(model), form(name))
        yield Path(str(path.relative_to(place)).replace(model, name)), text


def camel(name: str) -> str:
    return "".join(map(str.capitalize, name.split("_")))


def spoken(name: str) -> str:
    return name.replace("_", " ").capitalize()


def trust(name: str) -> list[str]:
    """Let runs of this folder name the part: what they were trained with is built again by other commands."""
    if name in local():
        return []
    file = Path(project.CONF, project.TRUST)
    add(file, name)
    return [f"runs may name {name} here from now on: {file}"]


def following(kind: str, name: str) -> Iterator[str]:
    """What to type next."""
    yield f"  attnlab train {KINDS[kind].format(name=name)} trainer=smoke"
    yield f"  python -m pytest tests/test_{name}.py" + ("" if find_spec("pytest") else "    (pip install pytest)")


def instead(kind: str) -> str:
    """What to do where there is no such kind."""
    if kind in ALSO:
        return f"no such kind of part; write attnlab new {ALSO[kind]} …"
    if kind not in WRITTEN_BY_HAND:
        return f"no such kind of part; {nearest(kind, KINDS)}"
    contract, group = WRITTEN_BY_HAND[kind]
    return (
        f"no template, but two files: my.py with an {contract}, conf/{group}/my.yaml like those of "
        f"{project.configuration() / group}; and my in conf/local/trust.yaml (trust: [my])"
    )


def main() -> None:
    """The console command."""
    words = sys.argv[1:]
    if not words or {"-h", "--help"} & {*words}:
        print(USAGE.strip())
        return
    try:
        folders.register()
        kind, names = words[0], words[1:]
        if kind not in KINDS:
            raise MistakesError([f"attnlab new {kind}: {instead(kind)}"])
        if len(names) != 1:
            raise MistakesError([f"attnlab new {kind}: expected one name, as in attnlab new {kind} my_name"])
        print("\n".join(new(kind, names[0])))
    except (MistakesError, ConfigError, StorageError, OSError) as error:
        sys.exit(report(error))
