"""Stand-ins for modules that nobody wants yet: they are not missed, and make way when they are."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.long  # each takes an interpreter with torch


def test_lightning_comes_without_signal_processing_which_is_there_when_wanted():
    program = """
import sys
from attnlab.private.lean_imports import lean_imports
with lean_imports():
    import pytorch_lightning, torchmetrics
print("scipy.signal" in sys.modules)
import scipy
print(scipy.signal.windows.hamming(3).round(2).tolist(), torchmetrics.Metric.__name__)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["False", "[0.08, 1.0, 0.08] Metric"]


def test_a_module_that_is_there_stays():
    program = """
import scipy.signal
from attnlab.private.lean_imports import lean_imports
with lean_imports():
    import torchmetrics
    print(scipy.signal.windows.__name__)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "scipy.signal.windows"


def test_torchs_compiler_comes_when_it_is_wanted():
    """Not with Lightning and not for an optimizer's steps; and then as if it had been there all the time."""
    program = """
import sys
from attnlab.private.lean_imports import lean_imports
with lean_imports():
    import pytorch_lightning, torch
from pytorch_lightning.utilities.compile import OptimizedModule
model = torch.nn.Linear(2, 2)
optimizer = torch.optim.Adam(model.parameters())

def step(model):
    optimizer.zero_grad()
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()

def there():
    return "torch._dynamo.eval_frame" in sys.modules

step(model)
assert not isinstance(model, OptimizedModule)
assert not hasattr(sys.modules["torch._dynamo"], "__file__")
print(there())
seen = []
compiled = torch.compile(model, backend=lambda graph, inputs: seen.append(graph) or graph.forward)
step(compiled)
assert isinstance(compiled, OptimizedModule)
assert not isinstance(model, OptimizedModule)
import torch._dynamo.config
assert torch._dynamo.config is sys.modules["torch._dynamo"].config
print(there(), len(seen))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[:2] == ["False", "True 1"], done.stderr


def test_a_compiler_that_is_there_stays():
    program = """
import torch._dynamo
from attnlab.private.lean_imports import lean_imports
before = torch._dynamo
with lean_imports():
    import pytorch_lightning
print(torch._dynamo is before)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_a_part_of_the_compiler_can_be_imported_first():
    program = """
from attnlab.private.lean_imports import lean_imports
with lean_imports():
    import pytorch_lightning
from torch._dynamo.testing import CompileCounter
from torch._dynamo import OptimizedModule, reset
print(CompileCounter.__name__, reset.__name__, isinstance(OptimizedModule, type))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "CompileCounter reset True", done.stderr


def test_garbage_of_a_job_is_collected_by_the_next():
    """Only what an import brings is kept from the search for garbage, whether the block is entered again or not."""
    program = """
import gc, weakref
from attnlab.private.lean_imports import lean_imports

class Job:
    pass

def garbage():
    job = Job()
    job.itself = job
    return weakref.ref(job)

with lean_imports():
    import pytorch_lightning
kept = gc.get_freeze_count()
left = garbage()
with lean_imports():
    import pytorch_lightning
gc.collect()
print(kept > 100_000, gc.get_freeze_count() <= kept, left() is None)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True"]


def test_a_training_wants_neither_and_looks_for_no_garbage_among_modules(tmp_path):
    """Whatever imports Lightning first, it is within the block; and whoever has switched the search off before."""
    program = """
import atexit, gc, json, sys
from attnlab.cli.main import run

searched = []
gc.callbacks.append(lambda phase, _: searched.append(gc.get_freeze_count()) if "torchmetrics" in sys.modules else None)

def tell():
    there = [name for name in ("scipy.signal", "torch._dynamo.eval_frame", "torchmetrics") if name in sys.modules]
    print(json.dumps([there, min(searched)]))

atexit.register(tell)
run("train")
"""
    wanted = ["trainer.max_steps=1", "callbacks=none", "logger=none", "trainer.limit_val_batches=0"]
    wanted += ["trainer.limit_test_batches=0", "dataset.train_size=200", "dataset.val_size=20", "dataset.test_size=20"]
    environment = os.environ | {"ATTNLAB_ROOT": str(tmp_path), "ATTNLAB_CACHE": str(tmp_path)}
    line = [sys.executable, "-c", program, *wanted]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=environment)
    there, frozen = json.loads(done.stdout.splitlines()[-1])
    assert there == ["torchmetrics"]
    assert frozen > 100_000
