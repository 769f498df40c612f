"""Which weights of a Transformer are taken: those that the run is measured by, unless others are named."""

from types import SimpleNamespace

import numpy as np
import pytest

from attnlab.cli.alignment_direction import Look, Taken
from attnlab.cli.translator import Translator
from attnlab.data.tokenizers.whitespace import Whitespace
from attnlab.errors import ConfigError
from attnlab.runs.writing import Map
from attnlab.tasks.prediction import Seen

LAYERS, HEADS = 3, 2


@pytest.fixture
def look():
    """Two words a side; layer 1 is the alignment, with an attention of its own beside it."""
    heads = np.random.default_rng(0).dirichlet([1, 1], size=(LAYERS, HEADS, 3))
    own = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])
    translator = Translator.__new__(Translator)
    translator.source = translator.target = Whitespace("en")
    translator.model = SimpleNamespace(decoder=SimpleNamespace(aligned=1))
    return Look(translator, ("a b", "c d"), Seen(Map(0, own, ["a", "b"], ["c", "d", "end"], heads)))


@pytest.mark.parametrize(
    ("taken", "rows"),
    [
        (Taken(), lambda look: look.weights),
        (Taken(head=1), lambda look: look.heads[1, 1]),
        (Taken(layer=2, head=0), lambda look: look.heads[2, 0]),
        (Taken(layer=0), lambda look: (look.heads[0, 0] + look.heads[0, 1]) / 2),
    ],
)
def test_a_head_alone_is_of_the_layer_that_the_run_is_measured_by(look, taken, rows):
    assert look.table(taken) == pytest.approx(rows(look)[:2])
    assert look.table(taken._replace(shift=True)) == pytest.approx(rows(look)[1:])


def test_what_may_be_chosen_has_every_head_every_mean_and_what_the_run_is_measured_by(look):
    places = [(layer, head) for layer in range(LAYERS) for head in (None, *range(HEADS))]
    expected = {Taken(*place, shift) for place in [*places, (None, None)] for shift in (False, True)}
    found = list(look.candidates())
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize(("taken", "told"), [(Taken(layer=3), "layer=3: the run has 3"), (Taken(head=2), "head=2")])
def test_there_is_no_such_layer_or_head(look, taken, told):
    with pytest.raises(ConfigError, match=told):
        look.table(taken)
