"""``python -m attnlab.cli.commands.gallery``: the page of all mechanisms, docs/gallery.md, from their own docstrings.

Windows and normalizers are drawn at what they do to given scores. With ``runs=<sweep>`` also a heatmap of each preset
from a trained model, and the table docs/mechanisms.md. Everything that is said of a mechanism stands in the docstring
of its module (``attention/base.py`` says how); nothing is repeated here.
"""

import importlib
import inspect
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from attnlab.analysis.finding import find_runs
from attnlab.analysis.mechanisms import mechanisms_table
from attnlab.analysis.runs import AttentionMap, Run
from attnlab.atomic import write_text
from attnlab.cli import folders, project
from attnlab.cli.errors import report
from attnlab.metrics.quantities.aer import AER
from attnlab.metrics.quantities.bleu import BLEU
from attnlab.metrics.quantities.costs import TRAINING_SPEED
from attnlab.metrics.quantities.ppl import PERPLEXITY
from attnlab.types import ConfigError

COMMAND = "python -m attnlab.cli.commands.gallery"
USAGE = f"{COMMAND} [runs=<sweep or run folders>] [out=docs]"
HEAD = f"""# Mechanisms

*Made by `{COMMAND}` from the docstrings of the modules; with `runs=…` the heatmaps too. Do not edit.*

Costs are of one batch and one layer: B sentences, T queries and S words each, Q the size of a query, K of an
annotation, V of a value, A inside a tanh, H heads. What is made once a sentence does not grow with T. The last column
is what a mechanism reads of its History: one that looks back at its weights needs a decoder that attends step by step
(`bahdanau`, `luong`, `luong_input_feeding`, `conditional_gru`), one that only counts its steps does not.
"""
PICTURED = {
    "window": "A picture shows the same scores without the window and with it; what a window learns, it has learned on "
    "this one sentence.",
    "normalizer": "A picture shows one row of scores as weights, beside those of the softmax; at the right how the "
    "weight of a word grows with its score, or, where training draws at random, some draws.",
}
TABLE_HEAD = f"""# What each mechanism reached

*Made by `{COMMAND} runs=…` from the run folders. Do not edit.*

The default data (`dataset=grammar`) and budget, each mechanism with the decoder of its paper: `python train.py
sweep=all_mechanisms`. BLEU, long and AER, long are of sentences longer than any in training; AER is of the forced
decoding of the reference.

"""
COLUMNS = (
    *(quantity.key(split) for quantity in (BLEU, AER) for split in ("test", "test_long")),
    PERPLEXITY.key("test"),
    TRAINING_SPEED.key(),
)


class Entry(NamedTuple):
    """What a module's docstring says."""

    title: str
    equations: tuple[str, ...]
    paper: str
    cost: str
    notes: tuple[str, ...]


class Preset(NamedTuple):
    """A word on the command line, and what stands behind it."""

    name: str
    parts: dict[str, str]  #: score, window, normalizer (or the mechanism itself): the module of each
    decoder: str
    past: str  #: what of its own past it reads


def entry(module: str) -> Entry:
    """Read a docstring; ConfigError where something is missing."""
    paragraphs = [p.strip() for p in (inspect.getdoc(importlib.import_module(module)) or "").split("\n\n")]
    title, rest = paragraphs[0], paragraphs[1:]
    equations = tuple(p for p in rest if p.startswith("$$"))
    paper = cost = ""
    notes = []
    for paragraph in rest:
        if paragraph.startswith("Paper:"):
            paper, _, cost = (" ".join(part.split()) for part in paragraph.partition("\nCost:"))
        elif not paragraph.startswith("$$"):
            notes.append(" ".join(paragraph.split()))
    missing = [name for name, found in (("$$…$$", equations), ("Paper:", paper), ("Cost:", cost)) if not found]
    if missing:
        raise ConfigError(
            f"{module}: its docstring has no {', '.join(missing)}; attention/base.py says how to write it"
        )
    return Entry(" ".join(title.split()), equations, paper.removeprefix("Paper:").strip(), cost, tuple(notes))


def presets() -> Iterator[Preset]:
    """Of conf/attention, by name."""
    conf = project.configuration()
    folders.register()
    for path in sorted((conf / "attention").glob("*.yaml")):
        with initialize_config_dir(str(conf), version_base="1.3"):
            config = compose("train", overrides=[f"attention={path.stem}"])
        yield preset(path.stem, config)


def preset(name: str, config: DictConfig) -> Preset:
    node: Any = OmegaConf.to_container(config.attention, resolve=True)
    targets = {part: node[part]["_target_"] for part in ("score", "window", "normalizer") if part in node}
    if not node["_target_"].startswith("attnlab.attention.base."):
        targets = {"mechanism": node["_target_"], **targets}
    classes = [getattr(importlib.import_module(t.rpartition(".")[0]), t.rpartition(".")[2]) for t in targets.values()]
    asks = [kind for kind in classes if getattr(kind, "needs_history", False) is True]
    counts = all(getattr(kind, "counts_only", False) for kind in asks)
    past = "none" if not asks else "counts its steps" if counts else "looks back"
    decoder = str(config.decoder._target_).split(".")[-2]
    return Preset(name, {part: target.rpartition(".")[0] for part, target in targets.items()}, decoder, past)


