"""The page of the viewer: one HTML file with its style, its scripts, and the data of all runs."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from attnlab.analysis.pages import environment, policy, template_file
from attnlab.analysis.viewer.collected import BACK, MAIN, OWN, SENTENCES, Collected, ViewedRun
from attnlab.analysis.viewer.heads import NAMED, Heads, apart, entropy
from attnlab.analysis.viewer.packing import LEVELS, Packed, compact, likely, pack, packed
from attnlab.errors import DataError
from attnlab.viz.palette import BLUES, BLUES_ON_DARK, ORANGES, ORANGES_ON_DARK

PACKAGE = "attnlab.analysis.viewer"
STAGE = (  # what the playground has, too
    "state", "matrix", "drawing", "heat", "text", "grid", "flow", "panel", "point", "export", "controls",
)  # fmt: skip
SCRIPTS = ("data", *STAGE, "list", "main")
TABS = (("map", "Map"), ("grid", "All heads"), ("flow", "Flow"), ("summary", "What heads do"))
COLORS = {"light": [BLUES, ORANGES], "dark": [BLUES_ON_DARK, ORANGES_ON_DARK]}
TITLES = {MAIN: "attention", BACK: "attention, the other way", SENTENCES: "attention to sentences"}  #: of looks
VERSION = 1  #: of the data
MEGABYTE = 1_000_000


def render(collected: Collected, megabytes: float = 25.0) -> str:
    """The page.

    Args:
        collected: what it shows.
        megabytes: that it has at most; where weights in 8 bits would be more, they are kept in fewer.

    Raises:
        DataError: it is larger all the same.
    """
    most = int(megabytes * MEGABYTE)
    told = index(collected)
    for levels in LEVELS[likely([run.items for run in collected.runs], most) :]:
        page = filled(collected, told | {"levels": levels}, [pack(run.items, levels) for run in collected.runs])
        size = len(page.encode())
        if size <= most:
            return page
    raise DataError(
        f"the page would have {size / MEGABYTE:.1f} MB, over the {megabytes:g} of megabytes={megabytes:g}; show fewer "
        "items=, own= or runs"
    )


def filled(collected: Collected, told: dict[str, Any], runs: Sequence[Packed]) -> str:
    """The template, with what was packed."""
    chunks: list[str] = []
    places = []
    for run in runs:
        places.append({"first": run.first, "chunk": len(chunks)})
        chunks += run.chunks
    script = joined(SCRIPTS)
    return (
        environment(PACKAGE)
        .get_template("view.html.j2")
        .render(
            title=collected.title,
            tabs=TABS,
            policy=policy(script),
            style=Markup(template_file(PACKAGE, "view.css")),
            script=Markup(script),
            index=packed(compact(told | {"places": places})),
            chunks=chunks,
        )
    )


def joined(scripts: Sequence[str]) -> str:
    """Files of the folder of templates as one script."""
    return "\n".join(template_file(PACKAGE, f"{name}.js") for name in scripts)


def index(collected: Collected) -> dict[str, Any]:
    """All but the weights: what the page reads when it opens."""
    looks = looks_of(collected.runs)
    items = [
        {
            "input": asked.input,
            "reference": asked.reference,
            "length": max((longest(run, number) for run in collected.runs), default=0),
            "output": [run.items[number].output for run in collected.runs],
            "score": [number_or_none(run.items[number].score) for run in collected.runs],
            "aer": [number_or_none(run.items[number].aer) for run in collected.runs],
            "entropy": [spread(run, number) for run in collected.runs],
        }
        for number, asked in enumerate(collected.items)
    ]
    return {
        "version": VERSION,
        "words": collected.words._asdict(),
        "sides": collected.sides,
        "languages": collected.languages,
        "score": {"title": collected.score, "higher": collected.higher_is_better},
        "looks": looks,
        "runs": [
            {
                "name": run.name,
                "of": run.run,
                "moment": run.moment,
                "folder": run.folder,
                "heads": heads(run, list(looks)),
            }
            for run in collected.runs
        ],
        "apart": distances(collected.runs, list(looks)),
        "items": items,
        "named": NAMED,
        "colors": COLORS,
    }


def looks_of(runs: Sequence[ViewedRun]) -> dict[str, str]:
    """The names of all looks, the main one first, and what they are called."""
    there = {name for run in runs for item in run.items for name in item.looks}
    own = sorted(name for name in there if name.startswith(OWN))
    titles = TITLES | {name: f"self-attention, {name.removeprefix(OWN)}" for name in own}
    return {name: title for name, title in titles.items() if name in there}


def longest(run: ViewedRun, number: int) -> int:
    """How many words an item has: of its longer side."""
    look = run.items[number].main
    return 0 if look is None else max(len(look.columns), len(look.rows) if run.items[number].kind == "words" else 0)


def spread(run: ViewedRun, number: int) -> float | None:
    """The entropy of the main look in bits: the mean over rows, heads and layers."""
    look = run.items[number].main
    return None if look is None else round(float(entropy(np.abs(np.asarray(look.weights, np.float64))).mean()), 4)


def heads(run: ViewedRun, looks: Sequence[str]) -> dict[str, Any]:
    """By look: what its heads do."""
    found: dict[str, Any] = {}
    for name in looks:
        there = [(item.kind, item.looks[name]) for item in run.items if name in item.looks]
        there = [(kind, look) for kind, look in there if look.weights.shape[:2] == there[0][1].weights.shape[:2]]
        if not there:
            continue
        placed = name != SENTENCES and (name.startswith(OWN) or all(kind == "words" for kind, _ in there))
        counted = Heads(name.startswith(OWN), placed)
        for _, look in there:
            counted.add(look)
        found[name] = {
            "entropy": rounded(counted.entropy),
            "distance": rounded(counted.distance) if placed else None,
            "names": counted.names() if placed else None,
            "shares": {key: rounded(share) for key, share in counted.shares.items()} if placed else {},
            "items": len(there),
        }
    return found


def compared(runs: Sequence[ViewedRun]) -> Iterator[tuple[int, int]]:
    """Which two are held against each other: runs at the same moment, and a run at moments that follow one another."""
    of = [run.run for run in runs]
    places = [of[:number].count(name) for number, name in enumerate(of)]
    for a, b in combinations(range(len(runs)), 2):
        if places[b] - places[a] == (1 if of[a] == of[b] else 0):
            yield a, b


def distances(runs: Sequence[ViewedRun], looks: Sequence[str]) -> list[dict[str, Any]]:
    """Jensen-Shannon of two runs, by look, layer and head."""
    found = []
    for a, b in compared(runs):
        first, second = runs[a], runs[b]
        for name in looks:
            both = zip(first.items, second.items, strict=True)
            between = apart(((x.looks[name], y.looks[name]) for x, y in both if name in x.looks and name in y.looks))
            if between is not None:
                found.append({"runs": [a, b], "look": name, "divergence": rounded(between)})
    return found


def rounded(values: Float[np.ndarray, "L H"]) -> list[list[float]]:
    table: list[list[float]] = np.round(values, 4).tolist()
    return table


def number_or_none(value: float | None) -> float | None:
    """JSON has no other numbers than finite ones."""
    return round(float(value), 4) if value is not None and np.isfinite(value) else None
