"""The per-token loop of the well-known PyTorch tutorials on attention (Robertson's chatbot and translation tutorials),
batched: one decoder call a word, the score's projection of all encoder outputs made anew at every step, the output
layer and a masked loss for each step by itself. No input feeding. Sizes are those of the comparison.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attnlab.types import PAD, Batch


class Attention(nn.Module):
    """``Attn`` of the tutorial: general, or additive as in its ``BahdanauAttention``."""

    def __init__(self, method: str, size: int) -> None:
        super().__init__()
        self.method = method
        self.W = nn.Linear(size, size)
        if method == "additive":
            self.U, self.v = nn.Linear(size, size), nn.Linear(size, 1)

    def forward(self, hidden: Tensor, outputs: Tensor) -> Tensor:
        if self.method == "general":
            energies = torch.sum(hidden * self.W(outputs), dim=2)
        else:
            energies = self.v(torch.tanh(self.W(hidden) + self.U(outputs))).squeeze(2)
        return F.softmax(energies.t(), dim=1).unsqueeze(1)


class Tutorial(nn.Module):
    """Encoder, and a decoder that is called once a word."""

    def __init__(self, method: str, vocabulary: int) -> None:
        super().__init__()
        self.source_embedding, self.target_embedding = (nn.Embedding(vocabulary, 256) for _ in range(2))
        self.encoder = nn.LSTM(256, 256, bidirectional=True)
        self.decoder = nn.LSTM(256, 512)
        self.attention = Attention(method, 512)
        self.concat = nn.Linear(1024, 512)
        self.out = nn.Linear(512, vocabulary)

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        packed = nn.utils.rnn.pack_padded_sequence(self.source_embedding(source), lengths, enforce_sorted=False)
        outputs, (hidden, cell) = self.encoder(packed)
        outputs, _ = nn.utils.rnn.pad_packed_sequence(outputs)
        return outputs, tuple(torch.cat([part[:1], part[1:]], dim=2) for part in (hidden, cell))  # type: ignore[return-value]

    def step(self, word: Tensor, state: tuple[Tensor, Tensor], outputs: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        output, state = self.decoder(self.target_embedding(word), state)
        weights = self.attention(output, outputs)
        context = weights.bmm(outputs.transpose(0, 1)).squeeze(1)
        concat = torch.tanh(self.concat(torch.cat([output.squeeze(0), context], 1)))
        return F.softmax(self.out(concat), dim=1), state


class Trainer:
    """The tutorial's ``train``: teacher forcing, ``maskNLLLoss`` a step, clipping, Adam."""

    def __init__(self, model: Tutorial) -> None:
        self.model = model.train()
        self.optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)

    def step(self, batch: Batch) -> Tensor:
        self.optimizer.zero_grad()
        outputs, state = self.model.encode(batch.source.t(), batch.source_mask.sum(1))
        words, gold = batch.target[:, :-1].t(), batch.target[:, 1:].t()
        loss = torch.zeros(())
        for word, wanted in zip(words, gold, strict=True):
            probabilities, state = self.model.step(word[None], state, outputs)
            picked = -torch.log(torch.gather(probabilities, 1, wanted[:, None]).squeeze(1))
            loss = loss + picked.masked_select(wanted != PAD).sum()
        mean = loss / batch.tokens.numel()
        mean.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return mean.detach()


@torch.no_grad()
def translate(model: Tutorial, batch: Batch, steps: int) -> list[list[int]]:
    """The tutorial's ``evaluate``: greedy, one sentence at a time, always ``steps`` words here."""
    found = []
    for row in range(len(batch.index)):
        source = batch.source[row][batch.source_mask[row]]
        outputs, state = model.encode(source[:, None], torch.tensor([len(source)]))
        word, words = torch.full((1, 1), 2), []
        for _ in range(steps):
            probabilities, state = model.step(word, state, outputs)
            word = probabilities.argmax(1, keepdim=True)
            words.append(int(word))
        found.append(words)
    return found
