import pytest
import torch

from attnlab.layers.bridges import Last, Learned, Zeros
from attnlab.layers.dims import SourceDims
from attnlab.types import ConfigError, Encoded

SOURCE = SourceDims(states=6, summary=6, final=6, layers=2, parts=2)


def encoded():
    final = (torch.randn(3, 2, 6), torch.randn(3, 2, 6))
    return Encoded(torch.randn(3, 4, 6), torch.ones(3, 4, dtype=torch.bool), final[0][:, -1], final)


def test_learned_is_tanh_of_an_affine_map_of_the_summary():
    bridge, source = Learned(SOURCE, 2, 3, 5), encoded()
    flat = torch.tanh(source.summary @ bridge.project.weight.T + bridge.project.bias)
    hidden, cell = bridge(source)
    torch.testing.assert_close(torch.cat([hidden.flatten(1), cell.flatten(1)], 1), flat)
    assert hidden.shape == cell.shape == (3, 3, 5)


def test_last_copies_and_zeros_are_zero():
    source = encoded()
    torch.testing.assert_close(Last(SOURCE, 2, 2, 6)(source), source.final)
    first = Zeros(SOURCE, 1, 3, 5)(source)
    assert len(first) == 1
    assert first[0].shape == (3, 3, 5)
    assert not first[0].any()


@pytest.mark.parametrize(("parts", "layers", "size"), [(1, 2, 6), (2, 1, 6), (2, 2, 5)])
def test_last_refuses_what_does_not_fit(parts, layers, size):
    with pytest.raises(ConfigError, match="bridge=learned"):
        Last(SOURCE, parts, layers, size)
