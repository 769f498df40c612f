"""Whether this machine has what a configuration asks for: memory for the model and for its search, devices."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import torch
from omegaconf import DictConfig
from torch import nn

from attnlab.private.torch import TorchDispatchMode, without_initialization
from attnlab.types import ConfigError

SMALL = 256 * 2**20  # bytes; a model below this is built without being counted first
FLOAT = 4  # bytes
Model = TypeVar("Model", bound=nn.Module)
CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class TooLargeError(RuntimeError):
    """Building stopped: it was about to take more memory than it may."""


class Allocations(TorchDispatchMode):
    """Counts what is allocated within, and stops before it is too much."""

    def __init__(self, most: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.most, self.bytes = most, 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        size = args[0] if args and isinstance(args[0], list | tuple) else None
        if size is not None and all(isinstance(side, int) for side in size):
            self.bytes += FLOAT * product(size)
            if self.bytes > self.most:
                raise TooLargeError
        return function(*args, **kwargs)


def product(numbers: Sequence[int]) -> int:
    """Python's own integers: what torch multiplies may overflow."""
    found = 1
    for number in numbers:
        found *= number
    return found


def build_within_memory(build: Callable[[], Model]) -> Model:
    """Build a model to see that it can be; a large one is counted first, on torch's meta device, and not initialised.

    Raises:
        ConfigError: the weights and their gradients alone are more than the memory of this machine.
    """
    with suppress(TooLargeError), Allocations(SMALL):
        return build()
    with torch.device("meta"), without_initialization():
        parameters = sum(item.numel() for item in build().parameters())
    require(parameters, memory())
    with without_initialization():
        return build()


def require(parameters: int, there: int) -> None:
    """Refuse a model that this machine cannot train.

    Raises:
        ConfigError: with the number of parameters and both amounts of memory.
    """
    needed = 2 * FLOAT * parameters
    if needed > there:
        raise ConfigError(
            f"this model has {parameters:,} parameters: they and their gradients alone take {gigabytes(needed)}, and "
            f"this machine has {gigabytes(there)} of memory; take fewer layers (encoder.layers, decoder.layers) or "
            "smaller ones (model.embedding_dim, encoder.hidden_dim, decoder.hidden_dim)"
        )


def require_search(config: DictConfig, sentences: int, vocabulary: int, batch: str) -> None:
    """Refuse a search that this machine cannot hold: a probability for every word of every hypothesis.

    Args:
        config: of the search.
        sentences: searched together.
        vocabulary: words of the target side.
        batch: the name of the setting that says how many are searched together.

    Raises:
        ConfigError: with the amounts, and what to change.
    """
    name = next((name for name in ("beam", "samples") if name in config), None)
    if name is None:
        return
    needed, there = 2 * FLOAT * sentences * int(config[name]) * vocabulary, memory()
    if needed > there:
        raise ConfigError(
            f"search.{name}={config[name]} with {batch}={sentences} and {vocabulary:,} words: the probabilities of one "
            f"step take {gigabytes(needed)}, and this machine has {gigabytes(there)} of memory; make either smaller"
        )


def memory() -> int:
    """Bytes that a process may have here: the machine's, or what the container is limited to."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in CGROUPS:
        with suppress(OSError, ValueError):  # "max" is no number
            limits.append(int(Path(path).read_text("ascii")))
    return min(limits)


def gigabytes(size: int) -> str:
    return f"{size / 2**30:,.1f} GB"


# One of them tells a process of the other nodes: PyTorch's and Lightning's own, torchrun's, SLURM's, LSF's, MPI's.
OF_SEVERAL_NODES = (
    "MASTER_ADDR", "NODE_RANK", "GROUP_RANK", "TORCHELASTIC_RUN_ID", "SLURM_NTASKS", "LSB_JOBID",
    "OMPI_COMM_WORLD_SIZE",
)  # fmt: skip


def require_devices(trainer: DictConfig) -> None:
    """Refuse more devices than there are; processes on a CPU share its cores. Likewise nodes that nothing tells of.

    Raises:
        ConfigError: how many are asked for, and how many there are.
    """
    nodes = trainer.get("num_nodes", 1)
    if nodes > 1 and not any(name in os.environ for name in OF_SEVERAL_NODES):
        raise ConfigError(
            f"trainer.num_nodes={nodes}: this process knows of no other node, and would wait for them; start it by "
            "SLURM or torchrun, or set MASTER_ADDR and NODE_RANK on each"
        )
    asked, accelerator = trainer.get("devices", 1), trainer.get("accelerator", "auto")
    if accelerator in ("gpu", "cuda") and not usable_gpu(accelerator):
        several = "ddp" in str(trainer.get("strategy"))
        raise ConfigError(
            f"trainer.accelerator={accelerator}: PyTorch finds no GPU here; take trainer="
            f"{'ddp_cpu, which is two processes on the CPU' if several else 'default, which takes what there is'}"
        )
    cuda = accelerator != "cpu" and torch.cuda.is_available()
    there = torch.cuda.device_count() if cuda else max(2, os.cpu_count() or 1)
    if accelerator in ("auto", "cpu", "gpu", "cuda") and isinstance(asked, int) and asked > there:
        have = f"{there} GPUs" if cuda else f"no more than {there} CPU cores"
        raise ConfigError(f"trainer.devices={asked}: this machine has {have}; take trainer.devices={there} or less")


def usable_gpu(accelerator: str) -> bool:
    """Whether there is one: of NVIDIA or AMD, and where any will do one of Apple's."""
    return torch.cuda.is_available() or (accelerator == "gpu" and torch.backends.mps.is_available())
