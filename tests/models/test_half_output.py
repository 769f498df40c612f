"""Products with the vocabulary in bfloat16, where that is asked for."""

import pytest
import torch

from attnlab.errors import ConfigError
from attnlab.kernels.products import packable
from attnlab.models import seq2seq
from attnlab.search.beam import Beam


@pytest.fixture(autouse=True)
def there_is_bfloat16():
    if not packable(torch.zeros(2, 2, dtype=torch.bfloat16)):
        pytest.skip("this processor has no layout for bfloat16")


@torch.inference_mode()
def test_log_probabilities_are_those_of_the_run_but_for_the_rounding(make_model, batch):
    model = make_model().float().eval()
    memory, state = model.initial_state(batch.source, batch.source_mask, 1)
    exact = model.advance(batch.target[:, 0], memory, state).log_probs
    model.halve_output()
    memory, state = model.initial_state(batch.source, batch.source_mask, 1)
    found = model.advance(batch.target[:, 0], memory, state).log_probs
    assert found.dtype == torch.float32
    assert not torch.equal(found, exact), "it does something"
    torch.testing.assert_close(found, exact, rtol=0, atol=0.02)
    assert found.exp().sum(1).tolist() == pytest.approx([1.0] * len(found), abs=1e-5)


def test_a_search_with_it_finds_translations(make_model, batch):
    model = make_model().float().eval()
    model.halve_output()
    assert all(found[0].score <= 0 for found in Beam(beam=2)(model, batch.source, batch.source_mask))


def test_it_is_refused_where_it_gains_nothing(make_model, monkeypatch):
    with pytest.raises(ConfigError, match="these are float64 on cpu; leave it out"):
        make_model().double().halve_output()
    monkeypatch.setattr(seq2seq, "packable", lambda weight: False)
    with pytest.raises(ConfigError, match="on a processor that multiplies bfloat16"):
        make_model().float().halve_output()
