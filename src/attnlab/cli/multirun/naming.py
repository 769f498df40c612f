"""What sets a job of a multirun apart, in words: on the screen, and in the name of its folder."""

import re
from collections.abc import Mapping, Sequence

from attnlab.runs.naming import AROUND

ALONE = "attention"  #: its options stand in a name without their group: they are what this laboratory is about
LAST = "seed"  #: in every name, at its end
NAMED = ("dataset", ALONE, "pooling", LAST)  #: in the name that W&B has for any run
# Where jobs run, who is told, and which of them go on: nothing of what is trained.
NO_PART_OF_A_NAME = {"sweep", "reproduce", *AROUND}
LONGEST, LONGEST_VALUE, LONGEST_NUMBER = 70, 24, 6  # characters of a name, of a value in it, of a number in full
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")


def key_of(override: str) -> str:
    """``optimizer.lr`` of ``+optimizer.lr=0.1``."""
    return override.lstrip("+~").partition("=")[0]


def value_of(override: str) -> str:
    return override.partition("=")[2]


def apart(overrides: Sequence[str], varying: Sequence[str] | None) -> dict[str, str]:
    """What a job has of the settings that vary, in their order; of no known ones all that it was given.

    Args:
        overrides: of the job, ``["attention=bahdanau", "seed=2", "trainer=smoke"]``.
        varying: keys.
    """
    given = {key_of(text): value_of(text) for text in overrides}
    keys = [key for key in given if key not in NO_PART_OF_A_NAME] if varying is None else varying
    return {key: given[key] for key in keys if key in given}


def label(settings: Mapping[str, str]) -> str:
    """``attention=bahdanau seed=2``."""
    return " ".join(f"{key}={value}" for key, value in settings.items())


def name(settings: Mapping[str, str], seed: object) -> str:
    """``bahdanau_lr-0.001_seed-2``: safe in file systems and on command lines, and short.

    Args:
        settings: what sets the job apart.
        seed: of the job, whether it varies or not.
    """
    parts = words({key: value for key, value in settings.items() if key != LAST})
    end = "" if seed is None else f"{LAST}-{seed}"
    start = sanitized("_".join(parts))[: LONGEST - len(end) - 1].rstrip("-_.")
    return sanitized("_".join(part for part in (start, end) if part)) or "job"


def words(settings: Mapping[str, str]) -> list[str]:
    """``["bahdanau", "lr-0.001"]``."""
    shorts = [short(key) for key in settings]
    leaves = [leaf if shorts.count(leaf) == 1 else key for key, leaf in zip(settings, shorts, strict=True)]
    values = [shown(value) for value in settings.values()]
    found = zip(settings, leaves, values, strict=True)
    return [value if key == ALONE else f"{leaf}-{value}" for key, leaf, value in found]


def more(settings: Mapping[str, str]) -> str:
    """``_lr-0.001``: what a name says besides that has data set, attention and seed already."""
    return "".join(f"_{word}" for word in words({k: v for k, v in settings.items() if k not in NAMED}))


def short(key: str) -> str:
    """The last part of a key: ``lr`` of ``optimizer.lr``, ``normalizer`` of ``attention/normalizer``."""
    return re.split(r"[./]", key.partition("@")[0])[-1]


def shown(value: str) -> str:
    """A value in a name: of a path its last part, of a number four digits, of what is long its beginning."""
    value = value.strip("'\"")
    if NUMBER.fullmatch(value):
        return rounded(value)
    text = sanitized(re.sub(r"[^,\[\]{}:]*/", "", value))
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1].rstrip("-_.")


def rounded(value: str) -> str:
    """A number with many digits, as a search draws them, with four; what is no number as it is."""
    long = NUMBER.fullmatch(value) and "." in value and len(value) > LONGEST_NUMBER
    return f"{float(value):.4g}" if long else value


def sanitized(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text).strip("-_.")
