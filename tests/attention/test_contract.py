"""What every preset in conf/attention must hold; a new preset is tested without being named anywhere."""

import pytest
from presets_asked import reference_of

from attnlab.testing import attention


@pytest.mark.parametrize("check", attention.CHECKS)
def test_contract(build, check):
    check(build)


@pytest.mark.parametrize("training", [False, True])
def test_agrees_with_a_scalar_loop(preset, build, training):
    """Weights, context and gradients against tests/attention/references/<preset>.py, plain loops over numbers.

    A reference has ``attend`` for one query, or ``decode`` for all queries of a sentence where one depends on the last;
    it takes ``training`` where that makes a difference. What draws at random in training says ``RANDOM = True``.
    """
    reference = reference_of(preset)
    assert reference, f"write the scalar-loop transcription of {preset}'s equation as references/{preset}.py"
    if training and getattr(reference, "RANDOM", False):
        return
    loops = {name: getattr(reference, name) for name in ("attend", "decode") if hasattr(reference, name)}
    attention.agrees(build, **loops, training=training)
