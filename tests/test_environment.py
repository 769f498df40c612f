import subprocess
import sys


def test_lightning_comes_without_signal_processing_which_is_there_when_wanted():
    program = """
import sys
from attnlab.environment import lean_imports
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
from attnlab.environment import lean_imports
with lean_imports():
    import torchmetrics
    print(scipy.signal.windows.__name__)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "scipy.signal.windows"
