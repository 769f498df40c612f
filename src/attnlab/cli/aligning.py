"""Word alignments of sentence pairs, by what a run looks at while it decodes the target by force."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from omegaconf import DictConfig

from attnlab.cli.alignment_choice import Chosen, choose
from attnlab.cli.alignment_direction import Direction, Taken, TextPair, turned, turned_links
from attnlab.cli.lines import Answers, Line, answer_lines, fitting
from attnlab.cli.runs import find
from attnlab.cli.streams import note
from attnlab.cli.translating import restore, restored_run
from attnlab.cli.trust import read
from attnlab.data.pharaoh import BAR, parted, words_of, written
from attnlab.data.text import Field
from attnlab.errors import ConfigError
from attnlab.metrics.word_alignment.extraction import Link, method
from attnlab.metrics.word_alignment.symmetrization import METHODS
from attnlab.strict_json import dumps
from attnlab.tasks.prediction import Seen
from attnlab.tasks.spelling import unknown_tokens

#: F1 of the links of two directions below which they are asked about; of trained ones it is .5 and more.
STRANGERS = 0.2
ENOUGH = 50  #: links, to say so


def align_lines(config: DictConfig) -> None:
    """Align the pairs of the input in the output.

    Raises:
        ConfigError, DataError: with what to change.
    """
    check(config)
    answer_lines(config, Alignments, lambda: Alignments.restore(config))


def check(config: DictConfig) -> None:
    """See that the settings go together, before anything is read.

    Raises:
        ConfigError: they do not.
    """
    if config.choose == "given":
        return
    if config.backward is None:
        raise ConfigError("choose=agreement: of two directions; name a run of the other one, backward=…")
    fixed = [name for name in ("layer", "head", "shift") if config[name] is not None]
    if fixed:
        raise ConfigError(f"choose=agreement chooses {fixed[0]}, which was given, too; leave one of them out")
    if config.input is None and config.choose_on is None:
        raise ConfigError("choose=agreement reads pairs first, and standard input is read once: name choose_on=…")


class Aligned(NamedTuple):
    """The words of a pair and what is linked among them."""

    source: list[str]
    target: list[str]
    weights: Float[np.ndarray, "J I"]  #: a row a target word; with two directions the mean of both
    links: set[Link]


class Alignments(Answers):
    """Alignments of pairs, a line each.

    Args:
        forward: the run that reads the source.
        backward: the run that reads the target; None for one direction.
        config: ``method``, ``theta``, ``symmetrize``, ``base``, ``format`` and ``max_length``.

    Raises:
        ConfigError: there is no such layer or head, or a run draws no alignment.
    """

    output, done = "alignment", "aligned"

    def __init__(self, forward: Direction, backward: Direction | None, config: DictConfig) -> None:
        self.forward, self.backward, self.kind, self.base = forward, backward, config.format, config.base
        self.extract = method(config.method, config.theta)
        self.symmetrized, self.most = METHODS[config.symmetrize], config.max_length
        self.common, self.linked = 0, 0  # links of both directions, links of each
        for name, each in zip(("run", "backward"), self.directions, strict=False):
            if not each.translator.model.has_weights:
                raise ConfigError(
                    f"{name}={config[name]}: the attention of this run draws no alignment, so no word can be linked"
                )

    @classmethod
    def restore(cls, config: DictConfig) -> "Alignments":
        """Of the runs that ``config`` names."""
        forward = Direction(restore(config), taken(config, str(config.run)))
        if config.backward is None:
            return cls(forward, None, config)
        require_turned(config.run, config.backward)
        backward = Direction(restored_run(config, str(config.backward)), taken(config, str(config.backward)))
        made = cls(forward, backward, config)
        if config.choose == "agreement":
            name = config.choose_on or config.input
            found = choose(made.directions, made.extract, made.readable, name, config.choose_pairs)
            forward.taken, backward.taken = found.forward, found.backward
            note(told(found))
        return made

    @property
    def directions(self) -> list[Direction]:
        return [each for each in (self.forward, self.backward) if each is not None]

    @property
    def limits(self) -> Mapping[str, int | None]:
        models = [each.translator.model for each in self.directions]
        ends = [end for model in models for end in (model.longest_source, model.longest_target) if end is not None]
        return {f"max_length={self.most}": self.most, "the end of the run's positions": min(ends, default=None)}

    @property
    def undrawable(self) -> str:
        return ""  # else there were none of these

    @property
    def remark(self) -> str:
        agreement = 2 * self.common / max(self.linked, 1)
        if self.linked < ENOUGH or agreement >= STRANGERS:
            return ""
        return (
            f"the two directions hardly agree (F1 {agreement:.2f}): does run= read what stands before |||, and "
            "backward= what stands behind it?"
        )

    def clean(self, text: str) -> Field:
        pair, fault = parted(text)
        return Field("", fault) if pair is None else Field(BAR.join(pair), "")

    def tokens(self, text: str) -> int:
        """Of the longer side, with the end of the target."""
        return max(max(len(source), len(target) + 1) for source, target in self._ids(text))

    def fault(self, text: str) -> str:
        return "" if all(all(sides) for sides in self._ids(text)) else "a side without a token"

    def readable(self, pair: TextPair) -> bool:
        """Whether a pair is one that would be aligned."""
        return bool(fitting(Line(0, BAR.join(pair)), self).text)

    def unknown(self, text: str) -> list[str]:
        source, target = pair_of(text)
        translator = self.forward.translator
        sides = (translator.source, source), (translator.target, target)
        return [word for tokenizer, side in sides for word in unknown_tokens(tokenizer, side)]

    def __call__(self, texts: Sequence[str]) -> list[Aligned | None]:
        there = [number for number, text in enumerate(texts) if text]
        pairs = [pair_of(texts[number]) for number in there]
        found = dict(zip(there, self._aligned(pairs), strict=True)) if there else {}
        return [found.get(number) for number in range(len(texts))]

    def _aligned(self, pairs: Sequence[TextPair]) -> list[Aligned]:
        tables = self.forward.tables(pairs)
        links = [self.extract(table) for table in tables]
        if self.backward is not None:
            back = self.backward.tables([turned(pair) for pair in pairs])
            others = [turned_links(self.extract(table)) for table in back]
            self.common += sum(len(one & other) for one, other in zip(links, others, strict=True))
            self.linked += sum(len(one) + len(other) for one, other in zip(links, others, strict=True))
            links = [set(self.symmetrized(frozenset(one), frozenset(other)))
                     for one, other in zip(links, others, strict=True)]  # fmt: skip
            tables = [(one + other.T) / 2 for one, other in zip(tables, back, strict=True)]
        words = ((words_of(source), words_of(target)) for source, target in pairs)
        return [Aligned(*sides, table, found) for sides, table, found in zip(words, tables, links, strict=True)]

    def _ids(self, text: str) -> list[tuple[list[int], list[int]]]:
        """Of both sides, as each direction reads them."""
        pair = pair_of(text)
        return [each.ids(asked) for each, asked in zip(self.directions, (pair, turned(pair)), strict=False)]

    def seen(
        self, texts: Sequence[str], outputs: Sequence[str | None] | None = None, own: bool = True
    ) -> list[tuple[str, Seen | None]]:
        raise ConfigError("pairs of sentences are aligned line by line")

    def written(self, line: Line, found: Aligned | None) -> str:
        """``0-0 1-2``, an empty line where there is none; or one JSON object."""
        links = () if found is None else found.links
        if self.kind == "text":
            return f"{written(links, self.base)}\n"
        told: dict[str, Any] = {"line": line.number, "source": [], "target": [], "links": [], "weights": []}
        if found is not None:
            told |= {
                "source": found.source,
                "target": found.target,
                "links": [[source + self.base, target + self.base] for source, target in sorted(links)],
                "weights": np.round(found.weights, 4).tolist(),
            }
        return dumps(told | ({"error": line.fault} if line.fault else {})) + "\n"

    def draw(self, path: Path, number: int, found: Aligned) -> None:
        from attnlab.viz.heatmap import heatmap, save

        save(heatmap(found.weights, found.source, found.target), path)


def pair_of(text: str) -> TextPair:
    """The two sides of a cleaned line."""
    source, target = text.split(BAR)
    return source, target


def require_turned(run: str, backward: str) -> None:
    """See that a second run is of the other direction, as far as both have recorded their languages.

    Raises:
        ConfigError: it reads, or writes, the language that the first one does.
    """
    first, second = languages(run), languages(backward)
    same = any(one and one == other for one, other in zip(first, second, strict=True))
    if same and first[0] != first[1]:
        raise ConfigError(
            f"backward={backward}: this run reads {second[0]} and writes {second[1]}; expected one that reads "
            f"{first[1]} and writes {first[0]}, as run={run} does the other way round"
        )


def languages(run: str) -> tuple[str, str]:
    """What a run reads and writes, where the settings of its data set say so."""
    dataset = read(find(run).resolve()).get("dataset")
    found = dataset if isinstance(dataset, dict) else {}
    if isinstance(pair := found.get("pair"), str):  # deen, grcen: dataset=word_alignment
        first, second = pair[:-2], pair[-2:]
        return (second, first) if found.get("turned") else (first, second)
    said = [str(found.get(f"{side}_language") or "") for side in ("source", "target")]
    return said[0], said[1]


def told(found: Chosen) -> str:
    return (
        f"chosen by agreement (F1 {found.agreement:.3f} of {found.pairs} pairs): forward {found.forward}; backward "
        f"{found.backward}"
    )


def taken(config: DictConfig, run: str) -> Taken:
    """What was asked for; the step, where it was not, that the run's own AER is measured at."""
    shift = config.shift
    if shift is None:
        task = read(find(run).resolve()).get("task")
        shift = isinstance(task, dict) and task.get("alignment_shift") is True
    return Taken(config.layer, config.head, shift)
