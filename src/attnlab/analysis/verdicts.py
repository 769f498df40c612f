"""What can be concluded from the tests of a pair, in a sentence that names the test it rests on."""

from collections.abc import Sequence

import numpy as np

from attnlab.analysis.comparison import OUTPUT_TESTS, Pair, SentenceTest
from attnlab.analysis.runs import Run
from attnlab.metrics.quantity import Quantity, Test

DECISIVE: tuple[Test, ...] = (
    "dm",
    "mcnemar",
    "ar",
)  #: what a verdict on outputs rests on: the first of these that was run


def verdict(pair: Pair, quantity: Quantity, level: float) -> str:
    """What can be concluded, in a sentence that names the test it rests on.

    Args:
        pair: with everything but the verdict.
        quantity: that was tested.
        level: of significance.
    """
    word = "better" if quantity.sign * pair.difference > 0 else "worse"
    size = f"by {abs(pair.difference):.{quantity.digits}f} {quantity.title}"
    if quantity.scale == "log":
        size = f"by a factor of {np.exp(abs(pair.difference)):.{quantity.digits}f} in {quantity.title}"
    if pair.seeds is not None:
        numbers = f"{len(pair.runs_a)} and {len(pair.runs_b)} seeds"
        shown = f"test over {pair.over}, p {show_p(pair.seeds.p_holm)}, {numbers}"
        if pair.seeds.p_holm < level:
            return f"{pair.a} is {word} than {pair.b} {size} ({shown})"
        return f"no difference shown between {pair.a} and {pair.b} ({shown})"
    if not pair.single:
        return f"{pair.a} is {word} than {pair.b} {size} on average; a test over seeds was not asked for"
    return of_outputs(pair, word, size, level)


def of_outputs(pair: Pair, word: str, size: str, level: float) -> str:
    """What can be concluded from one run of each: something about these two outputs."""
    a, b = _output(pair.a, pair.runs_a[0]), _output(pair.b, pair.runs_b[0])
    unknown = "whether another seed would show the same cannot be concluded from one seed"
    tests = decisive(pair)
    if not tests:
        scored = f"scored {word} than" if pair.difference else "scored the same as"
        return f"{a} {scored} {b}{f' {size}' if pair.difference else ''} (no test was made); {unknown}"
    worst = max(tests, key=lambda test: test.p_holm)
    shown = f"{OUTPUT_TESTS[worst.test][1]} of two outputs, p {show_p(worst.p_holm)}"
    if worst.raised:
        shown += f", the least that {worst.changed} differing {pair.words.items} allow"
    if worst.p_holm < level:
        return f"this output of {a} is {word} than that of {b} {size} ({shown}); {unknown}"
    return f"no difference shown between these outputs of {a} and {b} ({shown})"


def decisive(pair: Pair) -> Sequence[SentenceTest]:
    """The tests of outputs that a verdict rests on: all of one kind."""
    kind = next((kind for kind in DECISIVE if any(test.test == kind for test in pair.sentences)), None)
    return [test for test in pair.sentences if kind in (test.test, None)]


def _output(name: str, run: Run) -> str:
    return name if run.seed is None else f"{name}, seed {run.seed},"


def show_p(p: float) -> str:
    """``= 0.012``: two significant digits; ``< 0.0001`` below that."""
    return "< 0.0001" if p < 1e-4 else f"= {p:.2g}" if p < 0.1 else f"= {p:.2f}"
