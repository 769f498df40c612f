r"""Attention over past steps: an encoder reads the past, and every step of the future asks where to look in it.

$$z = x - c(x), \quad h_j = \operatorname{encoder}(W_x z_j + W_f f_j)_j, \quad
q_i = u_i + W_s s + W_g g_i, \quad a_i = \operatorname{softmax}_j \operatorname{score}(q_i, h_j + p_j)$$

$$\hat y_i = c(x) + b_i + W_o\, \phi(W_c \textstyle\sum_j a_{ij} h_j + W_q q_i)$$

x_j are the columns at a point of the past (or at ``patch`` neighbouring ones: Nie et al. 2023), f_j and g_i what is
known of past and future, s the encoder's summary, u_i a learnt vector for each step of the horizon, p_j one for each
place of the past: by these a step can look a fixed number of points back. c is the level that a window is moved by
(the last value: NLinear, Zeng et al. 2023; the mean: RevIN, Kim et al. 2022). b_i is what the network corrects:
nothing, or a linear layer from the past (as a ridge regression would have it). With ``seasons`` = n > 0 all of it is
about the differences x_j - sum_k w_k x_{j-ks}, k = 1 … n, w = softmax of learnt numbers: from one season before, as in
a seasonal ARIMA, or from a mean of some, and what comes out is added to that mean.

Bai, Kolter and Koltun 2018 for the encoder (``encoder=tcn``); LSTM and GRU stand in its place. ``attention=none`` is
the same network without attention: every step reads the summary; ``attention=uniform`` the mean of all states.
"""

from collections.abc import Callable
from typing import Any, Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnlab.attention.multi_head import Heads
from attnlab.encoders.base import Encoder
from attnlab.layers.initialization import Initialization
from attnlab.models.forecast import Forecast, ForecastModel, require_season, seasonal, sizes
from attnlab.pooling.base import require_no_history
from attnlab.ranges import Fraction, Level, Width, ZeroOrMore
from attnlab.types import ConfigError, Encoded

Center = Literal["last", "mean", "none"]


