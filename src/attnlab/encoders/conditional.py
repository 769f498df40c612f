"""Conditional encoding: a second sentence is read by a network that begins with what the first has left in memory.

Rocktäschel, Grefenstette, Hermann, Kočiský and Blunsom 2016, "Reasoning about entailment with neural attention",
section 2.2: another LSTM, of weights of its own, reads a delimiter and then the hypothesis; its cell begins as the
premise's ended, its hidden state as zeros. The delimiter is a learned vector. With two directions (Augenstein et al.
2016), each begins as that of the premise ended, and reads the delimiter first.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnlab.encoders.base import last_positions, permute, reversal
from attnlab.encoders.recurrent import Recurrent
from attnlab.layers.recurrent import RNNS, all_steps
from attnlab.types import ConfigError, Encoded


class Conditional(nn.Module):
    """Reads a sentence behind another one.

    Args:
        embedding_dim: size of the embedded words.
        first: what has read the other one; of its cell, size and directions.

    Raises:
        ConfigError: that is no recurrent encoder of one layer.
    """

    def __init__(self, embedding_dim: int, first: nn.Module) -> None:
        super().__init__()
        if not isinstance(first, Recurrent) or first.dims.layers != 1:
            raise ConfigError(
                "model=word_by_word goes on in the hypothesis with what the premise has left in memory, so it reads "
                "with one recurrent layer: take encoder=lstm, gru or rnn, with encoder.layers=1"
            )
        self.cell, self.directions = first.cell, first.directions
        self.hidden_dim = first.dims.states // first.directions
        self.delimiter = nn.Parameter(torch.empty(embedding_dim))
        self.rnns = nn.ModuleList(
            RNNS[self.cell](embedding_dim, self.hidden_dim, batch_first=True) for _ in range(self.directions)
        )

    def initialize(self) -> None:
        """As words begin; a model's initialisation would have it nearly nothing."""
        nn.init.normal_(self.delimiter, std=0.1)

    def forward(self, embedded: Float[Tensor, "B S E"], mask: Bool[Tensor, "B S"], before: Encoded) -> Encoded:
        """Annotations of the sentence, and where each direction ended.

        Args:
            embedded: its words.
            mask: which are real.
            before: what the other sentence has left.
        """
        last, turned = last_positions(mask), reversal(mask)
        ways, ends = [], []
        for way, rnn in enumerate(self.rnns):
            states = self._run(rnn, permute(embedded, turned) if way else embedded, before, way)
            ends.append(states[torch.arange(len(last), device=last.device), last])
            ways.append(permute(states, turned) if way else states)
        joined, final = torch.cat(ways, -1), torch.cat(ends, -1)
        return Encoded(joined * mask.unsqueeze(-1), mask, final, (final.unsqueeze(1),))

    def _run(self, rnn: nn.Module, inputs: Float[Tensor, "B S E"], before: Encoded, way: int) -> Float[Tensor, "B S H"]:
        memory = before.final[-1][:, -1].unflatten(-1, (self.directions, -1))[:, way].unsqueeze(0).contiguous()
        first = (torch.zeros_like(memory), memory) if self.cell == "lstm" else (memory,)
        words = torch.cat([self.delimiter.expand(len(inputs), 1, -1), inputs], 1)
        outputs = all_steps(rnn, words, first)[0]  # type: ignore[arg-type]
        return outputs[:, 1:]
