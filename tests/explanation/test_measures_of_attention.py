"""Every measure of an explanation on models whose answer is known, by closed forms and scalar loops."""

import math

import numpy as np
import pytest
import torch
from known import LENGTHS, Adding, Copying, Ignoring, instances
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from attnlab.explanation import adversary, attribution, distributions, erasure, rankings, shuffling
from attnlab.explanation.explaining import Settings, by_weights, explain

QUICK = adversary.Search(starts=2, steps=60, rate=0.2)


def generator():
    return torch.Generator().manual_seed(0)


def rows(values, dtype=float):
    """Without padding, as plain numbers."""
    return [[dtype(value) for value in row[:end]] for row, end in zip(values.tolist(), LENGTHS, strict=True)]


def attention(found):
    return rows(found.attention)


def test_entropy_and_divergence_are_scipys():
    a, b = torch.rand(2, 4, 6, dtype=torch.float64).softmax(-1)
    np.testing.assert_allclose(distributions.entropy(a), entropy(a.numpy(), axis=1))
    np.testing.assert_allclose(distributions.divergence(a, b), jensenshannon(a.numpy(), b.numpy(), axis=1) ** 2)
    one, other = torch.eye(2, dtype=torch.float64)
    assert distributions.divergence(one, other).item() == pytest.approx(math.log(2))


def test_looks_that_do_not_sum_to_one_are_distributions():
    found = instances()
    found.weights = found.weights * torch.tensor([3.0, -2.0, 0.0])[:, None, None]
    made = distributions.distributions(found).squeeze(1)
    np.testing.assert_allclose(made.sum(1), 1)
    np.testing.assert_allclose(made[:2], instances().attention[:2])
    assert made[2].tolist() == [1, 0, 0, 0, 0]  # it looked at nothing, and there is one position
    uniform = distributions.uniform(found).squeeze(1)
    assert rows(uniform) == [pytest.approx([3 / 5] * 5), pytest.approx([-2 / 3] * 3), [0]]


def test_what_a_copying_model_looks_at_is_how_it_ranks():
    found = instances()
    own = attention(found)
    for each, expected in zip(rows(rankings.leave_one_out(found)), own, strict=True):
        # Without j the others are divided by 1 - a_j: half of a_j + sum_i a_i (1 / (1 - a_j) - 1) is a_j.
        assert each == pytest.approx(expected if len(expected) > 1 else [0.0])
    for each, expected in zip(rows(rankings.value_zeroing(found)), own, strict=True):
        assert each == pytest.approx([a / 2 for a in expected])
    for each, expected in zip(rows(rankings.gradients(found)), own, strict=True):
        best = max(expected)  # y is a_best x_best, the weights being held
        assert each == pytest.approx([a if a == best else 0.0 for a in expected])
    taus = rankings.tau(found.attention, rankings.leave_one_out(found), found)
    assert taus[:2].tolist() == pytest.approx([1, 1])
    assert math.isnan(taus[2])


def test_tau_is_the_one_with_ties():
    """tau-b, counted pair by pair."""
    found = instances()
    a, b = torch.rand(2, 3, 5).mul(4).round().double()
    for row, end in enumerate(LENGTHS[:2]):
        x, y = a[row, :end].tolist(), b[row, :end].tolist()
        pairs = [(i, j) for i in range(end) for j in range(i)]
        signs = [(np.sign(x[i] - x[j]), np.sign(y[i] - y[j])) for i, j in pairs]
        both = math.sqrt(sum(s != 0 for s, _ in signs) * sum(t != 0 for _, t in signs))
        expected = sum(s * t for s, t in signs) / both if both else math.nan
        assert rankings.tau(a, b, found)[row] == pytest.approx(expected, nan_ok=True)


def test_other_weights_move_a_copying_model_as_far_as_they_are():
    found = instances()
    moved = found.change(found.given(distributions.uniform(found)))
    expected = [sum(abs(a - 1 / len(row)) for a in row) / 2 for row in attention(found)]
    assert moved.tolist() == pytest.approx(expected)
    # Of three positions there are six permutations, so the median is known.
    own = attention(found)[1]
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    changes = [sum(abs(own[i] - own[order[i]]) for i in range(3)) / 2 for order in orders]
    median = shuffling.median_change(found, 4001, generator())
    assert median[1].item() in [pytest.approx(value) for value in (sorted(changes)[2], sorted(changes)[3])]
    assert median[2].item() == 0
    shuffled = shuffling.permuted(found, generator())
    assert [sorted(row) for row in rows(shuffled.squeeze(1))] == [
        pytest.approx(sorted(row)) for row in attention(found)
    ]


def test_an_adversary_has_all_of_a_model_that_ignores_its_weights_and_nothing_of_one_that_copies():
    # Each start ends at one of five vertices: twenty starts do not miss the farthest.
    search = QUICK._replace(starts=20, rate=0.5)
    ignoring = adversary.adversary(instances(Ignoring), search, generator())
    limit = distributions.farthest(distributions.distributions(instances()), instances().mask).squeeze(1)
    assert ignoring.change.tolist() == pytest.approx([0, 0, 0], abs=1e-12)
    assert (ignoring.divergence / limit.clamp(min=1e-9)).tolist()[:2] == pytest.approx([1, 1], abs=0.01)
    copying = adversary.adversary(instances(), QUICK, generator())
    assert (copying.change <= QUICK.epsilon).all()
    assert (copying.divergence <= QUICK.epsilon * math.log(2)).all()  # JSD <= ln 2 TVD (Lin 1991)


