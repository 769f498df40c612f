"""A model and its tokenizer from a folder, as ``save_pretrained`` leaves it.

The folder is read and nothing is fetched; code that lies in it is not run, and weights are read without executing what
they name.
"""

from pathlib import Path
from typing import Any, NamedTuple

from attnlab.bounded import read_json
from attnlab.data.pharaoh import BAR
from attnlab.errors import ConfigError

Pair = tuple[str, str]  #: a text and what belongs to it, empty where nothing does
MOST = 1024  #: pieces of a model that does not say how many it can read
LOCAL = {"local_files_only": True, "trust_remote_code": False}
TRANSLATES, CLASSIFIES, FILLS = "Seq2SeqLM", "SequenceClassification", "MaskedLM"  #: kinds of models with an output


class Loaded(NamedTuple):
    """A model that is not trained on."""

    model: Any
    tokenizer: Any

    @property
    def config(self) -> Any:
        return self.model.config

    @property
    def most(self) -> int:
        """Pieces that the model can read."""
        return int(getattr(self.config, "max_position_embeddings", None) or MOST)

    def embedded(self, ids: Any) -> Any:
        """Pieces as the model embeds them, before their places and whatever scale it has."""
        return self.model.get_input_embeddings()(ids)

    def refused(self, why: str) -> ConfigError:
        """The error for a model that cannot be asked so."""
        return ConfigError(f"run: {type(self.model).__name__} {why}")

    def taken(self, read: Any) -> dict[str, Any]:
        """What the model has a use for, of what its tokenizer makes."""
        types = ["token_type_ids"] if getattr(self.config, "type_vocab_size", 0) else []
        return {name: read[name] for name in ("input_ids", "attention_mask", *types) if name in read}

    def shifted(self, targets: Any) -> Any:
        """What the decoder reads to say targets, a tensor of ids."""
        if hasattr(self.model, "prepare_decoder_input_ids_from_labels"):
            return self.model.prepare_decoder_input_ids_from_labels(targets)
        found = targets.roll(1, 1)
        found[:, 0] = self.config.decoder_start_token_id
        return found

    def word(self, piece: int) -> str:
        """How a piece reads."""
        return self.words([piece])[0]

    def words(self, ids: Any) -> list[str]:
        """How the pieces read."""
        return [str(piece) for piece in self.tokenizer.convert_ids_to_tokens(list(ids))]


def is_pretrained(folder: Path) -> bool:
    """Whether a folder is a model's."""
    place = folder / "config.json"
    if not place.is_file() or (folder / ".hydra").exists():
        return False
    found = read_json(place)
    return isinstance(found, dict) and isinstance(found.get("model_type"), str)


def library_of(folder: Path) -> Any:
    """The library.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise ConfigError(
            f"{folder}: a model of the library transformers, which is not installed; "
            "pip install 'attnlab[transformers]'"
        ) from error
    transformers.utils.logging.disable_progress_bar()
    return transformers


def kind_of(folder: Path) -> str:
    """What follows ``AutoModelFor`` in the name of its class: what it was saved with; empty of a model without output.

    Raises:
        ConfigError: the library is not installed, or the folder is no model that it knows.
    """
    library = library_of(folder)
    config = _reading(folder, lambda: library.AutoConfig.from_pretrained(folder, **LOCAL))
    if config.is_encoder_decoder:
        return TRANSLATES
    names = list(getattr(config, "architectures", None) or [])
    return next((kind for kind in (CLASSIFIES, FILLS) if any(name.endswith(f"For{kind}") for name in names)), "")


def load(folder: Path, kind: str, attention: str) -> Loaded:
    """Read it.

    Args:
        folder: with ``config.json``, the weights and the tokenizer's files.
        kind: as ``kind_of`` says it.
        attention: the name of its implementation.

    Raises:
        ConfigError: the library is not installed, or the folder is no model that it knows.
    """
    library = library_of(folder)
    made = getattr(library, f"AutoModelFor{kind}" if kind else "AutoModel")

    def read() -> Loaded:
        model = made.from_pretrained(folder, attn_implementation=attention, **LOCAL)
        return Loaded(model.float().eval(), library.AutoTokenizer.from_pretrained(folder, **LOCAL))

    found: Loaded = _reading(folder, read)
    found.tokenizer.padding_side = "right"
    return found


def _reading(folder: Path, read: Any) -> Any:
    try:
        return read()
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{folder}: transformers cannot read this model ({str(error).splitlines()[0]})") from error


def parted(text: str) -> Pair:
    """A text and what stands behind the bar, or behind a tab."""
    first, _, second = text.replace(BAR, "\t", 1).partition("\t")
    return first.strip(), second.strip()


def pieces(read: Any) -> list[list[int]]:
    """The ids of each text without padding."""
    rows = zip(read["input_ids"].tolist(), read["attention_mask"].tolist(), strict=True)
    return [[piece for piece, real in zip(ids, mask, strict=True) if real] for ids, mask in rows]


def until(row: list[int], ends: Any) -> list[int]:
    """A translation to its end, which is one of these."""
    several = ends if isinstance(ends, list) else [ends]
    last = next((number for number, piece in enumerate(row) if piece in several), len(row) - 1)
    return row[: last + 1]
