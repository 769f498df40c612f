"""One direction of a word alignment: a run that decodes the target by force, and which of its weights are taken."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from attnlab.cli.translator import Translator
from attnlab.data.pharaoh import words_of
from attnlab.errors import ConfigError
from attnlab.metrics.alignment import find_spans
from attnlab.metrics.word_alignment.extraction import Link, Table, of_words
from attnlab.tasks.prediction import Seen
from attnlab.tasks.translation.looking import batch_of, seen, spans

TextPair = tuple[str, str]  #: source and target


class Taken(NamedTuple):
    """Which weights of a run are its alignment; without layer and head those that the run is measured by."""

    layer: int | None = None
    head: int | None = None
    shift: bool = False

    def __str__(self) -> str:
        of = "weights of the run"
        if self.layer is not None:
            of = f"layer {self.layer}, " + ("the mean of its heads" if self.head is None else f"head {self.head}")
        return f"{of}, of the step that {'has read' if self.shift else 'says'} the word"


class Direction:
    """What a run looks at in pairs of sentences, as words.

    Args:
        translator: the run.
        taken: of its weights.
    """

    def __init__(self, translator: Translator, taken: Taken) -> None:
        self.translator, self.taken = translator, taken

    def ids(self, pair: TextPair) -> tuple[list[int], list[int]]:
        return self.translator.source.encode(pair[0]), self.translator.target.encode(pair[1])

    @torch.inference_mode()
    def looks(self, pairs: Sequence[TextPair]) -> list["Look"]:
        """What is looked at in each; none is without a token."""
        translator = self.translator
        batch = batch_of([self.ids(pair) for pair in pairs], translator.device)
        found = seen(translator.model, batch, translator.source, translator.target)
        return [Look(translator, pair, item) for pair, item in zip(pairs, found, strict=True)]

    def tables(self, pairs: Sequence[TextPair]) -> list[Table]:
        """How much the words of each target look at those of its source."""
        return [look.table(self.taken) for look in self.looks(pairs)]


class Look:
    """All weights of one pair."""

    def __init__(self, translator: Translator, pair: TextPair, item: Seen) -> None:
        self.weights, self.heads = np.asarray(item.map.weights), item.map.heads
        self.aligned = translator.model.decoder.aligned
        source, target = pair
        self.pieces = spans(translator.source, source), spans(translator.target, target)
        self.words = find_spans(words_of(source), source), find_spans(words_of(target), target)

    def table(self, taken: Taken) -> Table:
        """As words have them."""
        return of_words(self._rows(taken), self.pieces, self.words, taken.shift)

    def candidates(self) -> Iterator[Taken]:
        """All that may be taken, of both steps: every head, the mean of every layer, what the run is measured by.

        The last is none of the others where the decoder has an attention for alignment alone.
        """
        layers, heads = (0, 0) if self.heads is None else self.heads.shape[:2]
        places: list[tuple[int | None, int | None]] = [
            (layer, head) for layer in range(layers) for head in (None, *range(heads))
        ]
        places.append((None, None))
        return (Taken(*place, shift) for place in places for shift in (False, True))

    def _rows(self, taken: Taken) -> Float[np.ndarray, "T S"]:
        if taken.layer is None and taken.head is None:
            return self.weights
        if self.heads is None:
            raise ConfigError("layer, head: the attention of this run has no heads; leave them out")
        layers, heads = self.heads.shape[:2]
        for name, asked, there in (("layer", taken.layer, layers), ("head", taken.head, heads)):
            if asked is not None and asked >= there:
                raise ConfigError(f"{name}={asked}: the run has {there}, counted from 0")
        layer = self.heads[self.aligned if taken.layer is None else taken.layer]
        return np.asarray(layer.mean(0) if taken.head is None else layer[taken.head])


def turned(pair: TextPair) -> TextPair:
    return pair[1], pair[0]


def turned_links(links: set[Link]) -> set[Link]:
    return {(source, target) for target, source in links}
