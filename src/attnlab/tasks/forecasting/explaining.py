"""What a forecaster can be asked about the attention of its steps over the past."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.attention.given import mechanism_of
from attnlab.data.series.module import SeriesData
from attnlab.data.series.windows import SeriesBatch
from attnlab.models.forecast import ForecastModel
from attnlab.models.forecaster import Forecaster
from attnlab.tasks.explaining import About, EncodedInstances, mixed_by
from attnlab.types import Encoded


@dataclass(eq=False)
class WindowInstances(EncodedInstances):
    """Windows; positions are the places of the past, looks the steps of the forecast (of each head).

    The output are the point forecasts of all steps and targets, standardised. A place has its position in the past, so
    what is left out does not close up: it is read as a point at the level of its window.

    Attributes:
        model: of the run.
        past, known: what the forecast starts from, and what is known of the future.
    """

    values: ClassVar[bool] = True
    model: Forecaster
    past: Float[Tensor, "N L C"]
    known: Float[Tensor, "N H F"]

    @property
    def mechanism(self) -> nn.Module | None:
        return self.model.attention

    def encode(self, inputs: Float[Tensor, "N S E"], mask: Bool[Tensor, "N S"]) -> Encoded:
        return self.model.encode(inputs)

    def mixing(self) -> Float[Tensor, "N K S S"] | None:
        return mixed_by(self.model.encoder, self.inputs, self.mask)

    def said(self, encoded: Encoded) -> Float[Tensor, "N V"]:
        found = self.model.tell(self.past, *self.model.moved(self.past), encoded, self.known)
        return found.values[..., self.model.middle].flatten(1)

    def without(self, left_out: Bool[Tensor, "N S"]) -> Float[Tensor, "N V"]:
        blank = self.model.points(torch.zeros_like(self.model.points.weight[:1]))
        return self.read(torch.where(left_out.unsqueeze(-1), blank, self.inputs), self.mask).output


def window_instances(
    model: ForecastModel, data: SeriesData, split: str, numbers: Sequence[int]
) -> tuple[WindowInstances, list[About]]:
    """Some windows of a split.

    Raises:
        ConfigError: the model looks at nothing.
    """
    mechanism_of(getattr(model, "attention", None))
    assert isinstance(model, Forecaster)  # of the models here the one with attention
    device = next(model.parameters()).device
    batch: SeriesBatch = data.batch(split, numbers)
    past, before, known = (part.to(device) for part in batch[:3])
    with torch.no_grad():
        inputs = model.embed(model.moved(past)[0], before)
    mask = torch.ones(inputs.shape[:2], dtype=torch.bool, device=device)
    found = WindowInstances(inputs, mask, model, past, known)
    origins = data.split(split).origins[list(numbers)].tolist()
    told = []
    for number, origin, values in zip(numbers, origins, found.output.tolist(), strict=True):
        more = {"origin": origin, "forecast": [round(value, 4) for value in values]}
        told.append(About(number, list(model.lags), f"from point {origin}", more))
    return found, told