class Forecaster(ForecastModel):
    """Encoder, attention from every step of the future, output layer.

    Args:
        encoder, attention: factories; sizes are handed on from left to right.
        initialization: what is done to the weights after torch's own initialisation.
        embedding_dim: size of an embedded point.
        state_dim: size of the layer before the output, and of the encoder's states unless that is told otherwise.
        patch: points that are read as one place; the oldest ones that fill no patch are left out.
        center: the level that a window is moved by: its ``last`` value, its ``mean``, or ``none``.
        seasons: n, read and tell differences from a mean of so many seasons before; lags are those of the last
            lookback - n s points. 0 takes the series as it is.
        linear_skip: correct a linear layer from the past of the targets, which begins at 0.
        dropout: before the output layer, and where the encoder has some.
        quantiles: to be forecast; null for a point forecast.
        dimensions: of the data.

    Raises:
        ConfigError: a mechanism that asks where it has looked before, a patch longer than the past, or quantiles that
            cannot be.
    """

    def __init__(
        self,
        encoder: Callable[..., Encoder],
        attention: Callable[..., nn.Module],
        initialization: Initialization,
        embedding_dim: Width = 32,
        state_dim: Width = 32,
        patch: Width = 1,
        center: Center = "last",
        seasons: ZeroOrMore = 0,
        linear_skip: bool = False,
        dropout: Fraction = 0.0,
        quantiles: list[Level] | None = None,
        **dimensions: Any,
    ) -> None:
        super().__init__(sizes(dimensions), quantiles)
        size = self.dimensions
        if seasons:
            require_season(size, f"model.seasons={seasons}", seasons, patch)
        read = size.lookback - size.season * seasons
        if patch > read:
            raise ConfigError(f"model.patch={patch} is longer than a past, data.lookback={size.lookback}; lower it")
        self.patch, self.center, self.seasons = patch, center, seasons
        self.places = read // patch
        self.points = nn.Linear(patch * (size.channels + size.features), embedding_dim)
        self.encoder = encoder(embedding_dim=embedding_dim)
        dims = self.encoder.dims
        self.attention = attention(query_dim=dims.states, key_dim=dims.states, summary_dim=dims.summary)
        require_no_history(self.attention, "model=forecaster", "a window")
        self.u, self.p = (nn.Parameter(torch.empty(n, dims.states)) for n in (size.horizon, self.places))
        self.W_s = nn.Linear(dims.summary, dims.states, bias=False)
        self.W_g = nn.Linear(size.features, dims.states, bias=False) if size.features else None
        self.W_c = nn.Linear(cast(int, self.attention.context_dim), state_dim)
        self.W_q = nn.Linear(dims.states, state_dim, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(state_dim, size.targets * self.outputs)
        self.w = nn.Parameter(torch.zeros(seasons)) if seasons > 1 else None
        self.linear = nn.Linear(read, size.horizon) if linear_skip else None
        initialization(self)

    def initialize(self) -> None:
        """Of length 1 on average, so that steps and places differ from the beginning; a correction begins at 0."""
        if self.w is not None:
            nn.init.zeros_(self.w)
        for vectors in (self.u, self.p):
            nn.init.normal_(vectors, std=vectors.size(1) ** -0.5)
        if self.linear is not None:
            nn.init.zeros_(self.linear.weight)
            nn.init.zeros_(self.linear.bias)
        if self.linear is not None or self.seasons:
            nn.init.zeros_(self.output.weight)
            nn.init.zeros_(self.output.bias)

    @property
    def has_weights(self) -> bool:  # type: ignore[override]
        return bool(getattr(self.attention, "has_weights", False))

    @property
    def lags(self) -> list[str]:
        """The most recent point of each place."""
        return [str(self.patch * (self.places - place - 1) + 1) for place in range(self.places)]

    def forward(
        self, past: Float[Tensor, "B L C"], before: Float[Tensor, "B L F"], known: Float[Tensor, "B H F"]
    ) -> Forecast:
        moved, level = self.moved(past)
        encoded = self.encode(self.embed(moved, before))
        return self.tell(past, moved, level, encoded, known)

    def moved(self, past: Float[Tensor, "B L C"]) -> tuple[Float[Tensor, "B D C"], Float[Tensor, "B 1 C"]]:
        """What is read of a past, moved by its level; and that."""
        read = self.differences(past)
        level = self.level(read)
        return read - level, level

    def tell(
        self,
        past: Float[Tensor, "B L C"],
        moved: Float[Tensor, "B D C"],
        level: Float[Tensor, "B 1 C"],
        encoded: Encoded,
        known: Float[Tensor, "B H F"],
    ) -> Forecast:
        """The forecast, once a past is encoded."""
        query = self.query(encoded, known)
        found = self.attention(query, self.attention.memory(encoded), None)  # type: ignore[operator]
        hidden = torch.relu(self.W_c(found.context) + self.W_q(query))
        corrected = self.output(self.dropout(hidden)).unflatten(2, (self.dimensions.targets, self.outputs))
        own = slice(0, self.dimensions.targets)
        base = level[..., own] + self.base(past[..., own], moved[..., own])
        return Forecast(corrected + base.unsqueeze(-1), found.weights, found.sample)

    def season_weights(self) -> tuple[Tensor | float, ...]:
        """W: what each of the seasons before counts."""
        return (1.0,) * self.seasons if self.w is None else self.w.softmax(0).unbind()

    def differences(self, past: Float[Tensor, "B L C"]) -> Float[Tensor, "B D C"]:
        """What is read: all of a past, or what has changed since the seasons before."""
        first, size = self.seasons * self.dimensions.season, self.dimensions
        found = past[:, first:]
        for k, weight in enumerate(self.season_weights(), 1):
            found = found - weight * past[:, first - k * size.season : past.size(1) - k * size.season]
        return found

    def level(self, read: Float[Tensor, "B D C"]) -> Float[Tensor, "B 1 C"]:
        """C: what a window is moved by."""
        if self.center == "last":
            return read[:, -1:]
        return read.mean(1, keepdim=True) if self.center == "mean" else torch.zeros_like(read[:, -1:])

    def embed(self, moved: Float[Tensor, "B D C"], before: Float[Tensor, "B L F"]) -> Float[Tensor, "B N E"]:
        """The places of a past, each an embedded point or patch."""
        used = self.places * self.patch
        read = torch.cat([moved[:, -used:], before[:, -used:]], dim=-1)
        embedded: Tensor = self.points(read.reshape(len(read), self.places, -1))
        return embedded

    def encode(self, embedded: Float[Tensor, "B N E"]) -> Encoded:
        """The states are what is summed up; what is looked at knows its place besides."""
        mask = torch.ones(embedded.shape[:2], dtype=torch.bool, device=embedded.device)
        encoded: Encoded = self.encoder(embedded, mask)
        return encoded._replace(states=encoded.states + self.p, values=encoded.states)

    def query(self, encoded: Encoded, known: Float[Tensor, "B H F"]) -> Float[Tensor, "B H Q"]:
        asked: Tensor = self.u + self.W_s(encoded.summary).unsqueeze(1)
        return asked if self.W_g is None else asked + self.W_g(known)

    def base(self, own: Float[Tensor, "B L K"], moved: Float[Tensor, "B D K"]) -> Float[Tensor, "B H K"]:
        """What is corrected, but for the level."""
        size = self.dimensions
        found = own.new_zeros(len(own), size.horizon, size.targets)
        for k, weight in enumerate(self.season_weights(), 1):
            end = own.size(1) - (k - 1) * size.season
            found = found + weight * seasonal(own[:, :end], size.horizon, size.season)
        if self.linear is not None:
            found = found + self.linear(moved.transpose(1, 2)).transpose(1, 2)
        return found

    @torch.no_grad()
    def weights_by_head(
        self, past: Float[Tensor, "B L C"], before: Float[Tensor, "B L F"], known: Float[Tensor, "B H F"]
    ) -> Float[Tensor, "B 1 N H S"] | None:
        if not isinstance(self.attention, Heads):
            return None
        encoded = self.encode(self.embed(self.moved(past)[0], before))
        _, weights = self.attention.by_head(self.query(encoded, known), self.attention.memory(encoded))
        return weights.unsqueeze(1)

    def surrogate(self, found: Forecast, reward: Float[Tensor, " B"]) -> Float[Tensor, ""] | None:
        if found.sample is None:
            return None
        looks = torch.ones_like(found.sample.log_prob, dtype=torch.bool)
        return cast(Tensor, self.attention.surrogate(found.sample, reward, looks))  # type: ignore[operator]
