"""What every preset in conf/encoder must hold; a new preset is tested without being named anywhere."""

from pathlib import Path

import pytest

from attnlab.testing import configured, encoder

PRESETS = sorted(path.stem for path in (Path(__file__).resolve().parents[2] / "conf" / "encoder").glob("*.yaml"))


@pytest.fixture(scope="module", params=PRESETS)
def build(request):
    return configured(f"encoder={request.param}", "model.dropout=0")


@pytest.mark.parametrize("check", encoder.CHECKS)
def test_contract(build, check):
    check(build)
