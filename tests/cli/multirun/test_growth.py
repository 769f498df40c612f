"""The jobs of a multirun leave nothing open in the process that runs them, whether they end well or not."""

import json
from pathlib import Path

import pytest

SPY = r'''
"""Writes down what the process holds as a job begins; some jobs fail in the midst of training."""

import gc, json, os, resource, threading
from pytorch_lightning.callbacks import Callback
from attnlab.types import ConfigError

class Spy(Callback):
    def __init__(self, path: str, seed: int, most: int) -> None:
        self.path, self.seed, self.most = path, seed, most

    def setup(self, trainer, pl_module, stage) -> None:
        if stage == "fit":
            files = len(os.listdir("/proc/self/fd"))
            if self.seed == 2:  # the first job also opens what stays, once
                resource.setrlimit(resource.RLIMIT_NOFILE, (files + self.most,) * 2)
            with open(self.path, "a") as file:
                gc.collect()
                file.write(json.dumps([self.seed, files, threading.active_count(), len(gc.get_objects())]) + "\n")

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        if self.seed % 3 == 2:
            raise ConfigError("this job is to fail")
'''
MOST = 40  # files that a job may open beyond those; it needs some 20, so what two jobs leave is too much
LEFT = 100  # objects that a job may leave; with what sacreBLEU would cache of its lines it were 1,900


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks into /proc")
def test_files_threads_and_objects_do_not_grow_with_the_jobs(commands, tiny, tmp_path):
    """Each job maps its data and opens its logs: without an end to that, the fourth would find no file to open."""
    (tmp_path / "growth_spy.py").write_text(SPY, "utf-8")
    seen = tmp_path / "seen"
    told = commands(
        "train", "-m", "seed=1,2,3,4,5,6", "sweep_name=growth", *tiny, "+callbacks.spy._target_=growth_spy.Spy",
        f"+callbacks.spy.path={seen}", "+callbacks.spy.seed=${seed}", f"+callbacks.spy.most={MOST}",
        environment={"PYTHONPATH": str(tmp_path)}, code=1,
    )  # fmt: skip
    assert "2 jobs failed" in told
    assert told.count("Error: this job is to fail") >= 2
    lines = [json.loads(line) for line in seen.read_text("utf-8").splitlines()]
    seeds, files, threads, objects = zip(*lines, strict=True)
    assert seeds == (1, 2, 3, 4, 5, 6)
    assert max(files[1:]) - min(files[1:]) <= 1
    assert max(threads[1:]) == min(threads[1:])
    assert (objects[-1] - objects[2]) / 3 < LEFT
