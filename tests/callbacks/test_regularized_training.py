"""Regularisers of translation in the real task: R-Drop, and dropout of whole words."""

import pytest
import torch

from attnlab.kernels.two_passes import two_passes
from attnlab.types import ConfigError


def test_r_drop_is_of_two_passes(lab):
    task = lab.task("task.r_drop=3", "task.label_smoothing=0.1").train()
    batch = next(iter(task.data.train_dataloader()))
    torch.manual_seed(5)
    found = task.loss(batch)
    torch.manual_seed(5)
    decoded = [task.model(batch) for _ in range(2)]
    (first, gold), (second, _) = (task.model.token_logits(batch, each) for each in decoded)
    assert not torch.equal(first, second)
    expected = two_passes(first, second, gold, 0.1, 3.0)
    torch.testing.assert_close(found.objective, expected.objective)
    torch.testing.assert_close(found.told["train/loss"], expected.cross_entropy)
    torch.testing.assert_close(found.told["train/r_drop"], expected.divergence)
    assert found.units == len(gold)


def test_r_drop_of_weights_drawn_at_random_is_refused(lab):
    with pytest.raises(ConfigError, match="draws its weights at random"):
        lab.task("attention=hard_sampled", "task.r_drop=1")


def test_whole_words_are_dropped_and_the_others_grow(lab):
    model = lab.task("model.source_word_dropout=0.25", "model.dropout=0").model
    source = torch.randint(4, 8, (40, 50))
    plain, dropped = model.eval().read_source(source), model.train().read_source(source)
    gone = (dropped == 0).all(-1)
    torch.testing.assert_close(dropped[~gone], plain[~gone] / 0.75)
    assert abs(gone.double().mean() - 0.25) < 4 * (0.25 * 0.75 / gone.numel()) ** 0.5
