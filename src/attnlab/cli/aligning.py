"""Word alignments of sentence pairs, by what a run looks at while it decodes the target by force."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from omegaconf import DictConfig

from attnlab.cli.lines import Answers, Line, answer_lines
from attnlab.cli.translating import restore
from attnlab.cli.translator import Translator
from attnlab.data.pharaoh import BAR, parted, words_of, written
from attnlab.data.text import Field
from attnlab.errors import ConfigError
from attnlab.metrics.alignment import find_spans
from attnlab.metrics.word_alignment.extraction import method, of_words
from attnlab.strict_json import dumps
from attnlab.tasks.prediction import Seen
from attnlab.tasks.spelling import unknown_tokens
from attnlab.tasks.translation.looking import batch_of, seen


def align_lines(config: DictConfig) -> None:
    """Align the pairs of the input in the output.

    Raises:
        ConfigError, DataError: with what to change.
    """
    answer_lines(config, Alignments, lambda: Alignments(restore(config), config))


class Aligned(NamedTuple):
    """The words of a pair and what is linked among them."""

    source: list[str]
    target: list[str]
    weights: Float[np.ndarray, "J I"]  #: a row a target word
    links: set[tuple[int, int]]


class Alignments(Answers):
    """Alignments of pairs, a line each.

    Args:
        translator: the model and the tokenizers.
        config: ``method``, ``theta``, ``shift``, ``layer``, ``head``, ``base``, ``format`` and ``max_length``.

    Raises:
        ConfigError: there is no such layer or head, or the run draws no alignment.
    """

    output, done = "alignment", "aligned"

    def __init__(self, translator: Translator, config: DictConfig) -> None:
        self.translator, self.kind, self.base = translator, config.format, config.base
        self.extract, self.shifted = method(config.method, config.theta), config.shift
        self.layer, self.head, self.most = config.layer, config.head, config.max_length
        if self.undrawable:
            raise ConfigError(f"run={config.run}: {self.undrawable}, so no word can be linked")

    @property
    def limits(self) -> Mapping[str, int | None]:
        model = self.translator.model
        knows = [most for most in (model.longest_source, model.longest_target) if most is not None]
        return {f"max_length={self.most}": self.most, "the end of the run's positions": min(knows, default=None)}

    @property
    def undrawable(self) -> str:
        return "" if self.translator.model.has_weights else "the attention of this run draws no alignment"

    def clean(self, text: str) -> Field:
        pair, fault = parted(text)
        return Field("", fault) if pair is None else Field(BAR.join(pair), "")

    def tokens(self, text: str) -> int:
        """Of the longer side, with the end of the target."""
        source, target = self._ids(text)
        return max(len(source), len(target) + 1)

    def fault(self, text: str) -> str:
        source, target = self._ids(text)
        return "" if source and target else "a side without a token"

    def unknown(self, text: str) -> list[str]:
        source, target = text.split(BAR)
        sides = (self.translator.source, source), (self.translator.target, target)
        return [word for tokenizer, side in sides for word in unknown_tokens(tokenizer, side)]

    @torch.inference_mode()
    def __call__(self, texts: Sequence[str]) -> list[Aligned | None]:
        there = [number for number, text in enumerate(texts) if text]
        found: dict[int, Aligned] = {}
        if there:
            translator = self.translator
            batch = batch_of([self._ids(texts[number]) for number in there], translator.device)
            looked = seen(translator.model, batch, translator.source, translator.target)
            found = {number: self._aligned(texts[number], item.map) for number, item in zip(there, looked, strict=True)}
        return [found.get(number) for number in range(len(texts))]

    def _aligned(self, text: str, item: Any) -> Aligned:
        sides = text.split(BAR)
        pieces = [
            [(token.start, token.end) for token in tokenizer.tokenize(side)]
            for tokenizer, side in zip((self.translator.source, self.translator.target), sides, strict=True)
        ]
        words = list(map(words_of, sides))
        spans = [find_spans(each, side) for each, side in zip(words, sides, strict=True)]
        weights = of_words(self._chosen(item), (pieces[0], pieces[1]), (spans[0], spans[1]), self.shifted)
        return Aligned(words[0], words[1], weights, self.extract(weights))

    def _chosen(self, item: Any) -> Float[np.ndarray, "T S"]:
        """The weights of the layer and the head that were asked for; of none the ones that a run is measured by."""
        if self.layer is None and self.head is None:
            return np.asarray(item.weights)
        if item.heads is None:
            raise ConfigError("layer, head: the attention of this run has no heads; leave them out")
        layers, heads = item.heads.shape[:2]
        for name, asked, there in (("layer", self.layer, layers), ("head", self.head, heads)):
            if asked is not None and asked >= there:
                raise ConfigError(f"{name}={asked}: the run has {there}, counted from 0")
        layer = item.heads[-1 if self.layer is None else self.layer]
        return np.asarray(layer.mean(0) if self.head is None else layer[self.head])

    def _ids(self, text: str) -> tuple[list[int], list[int]]:
        source, target = text.split(BAR)
        return self.translator.source.encode(source), self.translator.target.encode(target)

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
