"""The k best, against a full sort."""

import pytest
import torch

from attnlab.kernels.native.library import library
from attnlab.search import best as module
from attnlab.search.best import BLOCK, by_torch


@pytest.fixture(params=["torch", "compiled"])
def best(request):
    if request.param == "torch":
        yield by_torch
    elif library() is None:
        pytest.skip("no compiler here, or another processor")
    else:
        with torch.inference_mode(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "by_torch", None)  # nobody falls back
            yield module.best


@pytest.mark.parametrize("size", [3, BLOCK, 2 * BLOCK + 1, 20 * BLOCK, 20 * BLOCK + 7])
@pytest.mark.parametrize("k", [1, 5])
def test_values_and_places_are_those_of_a_full_sort(best, size, k):
    torch.manual_seed(size)
    scores = torch.randn(11, size)
    scores[0, -1] = 9.0  # behind the last whole block, where there is one
    values, places = best(scores, k)
    expected = scores.sort(1, descending=True)
    assert torch.equal(values, expected.values[:, :k])
    assert torch.equal(places, expected.indices[:, :k])


def test_several_of_one_block_and_forbidden_ones(best):
    scores = torch.full((1, 20 * BLOCK), -torch.inf)
    scores[0, 130:134] = torch.tensor([1.0, 4.0, 3.0, 2.0])
    values, places = best(scores, 4)
    assert values.tolist() == [[4.0, 3.0, 2.0, 1.0]]
    assert places.tolist() == [[131, 132, 133, 130]]


def test_nan_is_not_lost(best):
    scores = torch.zeros(1, 20 * BLOCK)
    scores[0, 1000] = torch.nan
    assert best(scores, 1)[0].isnan().all()


@pytest.mark.parametrize("size", [3, 2 * BLOCK + 1, 20 * BLOCK, 20 * BLOCK + 7])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_of_the_hypotheses_of_a_sentence_with_what_they_had_before(best, size, width):
    torch.manual_seed(size)
    scores, before = torch.randn(4 * width, size), torch.randn(4, width)
    scores[0, -1], before[1, 1:] = 9.0, -torch.inf  # free places of a beam
    values, places = best(scores, width, before)
    expected = (scores.view(4, width, size) + before[:, :, None]).flatten(1).sort(1, descending=True)
    assert torch.equal(values, expected.values[:, :width])
    there = values.isfinite()  # too small a vocabulary leaves places free
    assert torch.equal(places[there], expected.indices[:, :width][there])


def test_no_number_is_above_all_others_and_stays_there(best):
    scores, nan = torch.arange(20 * BLOCK).float()[None], torch.tensor(torch.nan)
    scores[0, 7] = scores[0, 1000] = nan
    values, places = best(scores, 3)
    assert set(places[0, :2].tolist()) == {7, 1000}
    assert values[0, :2].isnan().all()
    assert values[0, 2] == 20 * BLOCK - 1


def test_the_first_of_equals_is_taken(best):
    scores = torch.zeros(2, 20 * BLOCK)
    scores[:, 300::500] = 1.0
    assert best(scores, 1)[1].tolist() == [[300], [300]]


def test_there_may_be_fewer_than_are_asked_for(best):
    scores = torch.tensor([[0.0, 2.0, 1.0]])
    values, places = best(scores, 5)
    assert values.tolist() == [[2.0, 1.0, 0.0]]
    assert places.tolist() == [[1, 2, 0]]
