"""Shape annotations are checked in tests of parts; torch runs on one thread, since pytest-xdist uses the cores."""

import os
from functools import partial
from pathlib import Path

import hypothesis
import jaxtyping
import pytest
from jaxtyping import install_import_hook

# What has arrays: for the rest mypy is enough, and a part of the tests' time would go.
SOURCE = Path(__file__).resolve().parents[1] / "src" / "attnlab"
PARTS = [
    ".".join(["attnlab", *path.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__")
    for path in SOURCE.glob("**/*.py")
    if "from jaxtyping" in path.read_text("utf-8")
]
# The tower: an int is a float, as for every type checker (PEP 484).
install_import_hook(PARTS, "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")

# attnlab must not be imported before the hook, and what it imports may as well wait.
import torch  # noqa: E402

# Triton, which reads this when it is imported, runs its kernels in an interpreter where there is no GPU.
if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

from attnlab.attention.base import Attention  # noqa: E402
from attnlab.attention.normalizers.softmax import Softmax  # noqa: E402
from attnlab.attention.scores.luong_general import LuongGeneral  # noqa: E402
from attnlab.attention.windows.all import All  # noqa: E402
from attnlab.decoders.luong_input_feeding import LuongInputFeeding  # noqa: E402
from attnlab.decoders.readout import Attentional  # noqa: E402
from attnlab.encoders.recurrent import Recurrent  # noqa: E402
from attnlab.layers.bridges import Learned  # noqa: E402
from attnlab.layers.initialization import Initialization  # noqa: E402
from attnlab.models.seq2seq import Seq2Seq  # noqa: E402
from attnlab.types import BOS, EOS, Batch  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
# What these folders put together is what the others test part by part: there shapes are checked when all tests are run.
WHOLES = {"analysis", "api", "callbacks", "cli", "explanation", "outside", "viz"}
# Nothing in the tests may ask for an account or reach for the network.
os.environ.setdefault("WANDB_MODE", "offline")
os.environ.setdefault("WANDB_SILENT", "true")

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")

torch.set_num_threads(1)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Shapes are checked, or not, before a fixture of any scope is made for the test."""
    folder = item.path.relative_to(ROOT / "tests").parts[0]
    everything = item.config.option.markexpr != "not long"
    jaxtyping.config.update("jaxtyping_disable", folder in WHOLES and not everything)


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


@pytest.fixture(autouse=True)
def _nothing_is_handed_on():
    """W&B's client tells child processes of its service, which a later test may have ended when they are started; a
    command that is called here chooses how all later products are computed.
    """
    yield
    os.environ.pop("WANDB_SERVICE", None)
    torch.set_float32_matmul_precision("highest")


def build(source=11, target=13, **settings):
    parts = {
        "encoder": partial(Recurrent, cell="gru", hidden_dim=4),
        "attention": partial(Attention, LuongGeneral, All, Softmax),
        "decoder": partial(LuongInputFeeding, readout=Attentional, cell="lstm", hidden_dim=6),
        "bridge": Learned,
        "initialization": Initialization("uniform", 0.3),
        "embedding_dim": 5,
    }
    return Seq2Seq(source, target, **(parts | settings)).double().eval()


def collate(pairs):
    """A batch from lists of ids, padded by plain loops."""
    S, T = max(len(s) for s, _ in pairs), max(len(t) for _, t in pairs) + 1
    source = torch.tensor([s + [0] * (S - len(s)) for s, _ in pairs])
    target = torch.tensor([[BOS, *t, EOS] + [0] * (T - 1 - len(t)) for _, t in pairs])
    target_mask = target[:, 1:] != 0
    return Batch(
        source,
        source != 0,
        target,
        target_mask,
        target_mask.flatten().nonzero().flatten(),
        torch.arange(len(pairs)),
    )


@pytest.fixture
def make_model():
    return build


@pytest.fixture
def make_batch():
    return collate


@pytest.fixture
def batch():
    return collate([([4, 5, 6, 7], [8, 9]), ([10, 4], [4, 5, 6, 7, 8]), ([5], [12])])
