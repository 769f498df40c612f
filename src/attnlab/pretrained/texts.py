"""What a classifier or a filler of blanks can be asked about the look by which it says its output.

A classifier looks from the piece whose state its output is made of ([CLS]), a filler of blanks from the blank. It looks
with the heads of its last layer at the other pieces; what they have read of each other before is not changed. Special
pieces are no positions: they are there whatever is asked, and keep their weights.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnlab.pretrained.attending import Row, looks_at, resumed, watched
from attnlab.pretrained.loading import Loaded
from attnlab.tasks.explaining import Asked, Instances

STATES = 256  #: numbers of a state that portions are made for
NEAR = 1e-3


class Whole(NamedTuple):
    """Texts with all of their pieces."""

    inputs: Float[Tensor, "N M E"]  #: embedded, without their places
    there: Bool[Tensor, "N M"]
    types: Int[Tensor, "N M"] | None  #: which text of a pair each is of
    query: Int[Tensor, " N"]  #: the piece that looks

    def moved(self, inputs: Float[Tensor, "N M E"]) -> "Whole":
        return Whole(inputs, self.there, self.types, self.query)

    def without(self, places: Int[Tensor, "N S"], left_out: Bool[Tensor, "N S"]) -> "Whole":
        """Without some of the positions, which stand at these places; what stays closes up."""
        kept = self.there & ~put(torch.zeros_like(self.there), places, left_out)
        lengths = kept.sum(1)
        order = (~kept).to(torch.int8).argsort(dim=1, stable=True)[:, : int(lengths.max())]
        there = torch.arange(order.size(1), device=order.device) < lengths.unsqueeze(1)
        inputs = self.inputs.gather(1, order.unsqueeze(-1).expand(-1, -1, self.inputs.size(-1)))
        types = None if self.types is None else self.types.gather(1, order)
        return Whole(inputs, there, types, (kept.cumsum(1) - 1).gather(1, self.query.unsqueeze(1)).squeeze(1))


class Reader:
    """A model that reads texts.

    Args:
        loaded: the model.
        fills: whether it fills blanks, and does not classify.

    Attributes:
        last: what attends in the last layer.
        before: the layers before, where they need not be run again.
        in_tuple: whether a layer returns its states in a tuple.
    """

    def __init__(self, loaded: Loaded, fills: bool) -> None:
        self.loaded, self.fills = loaded, fills
        self.last: nn.Module = loaded.model
        self.before: list[nn.Module] = []
        self.in_tuple = False

    def logits(self, whole: Whole) -> Float[Tensor, "N C"]:
        """Of the classes, or of the words that may stand in the blank."""
        types = {} if whole.types is None else {"token_type_ids": whole.types}
        found: Tensor = self.loaded.model(inputs_embeds=whole.inputs, attention_mask=whole.there.long(), **types).logits
        return found[torch.arange(len(found)), whole.query] if self.fills else found

    def query(self, read: dict[str, Tensor]) -> Int[Tensor, " N"]:
        """The piece that a classifier's output is made of: the only one whose last state matters.

        Raises:
            ConfigError: there are several.
        """
        with torch.enable_grad():
            inputs = self.loaded.embedded(read["input_ids"]).detach().requires_grad_()
            others = {name: given for name, given in read.items() if name != "input_ids"}
            found = self.loaded.model(inputs_embeds=inputs, output_hidden_states=True, **others)
            (gradient,) = torch.autograd.grad(found.logits.square().sum(), [found.hidden_states[-1]])
        used = gradient.abs().amax(-1) > 0
        if not bool((used.sum(1) == 1).all()):
            raise self.loaded.refused("makes its output of several pieces' states, so there is no one look to explain")
        return used.int().argmax(1)

    def look_into(self, whole: Whole, read: dict[str, Tensor]) -> None:
        """Find what attends last, and see that embedded pieces are read as pieces are.

        Raises:
            ConfigError: this model cannot be asked so.
        """
        with torch.no_grad():
            found = self.loaded.model(**read).logits
            expected = found[torch.arange(len(found)), whole.query] if self.fills else found
            with watched() as calls:
                got = self.logits(whole)
        if not calls:
            raise self.loaded.refused("does not ask the library's AttentionInterface for its attention")
        if not torch.allclose(got, expected, atol=NEAR, rtol=NEAR):
            raise self.loaded.refused("reads embedded pieces otherwise than pieces")
        self.last = calls[-1].module
        if sum(call.module is self.last for call in calls) > 1:
            told = "has one attention for all of its layers, and weights are given to the last one alone"
            raise self.loaded.refused(told)
        lists = [one for one in self.loaded.model.modules() if isinstance(one, nn.ModuleList) and len(one) > 1]
        layers = next((list(one) for one in lists if self.last in one[-1].modules()), [])
        if layers:
            self.before = layers[:-1]
            states = self.states(whole)
            with torch.no_grad(), resumed(self.before, states, self.in_tuple):
                if not torch.allclose(self.logits(whole), got, atol=1e-5):
                    self.before = []

    @torch.no_grad()
    def states(self, whole: Whole) -> Float[Tensor, "N M D"]:
        """What the layers before the last one found."""
        kept: list[Any] = []
        with self.before[-1].register_forward_hook(lambda module, given, found: kept.append(found)):
            self.logits(whole)
        self.in_tuple = isinstance(kept[0], tuple)
        found: Tensor = kept[0][0] if self.in_tuple else kept[0]
        return found


@dataclass(eq=False)
class ReadInstances(Instances):
    """Texts, or blanks in texts.

    Attributes:
        reader: the model.
        whole: the texts with all of their pieces.
        places: of the positions among these; as many as there are pieces where there is none.
    """

    reader: Reader
    whole: Whole
    places: Int[Tensor, "N S"]
    before: Float[Tensor, "N M D"] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.reader.before:
            self.before = self.reader.states(self.whole)
        self.ask()

    @property
    def width(self) -> int:
        numbers = self.whole.inputs.size(2)
        if self.reader.fills:
            numbers = max(numbers, int(self.reader.loaded.config.vocab_size))
        return self.whole.there.size(1) * max(1, numbers // STATES)

    def read(
        self,
        inputs: Float[Tensor, "N S E"],
        mask: Bool[Tensor, "N S"],
        weights: Float[Tensor, "N L S"] | None = None,
    ) -> Asked:
        """Positions stand where they stood; left out they are by ``without``."""
        return self._asked(self.whole.moved(put(self.whole.inputs, self.places, inputs)), weights)

    def given(self, weights: Float[Tensor, "N L S"]) -> Float[Tensor, "N C"]:
        if self.before is None:
            return self._asked(self.whole, weights).output
        with resumed(self.reader.before, self.before, self.reader.in_tuple):
            return self._asked(self.whole, weights).output

    def without(self, left_out: Bool[Tensor, "N S"]) -> Float[Tensor, "N C"]:
        self.kept(left_out)  # raises where nothing would be left
        return self.reader.logits(self.whole.without(self.places, left_out)).softmax(-1)

    def _asked(self, whole: Whole, weights: Tensor | None) -> Asked:
        if weights is not None:
            with watched({self.reader.last: Row(whole.query, self.places, weights)}):
                return Asked(self.reader.logits(whole).softmax(-1), weights)
        with watched() as calls:
            output = self.reader.logits(whole).softmax(-1)
        return Asked(output, looks_at(calls[-1], whole.query, self.places))


def put(whole: Tensor, places: Int[Tensor, "N S"], values: Tensor) -> Tensor:
    """A table of all pieces with these values at the positions."""
    room = torch.cat([whole, torch.zeros_like(whole[:, :1])], 1)
    where = places if values.ndim == 2 else places.unsqueeze(-1).expand_as(values)
    return room.scatter(1, where, values)[:, :-1]


def positions_of(inputs: Tensor, places: Int[Tensor, "N S"]) -> Float[Tensor, "N S E"]:
    """The embedded positions, zeros where there is none."""
    room = torch.cat([inputs, torch.zeros_like(inputs[:, :1])], 1)
    return room.gather(1, places.unsqueeze(-1).expand(-1, -1, inputs.size(-1)))
