"""The quantities of a split, where they leave the usual range."""

import math

import pytest
import torch

from attnlab.cli.table import cell
from attnlab.metrics.quantities.ppl import PERPLEXITY
from attnlab.tasks.translation.evaluation import SplitMetrics


@pytest.mark.parametrize(("nats", "tokens"), [(7200.0, 9), (6e12, 3), (3e38, 1)])
def test_the_loss_stays_finite_where_the_perplexity_is_infinite(nats: float, tokens: int) -> None:
    measured = SplitMetrics("en", lowercase=False, scores=("bleu",))
    measured.add_loss(torch.tensor(nats, dtype=torch.float64), tokens)
    assert measured.compute("val") == {"val/loss": nats / tokens, "val/ppl": math.inf}


def test_a_cell_of_the_table() -> None:
    assert [cell(PERPLEXITY, value) for value in (4.5678, 1e30, math.inf, math.nan)] == [
        "4.568", "1e+30", "inf", "nan",
    ]  # fmt: skip
