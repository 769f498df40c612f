"""No weight so small that its gradients become denormal, and none changed that counts."""

import torch

from attnlab.attention.normalizers.softmax import Softmax
from attnlab.kernels.denormals import without_denormals


def test_what_counts_stays_as_it_is():
    """1e-18 is 41.4 nats down."""
    scores = torch.tensor([3.0, -38.4, -38.5, float("-inf")])
    assert without_denormals(scores).tolist() == [3.0, scores[1].item(), float("-inf"), float("-inf")]


def test_the_weights_equal_a_plain_softmax_to_the_last_digits():
    scores = 30 * torch.randn(200, 9, dtype=torch.float64)
    torch.testing.assert_close(without_denormals(scores).softmax(-1), scores.softmax(-1), atol=2e-18, rtol=1e-15)


def test_peaked_attention_has_no_denormal_gradients():
    torch.set_flush_denormal(False)
    scores = torch.tensor([[[0.0, -30.0, -60.0, -85.0]]], requires_grad=True)
    values = torch.ones(1, 4, 2, requires_grad=True)
    everywhere = torch.ones(1, 1, 4, dtype=torch.bool)
    found = {}
    for name, weights in (("ours", Softmax()(scores, everywhere)), ("plain", scores.softmax(-1))):
        probe = 1e-6 * torch.tensor([1.0, 2.0])
        gradients = torch.autograd.grad((weights @ values * probe).sum(), (scores, values))
        found[name] = sum(count_denormals(gradient) for gradient in gradients)
    assert found["ours"] == 0
    assert found["plain"] > 0


def count_denormals(tensor):
    bits = tensor.view(torch.int32) & 0x7FFFFFFF
    return int(((bits > 0) & (bits < 0x00800000)).sum())