def test_it_is_told_for_which_instances_an_adversary_found_anything():
    # With one position (the last instance) there are no other weights, whatever the model does with them.
    assert explain(instances(Ignoring), Settings(5, QUICK, False), generator()).measures[
        "adversarial_found"
    ].tolist() == [1, 1, 0]


def test_nothing_is_farther_than_a_vertex():
    own = distributions.distributions(instances())
    limit = distributions.farthest(own, instances().mask)
    for row, end in enumerate(LENGTHS):
        tried = torch.distributions.Dirichlet(torch.full((end,), 0.1, dtype=torch.float64)).sample((500,))
        assert (distributions.divergence(tried, own[row, 0, :end].expand_as(tried)) <= limit[row, 0] + 1e-12).all()


def test_erasure_of_a_copying_model_is_its_largest_weights():
    found = instances()
    comprehensive, sufficient = erasure.erased(found, found.attention)
    for row, own in enumerate(attention(found)[:2]):
        best, ordered = max(own), sorted(own, reverse=True)
        counts = [min(math.ceil(share * len(own)), len(own) - 1) for share in (0.01, 0.05, 0.1, 0.2, 0.5)]
        assert comprehensive[row].item() == pytest.approx(best)  # what was said cannot be said without its word
        expected = np.mean([best - best / sum(ordered[:count]) for count in counts])
        assert sufficient[row].item() == pytest.approx(expected)
    assert math.isnan(comprehensive[2])
    assert math.isnan(sufficient[2])


@pytest.mark.parametrize("ranking", ["attention", "reversed"])
def test_flips_by_a_scalar_loop(ranking):
    found = instances()
    importance = found.attention if ranking == "attention" else -found.attention
    expected = []
    for own in attention(found):
        order = sorted(range(len(own)), key=lambda j: own[j] if ranking == "reversed" else -own[j])
        decided, share = own.index(max(own)), 1.0
        for gone in range(1, len(own)):
            if decided in order[:gone]:
                share = gone / len(own)
                break
        expected.append(share)
    assert erasure.flips(found, importance).tolist() == pytest.approx(expected)
    assert erasure.flips(instances(Ignoring), importance).tolist() == [1, 1, 1]


def test_the_gradient_of_the_weights_is_what_a_word_says():
    gradient = by_weights(instances()).squeeze(1)
    for row, own in enumerate(attention(instances())):
        assert rows(gradient)[row] == [float(a == max(own)) for a in own]


def test_captums_attributions_are_complete_and_its_measures_are_theirs():
    found = instances()
    integrated = attribution.integrated_gradients(found)
    assert integrated.sum(1).tolist() == pytest.approx(found.told(found.output).tolist(), abs=2e-3)  # y(0) is 0
    held = attribution.occlusion(found)
    for row, own in enumerate(attention(found)):
        for place in range(len(own)):
            scores = [0.0 if j == place else [0.3, -1.0, 2.0, 0.9, -0.4][j] for j in range(len(own))]
            weights = np.exp(scores) / np.exp(scores).sum()
            best = own.index(max(own))
            assert held[row, place].item() == pytest.approx(max(own) - (0 if place == best else weights[best]))
    constant = instances(Ignoring)
    # Nothing moves, so the best factor is 0, and so is what is left.
    assert attribution.infidelity(constant, generator()).tolist() == pytest.approx([0, 0, 0], abs=1e-12)
    assert attribution.sensitivity(found, generator())[2].item() == pytest.approx(0, abs=1e-12)  # one position
    assert 0 < attribution.sensitivity(found, generator())[0].item() < 2 * attribution.RADIUS


def test_a_regression_is_counted_in_standard_deviations():
    found = instances(Adding)
    found.scale = torch.tensor([4.0], dtype=torch.float64)
    for each, own, said in zip(rows(rankings.value_zeroing(found)), attention(found), found.output, strict=True):
        assert each == pytest.approx([2 * a * number / 4 for number, a in enumerate(own)])
        assert said.item() == pytest.approx(2 * sum(number * a for number, a in enumerate(own)))
    measured = explain(found, Settings(5, QUICK, False), generator()).measures
    assert not any(name.startswith("flip") for name in measured)
    assert measured["adversarial_change"].max() <= QUICK.epsilon


@pytest.mark.parametrize("kind", [Copying, Ignoring, Adding])
def test_everything_is_measured_of_every_instance(kind):
    found = explain(instances(kind), Settings(5, QUICK, captum=True), generator())
    assert {len(values) for values in found.measures.values()} == {3}
    for name, values in found.measures.items():
        assert np.isfinite(values[:2]).all() or (kind is Ignoring and name.startswith("tau")), name
    if kind is Ignoring:
        assert found.measures["permuted_change"].max() == pytest.approx(0)
        assert found.measures["uniform_change"].max() == pytest.approx(0)


def test_nothing_can_be_left_of_an_instance():
    found = instances()
    with pytest.raises(ValueError, match="expected one that stays"):
        found.without(found.mask)
