"""A page with everything on it: two runs, heads and layers, self-attention, gold links, words of any script."""

import numpy as np

from attnlab.analysis.viewer.collected import Asked, Collected, Gold, Look, Viewed, ViewedRun
from attnlab.runs.words import Words

ARABIC = ["القطة", "ترى", "الكلب", "<b>", "."]
JAPANESE = ["猫", "が", "犬", "を", "見る", "</s>"]
WORDS = Words("sentence", "sentences", "translation", "translations", "word", "source words", "row", "target words")


def weights(rng, *shape):
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1]).astype(np.float32)


def item(rng, layers, heads, rows, columns, score, aer, own=True, gold=True):
    looks = {"attention": Look(weights(rng, layers, heads, len(rows), len(columns)), rows, columns)}
    if own:
        looks["own source"] = Look(weights(rng, layers, heads, len(columns), len(columns)), columns, columns)
    links = Gold([(0, 0), (2, 2)], [(1, 4)]) if gold else None
    return Viewed("".join(rows[:-1]), looks, gold=links, score=score, aer=aer)


def collected(sizes=((2, 3), (2, 3)), items=40, rows=None, columns=None):
    """``sizes`` are layers and heads of each run."""
    runs, asked = [], []
    for number in range(items):
        asked.append(Asked(f"sentence {number} {'long' if number % 2 else 'short'}", "reference"))
    for name, (layers, heads) in zip(("first", "second <i>run</i>"), sizes, strict=False):
        rng = np.random.default_rng(len(name))
        lines = []
        for number in range(items):
            down = rows or JAPANESE[: 2 + number % 5]
            across = columns or ARABIC[: 3 + number % 3]
            gold = len(down) > 4 and len(across) > 2
            aer = number / items if gold else None
            lines.append(item(rng, layers, heads, down, across, float(number), aer, number < 20, gold))
        runs.append(ViewedRun(name, f"grammar/{len(runs)}", lines))
    return Collected("two runs", asked, runs, WORDS, ("source words", "target words"), "BLEU", True, ("ar", "ja"))


def formed(moments=3, items=2, sign=1.0):
    """Two runs at moments of their training, the second at one more; the first looks less far each time."""
    runs = []
    for run, count in (("first", moments), ("second", moments + 1)):
        for moment in range(count):
            rng = np.random.default_rng(moment + 10 * len(runs))
            lines = [item(rng, 1, 2, JAPANESE[:3], ARABIC[:4], 1.0, None, own=False, gold=False) for _ in range(items)]
            looks = [
                {name: look._replace(weights=sign * look.weights) for name, look in x.looks.items()} for x in lines
            ]
            lines = [x._replace(looks=own) for x, own in zip(lines, looks, strict=True)]
            runs.append(ViewedRun(run, f"grammar/{run}", lines, f"epoch {moment + 1}"))
    return collected()._replace(items=[Asked(f"sentence {n}") for n in range(items)], runs=runs)
