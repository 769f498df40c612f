"""References, and outputs that miss some of their words."""

import random

WORDS = [
    "der",
    "die",
    "das",
    "Hund",
    "Katze",
    "Haus",
    "sieht",
    "hört",
    "nicht",
    "heute",
    "alte",
    "kleine",
    "und",
    "mit",
]
SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"


def references(count: int, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(3, 14))) + "." for _ in range(count)]


def corrupted(lines: list[str], share: float, seed: int) -> list[str]:
    """Replace this share of the words by others."""
    draw = random.Random(seed)
    return [" ".join(draw.choice(WORDS) if draw.random() < share else word for word in line.split()) for line in lines]
