"""Models of the library ``transformers``, from local folders: what BERT, Marian and their like look at.

The folder is read and nothing is fetched; code that lies in it is not run, and weights are read without executing what
they name. Every word is a piece of the model's tokenizer.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from attnlab.analysis.viewer.collected import MAIN, OWN, Asked, Look, Viewed
from attnlab.bounded import read_json
from attnlab.data.pharaoh import BAR
from attnlab.errors import ConfigError, DataError

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
        self.model = model.float().eval()

    def texts(self, texts: Sequence[str]) -> tuple[list[Asked], list[Viewed]]:
        """What it looks at in texts. A pair, ``A ||| B`` or with a tab between, is read together; of a model that
        translates, B is the translation, which is decoded by force, and without one its own is.

        Raises:
            DataError: a text is longer than the model has positions.
        """
        asked, viewed = [], []
        with torch.inference_mode():
            for number, text in enumerate(texts):
                first, _, second = text.replace(BAR, "\t", 1).partition("\t")
                asked.append(Asked(text.replace("\t", " → "), second if self.pairs else ""))
                look = self._translated if self.pairs else self._read
                viewed.append(look(first.strip(), second.strip() or None, f"texts[{number}]"))
        return asked, viewed

    def _read(self, first: str, second: str | None, where: str) -> Viewed:
        read = self.tokenizer(first, second, return_tensors="pt")
        words = self._words(read["input_ids"][0], where)
        found = self.model(**self._taken(read), output_attentions=True)
        return Viewed("", {f"{OWN}text": Look(by_layer(found.attentions), words, words)})

    def _translated(self, source: str, target: str | None, where: str) -> Viewed:
        read = self._taken(self.tokenizer(source, return_tensors="pt"))
        words = self._words(read["input_ids"][0], where)
        if target is None:
            most = min(2 * len(words) + 20, self._most - 1)
            made = self.model.generate(**read, num_beams=1, do_sample=False, max_new_tokens=most)[:, 1:]
        else:
            made = self.tokenizer(text_target=target, return_tensors="pt")["input_ids"]
        inputs = self.model.prepare_decoder_input_ids_from_labels(made)
        found = self.model(**read, decoder_input_ids=inputs, output_attentions=True)
        rows, before = self._words(made[0], where), self._words(inputs[0], where)
        looks = {
            MAIN: Look(by_layer(found.cross_attentions), rows, words),
            f"{OWN}source": Look(by_layer(found.encoder_attentions), words, words),
            f"{OWN}target": Look(by_layer(found.decoder_attentions), before, before),
        }
        return Viewed(target or self.tokenizer.decode(made[0], skip_special_tokens=True), looks)

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

    def _words(self, ids: Any, where: str) -> list[str]:
        if len(ids) > self._most:
            raise DataError(f"{where}: {len(ids)} pieces, over the {self._most} positions of {self.config.model_type}")
        return [str(piece) for piece in self.tokenizer.convert_ids_to_tokens(ids.tolist())]


def by_layer(weights: Sequence[torch.Tensor]) -> Float[np.ndarray, "L H T S"]:
    """Of the one text that was read."""
    return torch.stack([layer[0] for layer in weights]).float().cpu().numpy()
