"""What ``python -m benchmarks`` can run: each benchmark is a script of its own, which says in its first line what it
measures.
"""

import ast
import os
import shutil
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.append(str(ROOT / "tests" / "analysis"))

from browser_tab import BROWSERS, installed  # noqa: E402 - it stands beside the tests


@dataclass(frozen=True)
class Benchmark:
    """A script, and how it is called.

    Args:
        script: its name without ``.py``.
        words: what it is always told.
        quick: what it is told for a trial of minutes.
        needs: ``peers``, ``data`` (Multi30k under ATTNLAB_DATA), ``gpu``, ``browser``.
        clock: whether it can count processor time.
        suffix: of the file that its ``--out`` wants.
    """

    script: str
    words: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    clock: bool = False
    suffix: str = ".md"

    @cached_property
    def what(self) -> str:
        """The first sentence of the script's docstring, on one line."""
        told = ast.get_docstring(ast.parse((HERE / f"{self.script}.py").read_text("utf-8"))) or ""
        return " ".join(told.split("\n\n")[0].split())

    @property
    def python(self) -> Path:
        """Of the environment that has what it needs; this one if it does."""
        return Path(sys.executable) if "peers" not in self.needs or has_peers() else PEERS

    def missing(self) -> str | None:
        """What it needs and this machine has not, with what to do about it; None if nothing."""
        if "peers" in self.needs and not has_peers() and not PEERS.is_file():
            return "JoeyNMT and OpenNMT-py are not installed: sh benchmarks/peers/setup.sh"
        if "data" in self.needs and not (data() / "multi30k").is_dir():
            return f"no Multi30k in {data()}: set ATTNLAB_DATA to the folder that holds multi30k/"
        if "gpu" in self.needs and shutil.which("nvidia-smi") is None:
            return "no GPU here"
        if "browser" in self.needs and installed() is None:
            return f"no browser here: one of {', '.join(BROWSERS)}"
        return None


PEERS = ROOT / ".venv-peers" / "bin" / "python"


def has_peers() -> bool:
    return all(find_spec(package) is not None for package in ("joeynmt", "onmt"))


def data() -> Path:
    return Path(os.environ.get("ATTNLAB_DATA", Path(os.environ.get("ATTNLAB_ROOT", ROOT)) / "data"))


FEW = ("--rounds", "4", "--warm", "2")
RECURRENT = ("general_input_feeding", "additive_input_feeding", "general_early", "additive_early")
BENCHMARKS = {
    "training": Benchmark("training", ("--setups", *RECURRENT), FEW, ("peers", "data"), clock=True),
    "transformer_training": Benchmark(
        "training",
        ("--setups", "transformer_small", "transformer_base", "--warm", "10", "--rounds", "20"),
        ("--setups", "transformer_small", *FEW),
        ("peers", "data"),
        clock=True,
    ),
    "decoding": Benchmark("decoding", (), ("--batches", "3", "--train", "40"), ("peers", "data"), clock=True),
    "transformer_decoding": Benchmark(
        "transformer_decoding", (), ("--batches", "3", "--epochs", "1"), ("peers", "data"), clock=True
    ),
    "commands": Benchmark("commands", (), ("--steps", "20", "--repeats", "1"), ("peers", "data")),
    "presets": Benchmark("presets", (), ("--rounds", "2", "--presets", "bahdanau", "luong_general"), clock=True),
    "additive": Benchmark("additive", (), ("--rounds", "2", "--sizes", "64"), clock=True),
    "loss": Benchmark("loss", (), ("--rounds", "2", "--words", "8000"), clock=True),
    "slowdown": Benchmark("slowdown", (), ("--steps", "260"), ("data",), clock=True),
    "step_profile": Benchmark("step_profile", (), ("--steps", "2"), ("data",)),
    "startup": Benchmark("startup", (), ("--repeats", "1")),
    "prepare": Benchmark("prepare", (), ("--pairs", "20000")),
    "growth": Benchmark("growth", (), ("none=20", "--every", "5")),
    "viewer": Benchmark("viewer", (), (), ("browser",)),
    "calibration": Benchmark("calibration", (), ("--trials", "20"), suffix=".json"),
    "kill_sweep": Benchmark("kill_sweep", (), ("--kills", "3"), suffix=".json"),
    "gpu": Benchmark("gpu", (), ("--rounds", "5"), ("gpu",)),
}
