"""Triton kernels: what the modules beside this folder do on a GPU.

Triton comes with torch's GPU builds; only there it is needed, so it is imported when the first tensor asks for it. On a
CPU its interpreter runs the same kernels (``TRITON_INTERPRET=1``), which is what the tests check where there is no GPU.
"""

import importlib
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor


def kernels(name: str, tensor: Tensor) -> Any:
    """The module ``attnlab.kernels.gpu.<name>`` where its kernels serve the tensor, else None."""
    return importlib.import_module(f"attnlab.kernels.gpu.{name}") if serve(tensor) else None


def serve(tensor: Tensor) -> bool:
    """On a GPU, but for float64: they compute in float32."""
    return tensor.is_cuda and tensor.dtype != torch.float64 and _there()


@cache
def _there() -> bool:
    return find_spec("triton") is not None
