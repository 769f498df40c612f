"""Translating lines of text with a trained run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf, open_dict

from attnlab.cli import build
from attnlab.cli.config.command_line import trusting
from attnlab.cli.ensembles import halve, members, network
from attnlab.cli.errors import MistakesError
from attnlab.cli.lines import Answers, Line, answer_lines, device_of, run_folder
from attnlab.cli.runs import find
from attnlab.cli.translator import TranslationResult, Translator
from attnlab.cli.trust import MODEL_PARTS, read, recorded
from attnlab.data.tokenizers.load import load
from attnlab.strict_json import dumps
from attnlab.tasks.prediction import Seen
from attnlab.tasks.spelling import unknown_places, unknown_tokens
from attnlab.types import ConfigError


def translate_lines(config: DictConfig) -> None:
    """Translate the input to the output.

    Raises:
        ConfigError, DataError: with what to change.
    """
    answer_lines(config, Translations, lambda: Translations.restore(config))


class Translations(Answers):
    """Translations of lines, several of each where that is asked for.

    Args:
        translator: the model, the tokenizers and the search.
        config: ``format``, ``max_source_length`` and the search's settings.
    """

    output, done = "translation", "translated"

    def __init__(self, translator: Translator, config: DictConfig) -> None:
        self.translator, self.kind, self.wanted = translator, config.format, candidates(config)
        self.most = config.max_source_length

    @classmethod
    def restore(cls, config: DictConfig) -> "Translations":
        """Of the run that ``config`` names, ready to translate."""
        return cls(restore(config), config)

    @property
    def limits(self) -> Mapping[str, int | None]:
        longest = self.translator.model.longest_source
        return {f"max_source_length={self.most}": self.most, "the end of the run's positions": longest}

    @property
    def undrawable(self) -> str:
        return "" if self.translator.model.has_weights else "the attention of this run draws no alignment"

    def tokens(self, text: str) -> int:
        return len(self.translator.source.encode(text))

    def unknown(self, text: str) -> list[str]:
        return unknown_tokens(self.translator.source, text)

    def __call__(self, texts: Sequence[str]) -> list[list[TranslationResult]]:
        return self.translator(texts)

    def seen(
        self, texts: Sequence[str], outputs: Sequence[str | None] | None = None, own: bool = True
    ) -> list[tuple[str, Seen | None]]:
        return self.translator.seen(texts, outputs, own)

    def written(self, line: Line, found: list[TranslationResult]) -> str:
        """``wanted`` lines (empty ones where there is no translation), or one JSON object."""
        if self.kind == "text":
            texts = [item.text for item in found]
            return "".join(f"{text}\n" for text in [*texts, *[""] * (self.wanted - len(texts))])
        strange = unknown_places(self.translator.source, line.text)
        told = {
            "line": line.number,
            "source": line.text,
            "source_unknown": strange,
            "translations": [item.as_json() for item in found],
        }
        return dumps(told | ({"error": line.fault} if line.fault else {})) + "\n"

    def draw(self, path: Path, number: int, found: list[TranslationResult]) -> None:
        """A picture of what the best translation looked at."""
        from attnlab.viz.heatmap import heatmap, save

        best = found[0]
        assert best.weights is not None
        save(heatmap(best.weights, best.source_tokens, best.tokens), path)


def restore(config: DictConfig) -> Translator:
    """The model and the tokenizers of the run, ready to translate."""
    folder = run_folder(config)  # nothing takes the place of its files before the end
    if (number := config.get("nbest", 1)) > 1:
        ask_for(config, number)
    return translator(config, folder, config.checkpoint, config.device)


def restored_run(config: DictConfig, name: str, checkpoint: str = "best", device: str | None = None) -> Translator:
    """Another run, on the same device unless told; ``config`` says whom it may trust.

    Raises:
        MistakesError: there is no such run, it may not be built, or it translates nothing.
    """
    folder = find(name).resolve()
    if read(folder).get("search") is None:
        raise MistakesError([f"{folder}: its task translates nothing, so there is no pair of sentences in it"])
    found = OmegaConf.create(recorded(folder, ("seed", *MODEL_PARTS, "search"), trusting(config.trust)))
    return translator(found, folder, checkpoint, device or config.device)


def translator(config: DictConfig, folder: Path, checkpoint: str, device: str) -> Translator:
    """A run as its configuration says, with the weights of a checkpoint."""
    source, target = (load(folder / "tokenizer" / f"{side}.json") for side in ("source", "target"))
    model = network(config, folder, checkpoint, [len(source), len(target)])
    others = members(config, folder)
    found = Translator(model, source, target, build.made(config.search), device_of(device), others)
    if config.get("half_output"):
        halve([model, *others])
    return found


KEYS = {"n_best": "beam", "samples": "samples"}  #: how many translations a search gives: how wide it is


def ask_for(config: DictConfig, number: int) -> None:
    """Let the search keep ``number`` translations of a sentence, and be wide enough to find them."""
    key = next((key for key, width in KEYS.items() if key in config.search and width in config.search), None)
    if key is None:
        raise ConfigError(f"nbest={number}: this search finds one translation; add search=beam or search=sampling")
    with open_dict(config):
        config.search[key] = number
        config.search[KEYS[key]] = max(number, config.search[KEYS[key]])


def candidates(config: DictConfig) -> int:
    """Translations of a sentence that the search is asked for."""
    return next((int(config.search[key]) for key in KEYS if key in config.search), 1)