def page(pictures: Collection[str], only: Collection[str] | None = None) -> str:
    """The gallery.

    Args:
        pictures: the presets that have a heatmap in docs/gallery.
        only: of presets, windows and normalizers those of these names; None for all.
    """
    found = [one for one in presets() if only is None or one.name in only]
    lines = [HEAD, "| attention | score | window | normalizer | decoder | History |", "| --- " * 6 + "|"]
    for one in found:
        short = {part: module.rpartition(".")[2] for part, module in one.parts.items()}
        cells = [short.get(part, "–") for part in ("score", "window", "normalizer")]
        lines.append(f"| [`{one.name}`](#{one.name}) | {' | '.join(cells)} | {one.decoder} | {one.past} |")
    lines.append("\n## Presets\n")
    for one in found:
        lines += section(one, one.name in pictures)
    for title, folder in (("Windows", "windows"), ("Normalizers", "normalizers")):
        group = folder.removesuffix("s")
        lines += [f"## {title}\n", f"`attention/{group}=<name>`, with any preset that allows it. {PICTURED[group]}\n"]
        for module in (one for one in modules(folder) if only is None or one.rpartition(".")[2] in only):
            name = module.rpartition(".")[2]
            lines += [f"### {name}\n", *told(entry(module))]
            if f"{group}-{name}" in pictures:
                lines += [f"![What {group}={name} does to scores](gallery/{group}-{name}.png)\n"]
    return "\n".join(lines).rstrip("\n") + "\n"


def modules(folder: str) -> list[str]:
    """The modules of the options of ``conf/attention/<window or normalizer>``."""
    files = sorted((project.configuration() / "attention" / folder.removesuffix("s")).glob("*.yaml"))
    return [str(OmegaConf.select(OmegaConf.load(path), "_target_")).rpartition(".")[0] for path in files]


def section(one: Preset, picture: bool) -> Iterator[str]:
    yield f"### {one.name}\n"
    plain = {"window": "all", "normalizer": "softmax"}
    for part, module in one.parts.items():
        if module.rpartition(".")[2] != plain.get(part):
            yield from told(entry(module))
    yield f"`python train.py attention={one.name}`; decoder: `{one.decoder}`; History: {one.past}.\n"
    if picture:
        yield f"![Weights of {one.name}](gallery/{one.name}.png)\n"


def told(found: Entry) -> Iterator[str]:
    yield f"**{found.title}**\n"
    yield from (f"{equation}\n" for equation in found.equations)
    yield f"Paper: {found.paper}\n"
    yield f"Cost: {found.cost}\n"
    yield from (f"{note}\n" for note in found.notes)


def draw(runs: Sequence[Run], folder: Path) -> None:
    """A heatmap of each preset, of one sentence that all runs have translated."""
    from attnlab.viz.heatmap import heatmap, save  # matplotlib takes half a second

    kept = {run.labels["attention"]: {m.number: m for m in run.maps("test")} for run in runs}
    kept = {name: maps for name, maps in kept.items() if maps}
    chosen = sentence(list(kept.values()))
    for name, maps in kept.items():
        shown = maps[chosen]
        save(
            heatmap(shown.weights.clip(0, 1), shown.source_tokens, shown.target_tokens, title=name),
            folder / f"{name}.png",
        )


def sentence(maps: Sequence[Mapping[int, AttentionMap]]) -> int:
    """The number of a sentence in all of them: of those with nine to twelve words the first, else the first."""
    numbers = sorted(set.intersection(*(set(one) for one in maps)))
    fitting = [number for number in numbers if 9 <= len(maps[0][number].source_tokens) <= 12]
    return (fitting or numbers)[0]


def main(arguments: Sequence[str]) -> int:
    """The command: exit code."""
    try:
        options = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
        if set(options) - {"runs", "out"} or len(options) != len(arguments):
            raise ConfigError(f"usage: {USAGE}")
        out = Path(options.get("out", project.home() / "docs"))
        if "runs" in options:
            runs = find_runs(options["runs"].split(","), project.home()).runs
            draw(runs, out / "gallery")
            links = {one.name: f"[`{one.name}`](gallery.md#{one.name})" for one in presets()}
            write_text(out / "mechanisms.md", TABLE_HEAD + mechanisms_table(runs, COLUMNS, links))
        from attnlab.cli.gallery_parts import draw_parts, parts  # torch takes seconds

        draw_parts(out / "gallery", parts("window"), parts("normalizer"))
        pictures = [path.stem for path in (out / "gallery").glob("*.png")]
        write_text(out / "gallery.md", page(pictures))
    except Exception as error:
        return report(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
