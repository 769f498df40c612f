"""Models of the library ``transformers``, from local folders: what BERT, Marian and their like look at.

The folder is read and nothing is fetched; code that lies in it is not run, and weights are read without executing what
they name. Every word is a piece of the model's tokenizer.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from attnlab.analysis.viewer.collected import MAIN, OWN, Asked, Look, Viewed
from attnlab.bounded import read_json
from attnlab.data.pharaoh import BAR
from attnlab.data.progress import bar
from attnlab.errors import ConfigError, DataError

Pair = tuple[str, str]  #: a text and what belongs to it, empty where nothing does
MEMORY = 32 * 128**2  #: of texts at a time, characters squared: 32 sentences, or one text of 700 characters
MOST = 1024  #: pieces of a model that does not say how many it can read
LOCAL = {"local_files_only": True, "trust_remote_code": False}


def is_pretrained(folder: Path) -> bool:
    """Whether a folder is a model's, as ``save_pretrained`` leaves it."""
    place = folder / "config.json"
    if not place.is_file() or (folder / ".hydra").exists():
        return False
    found = read_json(place)
    return isinstance(found, dict) and isinstance(found.get("model_type"), str)


class Pretrained:
    """A model and its tokenizer.

    Args:
        folder: with ``config.json``, the weights and the tokenizer's files.

    Raises:
        ConfigError: the library is not installed, or the folder is no model that it knows.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import transformers
        except ImportError as error:
            raise ConfigError(
                f"{folder}: a model of the library transformers, which is not installed; "
                "pip install 'attnlab[transformers]'"
            ) from error
        library: Any = transformers
        library.utils.logging.disable_progress_bar()
        try:
            self.config = library.AutoConfig.from_pretrained(folder, **LOCAL)
            self.pairs = bool(self.config.is_encoder_decoder)
            kind = library.AutoModelForSeq2SeqLM if self.pairs else library.AutoModel
            model = kind.from_pretrained(folder, attn_implementation="eager", **LOCAL)
            self.tokenizer = library.AutoTokenizer.from_pretrained(folder, **LOCAL)
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(
                f"{folder}: transformers cannot read this model ({str(error).splitlines()[0]})"
            ) from error
        self.tokenizer.padding_side = "right"
        self.model = model.float().eval()

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
        seen = self.model(**self._taken(given), output_attentions=True)
        found = zip(by_layer(seen.attentions, words, words), words, strict=True)
        return [Viewed("", {f"{OWN}text": Look(weights, labels, labels)}) for weights, labels in found]

    def _translated(self, pairs: Sequence[Pair], where: Sequence[str]) -> list[Viewed]:
        given = self._tokenized([first for first, _ in pairs], None)
        words = self._words(pieces(given), where)
        read = self._taken(given)
        made, ids = self._made(pairs, read, max(map(len, words)))
        rows = self._words(ids, where)
        inputs = self.model.prepare_decoder_input_ids_from_labels(made)
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
        most = min(2 * longest + 20, self._most - 1)
        made = self.model.generate(**read, num_beams=1, do_sample=False, max_new_tokens=most)[:, 1:]
        ends = self.model.generation_config.eos_token_id
        return made, [until(row, ends if isinstance(ends, list) else [ends]) for row in made.tolist()]

    def _tokenized(self, first: Sequence[str], second: Sequence[str] | None) -> Any:
        return self.tokenizer(first, second, return_tensors="pt", **self._padding)

    @property
    def _padding(self) -> dict[str, Any]:
        return {"padding": self.tokenizer.pad_token is not None}

    def _taken(self, read: Any) -> dict[str, Any]:
        """What the model has a use for, of what its tokenizer makes."""
        names = (
            "input_ids",
            "attention_mask",
            *(["token_type_ids"] if hasattr(self.config, "type_vocab_size") else []),
        )
        return {name: read[name] for name in names if name in read}

    @property
    def _most(self) -> int:
        """Pieces that the model can read."""
        return int(getattr(self.config, "max_position_embeddings", None) or MOST)

    def _words(self, ids: Sequence[Sequence[int]], where: Sequence[str]) -> list[list[str]]:
        for each, told in zip(ids, where, strict=True):
            if len(each) > self._most:
                kind = self.config.model_type
                raise DataError(f"{told}: {len(each)} pieces, over the {self._most} positions of {kind}")
        return [[str(piece) for piece in self.tokenizer.convert_ids_to_tokens(list(each))] for each in ids]


def parted(text: str) -> Pair:
    first, _, second = text.replace(BAR, "\t", 1).partition("\t")
    return first.strip(), second.strip()


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


def pieces(read: Any) -> list[list[int]]:
    """The ids of each text without padding."""
    rows = zip(read["input_ids"].tolist(), read["attention_mask"].tolist(), strict=True)
    return [[piece for piece, real in zip(ids, mask, strict=True) if real] for ids, mask in rows]


def until(row: list[int], ends: Sequence[int]) -> list[int]:
    """A translation to its end, which is one of these."""
    last = next((number for number, piece in enumerate(row) if piece in ends), len(row) - 1)
    return row[: last + 1]


def by_layer(
    weights: Sequence[torch.Tensor], rows: Sequence[Sequence[str]], columns: Sequence[Sequence[str]]
) -> list[Float[np.ndarray, "L H T S"]]:
    """Of each text, without padding, which stands behind it."""
    table = torch.stack(list(weights), 1).float().cpu().numpy()  # [B, L, H, T, S]
    return [one[:, :, : len(down), : len(across)] for one, down, across in zip(table, rows, columns, strict=True)]
