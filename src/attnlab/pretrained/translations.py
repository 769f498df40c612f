"""What a translator of the library can be asked about the looks by which it says a word.

As of a run: one step of its decoder, behind given words, which looks at the source with the heads of all layers. The
end of the source and its other special pieces are no positions; they keep their weights.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnlab.pretrained.attending import Call, Row, looks_at, watched
from attnlab.pretrained.loading import Loaded
from attnlab.pretrained.texts import NEAR, STATES, Whole, put
from attnlab.tasks.explaining import Asked, Instances


class Decoder:
    """A model that translates.

    Args:
        loaded: the model.

    Attributes:
        looking: what looks at the source, layer by layer, and its heads.
        scale: what an embedded piece is multiplied by before it is read.
    """

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.looking: list[tuple[nn.Module, int]] = []
        self.scale = 1.0

    def embedded(self, ids: Int[Tensor, "N M"]) -> Float[Tensor, "N M E"]:
        found: Tensor = self.loaded.embedded(ids) * self.scale
        return found

    def encoded(self, inputs: Float[Tensor, "N M E"], there: Bool[Tensor, "N M"]) -> Float[Tensor, "N M D"]:
        encoder = self.loaded.model.get_encoder()
        found: Tensor = encoder(inputs_embeds=inputs, attention_mask=there.long()).last_hidden_state
        return found

    def probabilities(
        self, memory: Float[Tensor, "N M D"], there: Bool[Tensor, "N M"], previous: Int[Tensor, "N T"]
    ) -> Float[Tensor, "N V"]:
        """Of the next word."""
        from transformers.modeling_outputs import BaseModelOutput

        found = self.loaded.model(
            encoder_outputs=BaseModelOutput(memory),  # type: ignore[arg-type]
            attention_mask=there.long(),
            decoder_input_ids=previous,
            use_cache=False,
        )
        logits: Tensor = found.logits[:, -1]
        return logits.softmax(-1)

    def look_into(self, ids: Int[Tensor, "N M"], there: Bool[Tensor, "N M"], first: Int[Tensor, "N 1"]) -> None:
        """Find what looks at the source, and see that embedded pieces are read as pieces are.

        Raises:
            ConfigError: this model cannot be asked so.
        """
        with torch.no_grad():
            encoder = self.loaded.model.get_encoder()
            expected = encoder(input_ids=ids, attention_mask=there.long()).last_hidden_state
            scales = (1.0, float(getattr(encoder, "embed_scale", 1.0)))
            for self.scale in scales:
                memory = self.encoded(self.embedded(ids), there)
                if torch.allclose(memory, expected, atol=NEAR, rtol=NEAR):
                    break
            else:
                raise self.loaded.refused("reads embedded pieces otherwise than pieces")
            with watched() as calls:
                self.probabilities(memory, there, first)
        # One word is read, so its own sentence is one piece wide; a source is wider, as it has an end.
        self.looking = [(call.module, call.weights.size(1)) for call in calls if call.weights.size(3) == ids.size(1)]
        if not self.looking or ids.size(1) == 1:
            raise self.loaded.refused("does not ask the library's AttentionInterface for its looks at the source")


@dataclass(eq=False)
class SaidInstances(Instances):
    """Words of translations, all at one step.

    Attributes:
        decoder: the model.
        whole: the sources with all of their pieces; nothing in them looks.
        places: of the positions among these; as many as there are pieces where there is none.
        previous: what a sentence begins with, and the words before.
    """

    decoder: Decoder
    whole: Whole
    places: Int[Tensor, "N S"]
    previous: Int[Tensor, "N T"]
    memory: Any = field(init=False)

    def __post_init__(self) -> None:
        with torch.no_grad():
            self.memory = self.decoder.encoded(self.whole.inputs, self.whole.there)
        self.ask()

    @property
    def width(self) -> int:
        numbers = max(1, int(self.decoder.loaded.config.vocab_size) // STATES)
        return max(self.whole.there.size(1), self.previous.size(1) * numbers)

    @property
    def attention(self) -> Float[Tensor, "N S"]:
        """Of the last layer, the mean of its heads, as of a run."""
        return self.weights[:, -self.decoder.looking[-1][1] :].mean(1)

    def read(
        self,
        inputs: Float[Tensor, "N S E"],
        mask: Bool[Tensor, "N S"],
        weights: Float[Tensor, "N L S"] | None = None,
    ) -> Asked:
        """Positions stand where they stood; left out they are by ``without``."""
        memory = self.decoder.encoded(put(self.whole.inputs, self.places, inputs), self.whole.there)
        if weights is not None:
            return Asked(self._given(memory, weights), weights)
        with watched() as calls:
            output = self.decoder.probabilities(memory, self.whole.there, self.previous)
        return Asked(output, self._looks(calls))

    def given(self, weights: Float[Tensor, "N L S"]) -> Float[Tensor, "N V"]:
        return self._given(self.memory, weights)

    def without(self, left_out: Bool[Tensor, "N S"]) -> Float[Tensor, "N V"]:
        self.kept(left_out)  # raises where nothing would be left
        left = self.whole.without(self.places, left_out)
        return self.decoder.probabilities(self.decoder.encoded(left.inputs, left.there), left.there, self.previous)

    def _given(self, memory: Tensor, weights: Tensor) -> Tensor:
        parts = weights.split([heads for _, heads in self.decoder.looking], 1)
        rows = {
            module: Row(self._step, self.places, part)
            for (module, _), part in zip(self.decoder.looking, parts, strict=True)
        }
        with watched(rows):
            return self.decoder.probabilities(memory, self.whole.there, self.previous)

    @property
    def _step(self) -> Int[Tensor, " N"]:
        return torch.full((len(self),), self.previous.size(1) - 1, device=self.previous.device)

    def _looks(self, calls: list[Call]) -> Float[Tensor, "N L S"]:
        by_module = {call.module: call for call in calls}
        found = [looks_at(by_module[module], self._step, self.places) for module, _ in self.decoder.looking]
        return torch.cat(found, 1)
