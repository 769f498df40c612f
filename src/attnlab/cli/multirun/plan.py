"""What a multirun is going to run: how many jobs, and which settings vary among them."""

from collections.abc import Iterable
from math import prod
from typing import Any, NamedTuple

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from attnlab.cli.multirun.interleaved import in_this_process
from attnlab.cli.multirun.naming import NO_PART_OF_A_NAME, key_of
from attnlab.cli.multirun.swept import size


class Plan(NamedTuple):
    """What is known of a multirun before its first job."""

    total: int | None = None  #: jobs; None where its sweeper does not say
    varying: tuple[str, ...] | None = None  #: keys, as they were typed; None where nothing is known of them
    listed: bool = True  #: its jobs are a list that is gone through whenever it is started; a search goes on instead
    elsewhere: bool = False  #: jobs run in other processes
    compare: bool = False  #: its finished jobs are compared at its end
    per_gpu: int = 1  #: jobs that share a GPU
    report: str | None = None  #: where that is reported, besides its files


def plan_of(swept: Iterable[Override], config: DictConfig) -> Plan:
    """The plan of a multirun.

    Args:
        swept: the overrides of its sweeper and of the command line, in this order, so that the last one of a key holds.
        config: of the multirun, with Hydra's own node.
    """
    hydra = config.hydra
    where: dict[str, Any] = {
        "elsewhere": not in_this_process(hydra.launcher),
        "compare": bool(config.get("compare_after")),
        "per_gpu": int(config.get("jobs_per_gpu", 1)),
        "report": after if isinstance(after := config.get("compare_after"), str) else None,
    }
    last = {key_of(str(item.input_line)): item for item in swept}
    sizes = {key: size(item) if item.is_discrete_sweep() else None for key, item in last.items()
             if item.is_sweep_override()}  # fmt: skip
    varying = tuple(key for key, count in sizes.items() if count != 1 and key not in NO_PART_OF_A_NAME)
    trials: Any = OmegaConf.select(hydra, "sweeper.n_trials")
    if trials is None:
        known = [count for count in sizes.values() if count is not None]
        return Plan(prod(known) if len(known) == len(sizes) else None, varying, **where)
    grid = "GridSampler" in str(OmegaConf.select(hydra, "sweeper.sampler._target_"))
    most = prod(count or trials for count in sizes.values()) if grid else trials
    return Plan(min(int(trials), most), varying, listed=False, **where)
