"""What a trained run makes of lines of text, by what its task says."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import torch
from omegaconf import DictConfig
from torch import nn

from attnlab.cli import build
from attnlab.cli.lines import Answers, Line, answer_lines, device_of, run_folder
from attnlab.cli.runs import checkpoint_file
from attnlab.cli.weights import load_weights
from attnlab.data.text import Field
from attnlab.errors import ConfigError
from attnlab.strict_json import dumps
from attnlab.tasks.prediction import Prediction, Predictor, Seen


def predict_lines(config: DictConfig) -> None:
    """Tell what is made of the input in the output.

    Raises:
        ConfigError, DataError: with what to change.
    """
    answer_lines(config, Predictions, lambda: Predictions.restore(config))


class Predictions(Answers):
    """What a task makes of lines.

    Args:
        predictor: of the task.
        model: of the run.
        device: where it works.
        config: ``format`` and ``max_length``.
    """

    output, done = "answer", "answered"

    def __init__(self, predictor: Predictor, model: nn.Module, device: torch.device, config: DictConfig) -> None:
        self.predictor, self.model, self.device = predictor, model.to(device).eval(), device
        self.kind = config.format
        self.most = predictor.most if config.max_length == "auto" else config.max_length

    @classmethod
    def restore(cls, config: DictConfig) -> "Predictions":
        """Of the run that ``config`` names, ready to answer.

        Raises:
            ConfigError: its task makes nothing of lines.
        """
        return restore(config)

    @property
    def limits(self) -> Mapping[str, int | None]:
        longest = self.predictor.longest(self.model)
        return {f"max_length={self.most}": self.most, "the end of the run's positions": longest}

    @property
    def whole(self) -> bool:
        return self.predictor.whole

    @property
    def undrawable(self) -> str:
        return "" if self.predictor.draws(self.model) else "this run has no attention to draw"

    def clean(self, text: str) -> Field:
        return self.predictor.clean(text)

    def tokens(self, text: str) -> int:
        return self.predictor.tokens(text)

    def fault(self, text: str) -> str:
        return self.predictor.fault(text, self.model)

    def unknown(self, text: str) -> list[str]:
        return self.predictor.unknown(text)

    @torch.inference_mode()
    def __call__(self, texts: Sequence[str]) -> list[Prediction | None]:
        shown = [text for text in texts if text]
        found = iter(self.predictor(self.model, shown, self.device) if shown else ())
        return [next(found) if text else None for text in texts]

    @torch.inference_mode()
    def seen(
        self, texts: Sequence[str], outputs: Sequence[str | None] | None = None, own: bool = True
    ) -> list[tuple[str, Seen | None]]:
        if outputs is not None and any(output is not None for output in outputs):
            raise ConfigError("output: this run translates nothing; leave it out")
        both = self.predictor.seen(self.model, texts, self.device) if texts else ()
        return [(found.short.partition("\t")[0], looked) for found, looked in both]

    def written(self, line: Line, found: Prediction | None) -> str:
        """A line, empty where there is no answer, or one JSON object."""
        if self.kind == "text":
            return f"{'' if found is None else found.short}\n"
        told = {"line": line.number, "text": line.text} if found is None else {"line": line.number, **found.line()}
        return dumps(told | ({"error": line.fault} if line.fault else {})) + "\n"

    def draw(self, path: Path, number: int, found: Prediction) -> None:
        from attnlab.viz.heatmap import save
        from attnlab.viz.picture import picture

        item = found.map(number)
        if item is not None:
            save(picture(**item.drawn(f"line {number}")), path)


def restore(config: DictConfig) -> Predictions:
    """The model of the run and what its task makes of lines.

    Raises:
        ConfigError: it makes nothing of them.
    """
    folder = run_folder(config)  # nothing takes the place of its files before the end
    target = str(config.task._target_)
    module = target.rpartition(".")[0]
    make = getattr(import_module(module), "predictor", None)
    if make is None:
        raise ConfigError(
            f"task: {target} makes nothing of single lines; {module} has no function predictor(folder, data)"
        )
    predictor: Predictor = make(folder / "tokenizer", build.settings_of(config.data))
    network = build.model(config, predictor.dimensions)
    load_weights(network, checkpoint_file(folder, config.checkpoint), folder)
    return Predictions(predictor, network, device_of(config.device), config)
