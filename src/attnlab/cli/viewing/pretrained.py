"""What models of the library ``transformers``, BERT, Marian and their like, look at; every word is a piece."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from attnlab.analysis.viewer.collected import MAIN, OWN, Asked, Look, Viewed
from attnlab.data.progress import bar
from attnlab.errors import DataError
from attnlab.pretrained.loading import TRANSLATES, Pair, kind_of, load, parted, pieces, until

MEMORY = 32 * 128**2  #: of texts at a time, characters squared: 32 sentences, or one text of 700 characters


class Pretrained:
    """A model and its tokenizer.

    Args:
        folder: with ``config.json``, the weights and the tokenizer's files.

    Raises:
        ConfigError: the library is not installed, or the folder is no model that it knows.
    """

    def __init__(self, folder: Path) -> None:
        self.pairs = kind_of(folder) == TRANSLATES
        self.loaded = load(folder, TRANSLATES if self.pairs else "", "eager")
        self.model, self.tokenizer = self.loaded.model, self.loaded.tokenizer

    def texts(self, texts: Sequence[str]) -> tuple[list[Asked], list[Viewed]]:
        """What it looks at in texts. A pair, ``A ||| B`` or with a tab between, is read together; of a model that
        translates, B is the translation, which is decoded by force, and without one its own is.

        Raises:
            DataError: a text is longer than the model has positions.
        """
        pairs = [parted(text) for text in texts]
        asked = [
            Asked(text.replace("\t", " → "), second if self.pairs else "")
            for text, (_, second) in zip(texts, pairs, strict=True)
        ]
        look = self._translated if self.pairs else self._read
        groups = alike(pairs) if self.tokenizer.pad_token is not None else [[number] for number in range(len(pairs))]
        viewed: dict[int, Viewed] = {}
        with torch.inference_mode(), bar("texts", len(texts)) as shown:
            for group in groups:
                found = look([pairs[number] for number in group], [f"texts[{number}]" for number in group])
                viewed |= dict(zip(group, found, strict=True))
                shown.advance(len(group))
        return asked, [viewed[number] for number in range(len(texts))]

    def _read(self, pairs: Sequence[Pair], where: Sequence[str]) -> list[Viewed]:
        given = self._tokenized([first for first, _ in pairs], [second for _, second in pairs if second] or None)
        words = self._words(pieces(given), where)
        seen = self.model(**self.loaded.taken(given), output_attentions=True)
        found = zip(by_layer(seen.attentions, words, words), words, strict=True)
        return [Viewed("", {f"{OWN}text": Look(weights, labels, labels)}) for weights, labels in found]

    def _translated(self, pairs: Sequence[Pair], where: Sequence[str]) -> list[Viewed]:
        given = self._tokenized([first for first, _ in pairs], None)
        words = self._words(pieces(given), where)
        read = self.loaded.taken(given)
        made, ids = self._made(pairs, read, max(map(len, words)))
        rows = self._words(ids, where)
        inputs = self.loaded.shifted(made)
        before = self._words([row[: len(each)] for row, each in zip(inputs.tolist(), ids, strict=True)], where)
        seen = self.model(**read, decoder_input_ids=inputs, output_attentions=True)
        cross = by_layer(seen.cross_attentions, rows, words)
        source, target = by_layer(seen.encoder_attentions, words, words), by_layer(seen.decoder_attentions, rows, rows)
        return [
            Viewed(pairs[n][1] or self.tokenizer.decode(ids[n], skip_special_tokens=True), {
                MAIN: Look(cross[n], rows[n], words[n]),
                f"{OWN}source": Look(source[n], words[n], words[n]),
                f"{OWN}target": Look(target[n], before[n], before[n]),
            })
            for n in range(len(pairs))
        ]  # fmt: skip

    def _made(self, pairs: Sequence[Pair], read: dict[str, Any], longest: int) -> tuple[torch.Tensor, list[list[int]]]:
        """The translations that are given, or the model's own: padded, and as they are."""
        if pairs[0][1]:
            wanted = self.tokenizer(text_target=[second for _, second in pairs], return_tensors="pt", **self._padding)
            return wanted["input_ids"], pieces(wanted)
        most = min(2 * longest + 20, self.loaded.most - 1)
        made = self.model.generate(**read, num_beams=1, do_sample=False, max_new_tokens=most)[:, 1:]
        ends = self.model.generation_config.eos_token_id
        return made, [until(row, ends) for row in made.tolist()]

    def _tokenized(self, first: Sequence[str], second: Sequence[str] | None) -> Any:
        return self.tokenizer(first, second, return_tensors="pt", **self._padding)

    @property
    def _padding(self) -> dict[str, Any]:
        return {"padding": self.tokenizer.pad_token is not None}

    def _words(self, ids: Sequence[Sequence[int]], where: Sequence[str]) -> list[list[str]]:
        for each, told in zip(ids, where, strict=True):
            if len(each) > self.loaded.most:
                kind = self.loaded.config.model_type
                raise DataError(f"{told}: {len(each)} pieces, over the {self.loaded.most} positions of {kind}")
        return [self.loaded.words(each) for each in ids]


def alike(pairs: Sequence[Pair]) -> Iterator[list[int]]:
    """The numbers of consecutive texts that have a second one, or have none, in groups that fit into memory."""
    group: list[int] = []
    longest = 0
    for number, (first, second) in enumerate(pairs):
        longest = max(longest, len(first) + len(second))
        other = group and bool(second) != bool(pairs[group[0]][1])
        if group and (other or (len(group) + 1) * longest**2 > MEMORY):
            yield group
            group, longest = [], len(first) + len(second)
        group.append(number)
    if group:
        yield group


def by_layer(
    weights: Sequence[torch.Tensor], rows: Sequence[Sequence[str]], columns: Sequence[Sequence[str]]
) -> list[Float[np.ndarray, "L H T S"]]:
    """Of each text, without padding, which stands behind it."""
    table = torch.stack(list(weights), 1).float().cpu().numpy()  # [B, L, H, T, S]
    return [one[:, :, : len(down), : len(across)] for one, down, across in zip(table, rows, columns, strict=True)]
