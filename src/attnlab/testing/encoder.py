"""What every encoder holds: annotations of the sizes that it names, blind to padding, the same in any batch.

A check takes ``build``, which makes an encoder of ``embedding_dim``.
"""

from typing import Any

import torch
from torch import Tensor
from torch.testing import assert_close

from attnlab.encoders.base import Encoder
from attnlab.testing.contract import Build, Contract
from attnlab.types import Encoded

CHECKS = Contract()
E, S = 8, 6
LENGTHS = [6, 3, 1]
MASK = torch.arange(S) < torch.tensor(LENGTHS)[:, None]


def make(build: Build) -> Any:
    """Ready to be evaluated, in float64."""
    return build(embedding_dim=E).double().eval()


def sentences() -> Tensor:
    """Embedded words, [B, S, E], with something on padding, too."""
    return torch.randn(len(LENGTHS), S, E, dtype=torch.float64)


def tensors(encoded: Encoded) -> dict[str, Tensor]:
    """What it hands on, by name."""
    named = {"states": encoded.states, "summary": encoded.summary, "values": encoded.values}
    named |= {f"final[{number}]": part for number, part in enumerate(encoded.final)}
    return {name: found for name, found in named.items() if found is not None}


def same(found: Encoded, expected: Encoded, positions: slice = slice(None)) -> None:
    """Equal within rounding, at these positions."""
    theirs = tensors(expected)
    for name, ours in tensors(found).items():
        at = (slice(None), positions) if name in ("states", "values") else slice(None)
        assert_close(ours[at], theirs[name][at], atol=1e-10, rtol=1e-9, msg=lambda text, name=name: f"{name}: {text}")


@CHECKS.add
def sizes_are_as_they_are_named(build: Build) -> None:
    encoder = make(build)
    assert isinstance(encoder, Encoder), f"{type(encoder).__name__} is no attnlab.encoders.base.Encoder"
    encoded, sizes, rows = encoder(sentences(), MASK), encoder.dims, len(LENGTHS)
    shapes = {name: tuple(found.shape) for name, found in tensors(encoded).items()}
    expected: dict[str, tuple[int, ...]] = {"states": (rows, S, sizes.states), "summary": (rows, sizes.summary)}
    expected |= {"values": (rows, S, sizes.states)} if "values" in shapes else {}
    expected |= {f"final[{number}]": (rows, sizes.layers, sizes.final) for number in range(sizes.parts)}
    assert shapes == expected, f"by dims {expected}, found {shapes}"
    assert torch.equal(encoded.mask, MASK), "the mask is another one"
    for name, found in tensors(encoded).items():
        assert found.isfinite().all(), f"{name} is not finite"


@CHECKS.add
def annotations_of_padding_are_zero(build: Build) -> None:
    states = make(build)(sentences(), MASK).states
    assert (states[~MASK] == 0).all(), f"found {states[~MASK].abs().max().item():.3g} on padding"


@CHECKS.add
def what_stands_on_padding_does_not_matter(build: Build) -> None:
    encoder, words = make(build), sentences()
    same(encoder(torch.where(MASK[..., None], words, 100.0), MASK), encoder(words, MASK))


@CHECKS.add
def padding_changes_nothing(build: Build) -> None:
    """A sentence alone, in the batch, and in a batch that is longer still."""
    encoder, words = make(build), sentences()
    encoded = encoder(words, MASK)
    longer = torch.cat([words, torch.randn(len(LENGTHS), 3, E, dtype=torch.float64)], 1)
    same(encoder(longer, torch.cat([MASK, torch.zeros(len(LENGTHS), 3, dtype=torch.bool)], 1)), encoded, slice(S))
    for row, length in enumerate(LENGTHS):
        one = slice(row, row + 1)
        apart = encoder(words[one, :length], MASK[one, :length])
        kept = tensors(encoded)
        for name, found in tensors(apart).items():
            expected = kept[name][one, :length] if name in ("states", "values") else kept[name][one]
            assert_close(found, expected, atol=1e-10, rtol=1e-9)


@CHECKS.add
def batch_order_does_not_matter(build: Build) -> None:
    encoder, words, order = make(build), sentences(), torch.tensor([2, 0, 1])
    expected = tensors(encoder(words, MASK))
    for name, found in tensors(encoder(words[order], MASK[order])).items():
        assert_close(found, expected[name][order], atol=1e-10, rtol=1e-9)


@CHECKS.add
def gradients_reach_the_words_and_every_parameter(build: Build) -> None:
    encoder, words = make(build).train(), sentences().requires_grad_()
    sum(found.sin().sum() for found in tensors(encoder(words, MASK)).values()).backward()  # type: ignore[union-attr]
    for name, parameter in [("words", words), *encoder.named_parameters()]:
        assert parameter.grad is not None, f"no gradient reaches {name}"
        assert parameter.grad.isfinite().all(), f"the gradient of {name} is not finite"
    assert words.grad is not None
    assert (words.grad[~MASK] == 0).all(), "words on padding have a gradient"
