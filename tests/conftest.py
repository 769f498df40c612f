"""Shape annotations are checked in every test; torch runs on one thread, since pytest-xdist uses the cores."""

import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

install_import_hook("attnlab", "beartype.beartype")

import torch  # noqa: E402  (attnlab must not be imported before the hook, torch may as well wait)

ROOT = Path(__file__).resolve().parents[1]
# Nothing in the tests may ask for an account or reach for the network.
os.environ.setdefault("WANDB_MODE", "offline")
os.environ.setdefault("WANDB_SILENT", "true")

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def project_root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where there is none."""
    named = os.environ.get("ATTNLAB_DATA")
    for folder in ([Path(named)] if named else []) + [ROOT / "data", ROOT.parent / "shared" / "data"]:
        if folder.is_dir():
            return folder
    pytest.skip("no real data sets here: set ATTNLAB_DATA to a folder that has them")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)
